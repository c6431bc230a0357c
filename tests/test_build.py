"""The wheel, built with a compiler and without one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "stations.yaml", "radio", "kernels/cpu")


def wheel(folder: Path, **environment: str) -> Path:
    """What `pip install .` would install, from a copy of the sources as a checkout has them."""
    for name in SOURCES:
        source, target = ROOT / name, folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        else:
            shutil.copy(source, target)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    result = subprocess.run(
        command, cwd=folder / "source", env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    (built,) = folder.glob("*.whl")
    return built


def doctor(built: Path, folder: Path) -> str:
    """What the wheel's own `radio doctor` says of the engine."""
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "site")
    result = subprocess.run(
        [sys.executable, "-m", "radio", "doctor"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (line for line in result.stdout.splitlines() if " engine: " in line)
    return line


def test_without_a_compiler_the_wheel_is_built_and_numpy_serves(tmp_path: Path) -> None:
    built = wheel(tmp_path, CC="no-such-compiler")
    with zipfile.ZipFile(built) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".so")]
        shipped = {f"radio/checkpoints/{path.name}" for path in (ROOT / "radio/checkpoints").iterdir()}
        assert "radio/checkpoints/timing.json" in shipped
        assert shipped <= set(archive.namelist())
    assert doctor(built, tmp_path).startswith("--    engine: numpy: the native engine, several times faster")


@pytest.mark.slow
def test_with_a_compiler_one_wheel_serves_every_later_python(tmp_path: Path) -> None:
    built = wheel(tmp_path)
    assert "-cp311-abi3-" in built.name
    with zipfile.ZipFile(built) as archive:
        assert "radio/model/_native.abi3.so" in archive.namelist()
    assert doctor(built, tmp_path).startswith("ok    engine: native, ")
