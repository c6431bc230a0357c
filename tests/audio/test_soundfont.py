from __future__ import annotations

import struct
from pathlib import Path

import pytest

from radio.audio.fluid import library
from radio.audio.soundfont import presets
from radio.errors import AudioError
from radio.settings.station import StationSettings

FONT = StationSettings("any", "Any", ()).soundfont


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def preset(name: bytes, program: int, bank: int) -> bytes:
    return struct.pack("<20sHHHIII", name, program, bank, 0, 0, 0, 0)


def soundfont(phdr: bytes) -> bytes:
    lists = chunk(b"LIST", b"INFOodd") + chunk(b"LIST", b"sdta" + b"\0" * 10) + chunk(b"LIST", b"pdta" + phdr)
    return chunk(b"RIFF", b"sfbk" + lists)


def test_presets_agree_with_fluidsynth() -> None:
    names = presets(FONT)
    synth = library().Synth()
    try:
        sfid = synth.sfload(str(FONT))
        for bank in (0, 8, 128):
            for program in range(128):
                name = synth.sfpreset_name(sfid, bank, program)
                assert names.get((bank, program)) == (None if name is None else name.strip()), (bank, program)
    finally:
        synth.delete()


def test_the_terminating_entry_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "tiny.sf2"
    rows = preset(b"Rhodes\0garbage", 4, 0) + preset(b"Kit", 0, 128) + preset(b"EOP", 255, 255)
    path.write_bytes(soundfont(chunk(b"phdr", rows)))
    assert presets(path) == {(0, 4): "Rhodes", (128, 0): "Kit"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no RIFF/sfbk header"),
        (b"RIFF\0\0\0\0WAVEfmt ", "no RIFF/sfbk header"),
        (soundfont(b""), "no list of presets"),
        (soundfont(chunk(b"phdr", b"half a row")), "not a soundfont"),
        (soundfont(b"")[:-3], "not a soundfont"),
    ],
)
def test_invalid_files_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "bad.sf2"
    path.write_bytes(data)
    with pytest.raises(AudioError, match=message):
        presets(path)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"nowhere\.sf2 cannot be read: No such file"):
        presets(tmp_path / "nowhere.sf2")
