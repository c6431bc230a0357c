"""The wheel and the source distribution, built with a compiler and without one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = (
    "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE", "stations.yaml", "radio",
    "kernels/audio", "kernels/cpu", "tests",
)  # fmt: skip


def copy_sources(folder: Path) -> Path:
    """Copy the files that the build reads to `folder`, as in a fresh checkout."""
    for name in SOURCES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def run(command: list[str | Path], folder: Path, **environment: str) -> str:
    """Run a command that must succeed, and return its output."""
    result = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build_wheel(folder: Path, **environment: str) -> Path:
    """Build the wheel that `pip install .` installs."""
    sources = copy_sources(folder / "source")
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "-w", folder]
    run(command, sources, **environment)
    (built,) = folder.glob("*.whl")
    return built


def doctor_line(built: Path, folder: Path) -> str:
    """Return the line about the engine in the output of the wheel's `radio doctor`."""
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "site")  # noqa: S202 — our own wheel
    output = run([sys.executable, "-m", "radio", "doctor"], folder, PYTHONPATH=str(folder / "site"))
    (line,) = (line for line in output.splitlines() if " engine: " in line)
    return line


@pytest.fixture(scope="module")
def plain_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built without a compiler."""
    return build_wheel(tmp_path_factory.mktemp("wheel"), CC="no-such-compiler")


@pytest.mark.slow
def test_a_wheel_built_without_a_compiler_uses_numpy(plain_wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(plain_wheel) as archive:
        names = set(archive.namelist())
    assert not [name for name in names if name.endswith(".so")]
    assert doctor_line(plain_wheel, tmp_path).startswith("--    engine: numpy: the native engine, several times faster")


def test_the_wheel_has_every_file_except_the_indexes_of_the_training_music(plain_wheel: Path) -> None:
    with zipfile.ZipFile(plain_wheel) as archive:
        names = set(archive.namelist())
    checkpoints = {f"radio/checkpoints/{path.name}" for path in (ROOT / "radio/checkpoints").iterdir()}
    indexes = {name for name in checkpoints if name.endswith(".index.safetensors")}
    assert len(indexes) == 3
    assert "radio/checkpoints/timing.json" in checkpoints - indexes
    assert checkpoints - indexes <= names
    assert not indexes & names
    assert {"radio/stations.yaml", "radio/py.typed", "radio/web/index.html", "radio/push/art/night.jpg"} <= names
    assert {"radio/instruments/lofi.sf2", "radio/instruments/lofi.json"} <= names


@pytest.mark.slow
def test_links_in_the_description_work_on_a_package_index(plain_wheel: Path) -> None:
    with zipfile.ZipFile(plain_wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_string(archive.read(name).decode())
    description = metadata.get_payload()
    assert isinstance(description, str)
    assert metadata["Name"] == "lofi-radio-daemon"
    assert description.startswith("# radio")
    assert re.findall(r"]\((?!https?:|#)[^)]*\)", description) == []


@pytest.mark.slow
def test_a_wheel_built_with_a_compiler_works_with_every_later_python(tmp_path: Path) -> None:
    built = build_wheel(tmp_path)
    assert "-cp311-abi3-" in built.name
    with zipfile.ZipFile(built) as archive:
        assert {"radio/audio/_native.abi3.so", "radio/model/_native.abi3.so"} <= set(archive.namelist())
    assert doctor_line(built, tmp_path).startswith("ok    engine: native, ")


@pytest.mark.slow
def test_an_installed_wheel_plays_the_shipped_stations_from_another_folder(tmp_path: Path) -> None:
    built = build_wheel(tmp_path / "build")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], tmp_path)
    python = tmp_path / "venv/bin/python"
    run([sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", built], tmp_path)
    (site,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    radio = tmp_path / "venv/bin/radio"
    assert run([radio, "--help"], elsewhere).startswith("usage: radio")
    assert run([radio, "stations"], elsewhere).startswith("chill ")
    run([radio, "render", "--station", "chill", "--minutes", "0.1", "song.mid", "song.wav"], elsewhere)
    assert (elsewhere / "song.mid").stat().st_size > 100
    assert (elsewhere / "song.wav").stat().st_size > 1_000_000
    where = run([python, "-c", "import radio; print(radio.__file__)"], elsewhere)
    assert where.startswith(str(site))
    result = subprocess.run(
        [radio, "originality", "song.mid"], cwd=elsewhere, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "copy them from radio/checkpoints of the source" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_source_distribution_has_all_files_for_a_build_and_no_tests(tmp_path: Path) -> None:
    sources = copy_sources(tmp_path / "source")
    build = f"from setuptools.build_meta import build_sdist; build_sdist({str(tmp_path)!r})"
    run([sys.executable, "-c", build], sources)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {
        "setup.py",
        "stations.yaml",
        "CHANGELOG.md",
        "kernels/audio/effects.c",
        "kernels/cpu/step.h",
        "radio/web/index.html",
    } <= names
    assert not [name for name in names if name.startswith("tests")]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_has_a_version_of_each_dependency_and_names_no_host(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = [*project["dependencies"]]
    if "dev" in lock:
        dependencies += project["optional-dependencies"]["dev"] + project["optional-dependencies"]["train"]
    text = (ROOT / lock).read_text()
    locked = {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)(?:\[\w,]+)?==", text, re.MULTILINE)}
    names = {re.match(r"[\w.-]+", dependency)[0].lower().replace("_", "-") for dependency in dependencies}  # type: ignore[index]
    assert names <= locked, "run make lock"
    assert "://" not in text
