"""Removed, truncated or overwritten files give one clear error when they are read, and none after that."""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from radio import files
from radio.audio.synth import Program, Synth, check_soundfont
from radio.errors import AudioError, ModelError, RadioError
from radio.model.engines.selection import open_engine
from radio.model.weights import checkpoint as checkpoints
from radio.model.weights.packing import WeightFormat
from radio.paths import CHECKPOINTS, CHECKSUMS, PACKAGE, SOUNDFONT
from tests.model.models import checkpoint

SHIPPED = sorted([*CHECKPOINTS.glob("*.safetensors"), *SOUNDFONT.parent.glob("*.sf2")])


def test_the_list_of_digests_matches_the_files() -> None:
    """If this fails because files were exported again, run `scripts/checksums`."""
    lines = dict(reversed(line.split()) for line in CHECKSUMS.read_text().splitlines())
    digests = {str(path.relative_to(PACKAGE)): hashlib.sha256(path.read_bytes()).hexdigest() for path in SHIPPED}
    assert lines == digests


def damaged(data: bytes, damage: str, at: float) -> bytes:
    """Return a file with a sixteenth of zeros or ones, or with its end missing."""
    start, length = int(at * len(data)), len(data) // 16 + 1
    if damage == "truncated":
        return data[:start]
    filled = (b"\0" if damage == "zeros" else b"\xff") * length
    return (data[:start] + filled + data[start + length :])[: len(data)]


DAMAGES = [(damage, at) for damage in ("truncated", "zeros", "ones") for at in (0, 0.001, 0.3, 0.95)]


@pytest.mark.parametrize("weight_format", ["fp32", "int8"])
def test_a_damaged_checkpoint_is_refused_and_named(tmp_path: Path, weight_format: WeightFormat) -> None:
    whole, path = tmp_path / "whole.safetensors", tmp_path / "piano.safetensors"
    checkpoints.write(whole, checkpoint(), weight_format)
    for damage, at in DAMAGES:
        path.write_bytes(damaged(whole.read_bytes(), damage, at))
        with pytest.raises(ModelError, match=r"piano\.safetensors: ") as caught:
            checkpoints.read(path)
        assert "\n" not in str(caught.value)


def test_a_matrix_of_zeros_is_refused_in_a_file_without_a_digest(tmp_path: Path) -> None:
    """Older exports have no digest, and a hole in such a file is read as zeros."""
    path = tmp_path / "piano.safetensors"
    checkpoints.write(path, checkpoint(), "int8")
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].replace(b'"sha256"', b'"sha000"', 1)
    path.write_bytes(data[:8] + header + data[8 + length :])
    checkpoints.read(path)
    path.write_bytes(data[:8] + header + bytes(len(data) - 8 - length))
    with pytest.raises(ModelError, match=r"piano\.safetensors: \S+\.weight contains nothing but zeros"):
        checkpoints.read(path)


@pytest.mark.parametrize(("damage", "at"), DAMAGES)
def test_a_damaged_package_file_is_refused_and_named(
    damage: str, at: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    font, bass = tmp_path / "instruments" / "lofi.sf2", tmp_path / "checkpoints" / "bass.safetensors"
    monkeypatch.setattr(files, "CHECKSUMS", tmp_path / "checksums.txt")
    files._shipped.cache_clear()
    try:
        shutil.copy(CHECKSUMS, tmp_path / "checksums.txt")
        for path in (font, bass):
            path.parent.mkdir()
            path.write_bytes(damaged((PACKAGE / path.relative_to(tmp_path)).read_bytes(), damage, at))
        with pytest.raises(AudioError, match=r"lofi\.sf2"):
            check_soundfont(font)
        with pytest.raises(AudioError, match=r"lofi\.sf2"):
            Synth(font, {"keys": Program(4)})
        with pytest.raises(ModelError, match=r"bass\.safetensors"):
            checkpoints.read(bass)
        shutil.copy(SOUNDFONT, font)
        check_soundfont(font)
    finally:
        files._shipped.cache_clear()


def test_truncating_or_overwriting_a_file_in_use_changes_nothing(tmp_path: Path) -> None:
    """This runs in another process, because a bus error would end it."""
    path = tmp_path / "piano.safetensors"
    checkpoints.write(path, checkpoint(), "int8")
    program = """if True:
        import sys
        from pathlib import Path
        from radio.model.engines.selection import open_engine
        from radio.model.weights import checkpoint
        path = Path(sys.argv[1])
        engine = open_engine(checkpoint.read(path))
        before, _ = engine.step([1, 2, 3], engine.zero_state())
        with path.open("r+b") as file:
            file.write(bytes([255]) * path.stat().st_size)
        path.open("wb").close()
        after, _ = engine.step([1, 2, 3], engine.zero_state())
        assert (before == after).all()
    """
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_copy_outlives_its_file_and_cannot_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_copies", {})
    path = tmp_path / "piano.safetensors"
    checkpoints.write(path, checkpoint(), "int8")
    data = path.read_bytes()
    descriptor, digest = files.copy(path)
    try:
        assert digest == hashlib.sha256(data).hexdigest()
        with pytest.raises(PermissionError):
            os.write(descriptor, b"0")
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 10)
        path.unlink()
        with pytest.raises(RadioError, match="no such file"):
            checkpoints.read(path)
        files.use_copies({str(path): descriptor})
        engine = open_engine(checkpoints.read(path))
        assert np.isfinite(engine.step([1], engine.zero_state())[0]).all()
        assert isinstance(files.read(path).obj, mmap.mmap)
        assert bytes(files.read(path)) == data
    finally:
        os.close(descriptor)


def test_a_removed_soundfont_plays_from_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_copies", {})
    path = tmp_path / "own.sf2"
    shutil.copy(SOUNDFONT, path)
    descriptor, _ = files.copy(path)
    try:
        path.unlink()
        files.use_copies({str(path): descriptor})
        Synth(path, {"keys": Program(4)}).close()
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("end", ["unlink", "truncate"])
def test_programs_can_change_after_the_soundfont_is_removed(end: str, tmp_path: Path) -> None:
    """This runs in another process, because FluidSynth reads the samples when a program is selected and would crash."""
    path = tmp_path / "own.sf2"
    shutil.copy(SOUNDFONT, path)
    program = """if True:
        import os, sys
        from pathlib import Path
        from radio.audio.synth import Program, Synth
        from radio.types import SynthEvent
        path = Path(sys.argv[1])
        synth = Synth(path, {"keys": Program(4)})
        path.unlink() if sys.argv[2] == "unlink" else os.truncate(path, 0)
        synth.change_program("keys", Program(11), 0)
        synth.schedule("keys", [SynthEvent(0, 72, 100)])
        assert abs(synth.render(9600)["keys"]).max() > 0.01
        synth.close()
    """
    done = subprocess.run([sys.executable, "-c", program, str(path), end], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
