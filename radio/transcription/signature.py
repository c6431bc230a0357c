"""Telling recordings from other files by their first bytes."""

from __future__ import annotations

from typing import Final

SIGNATURE: Final = 12
"""First bytes that tell a recording from other files."""


def is_recording(begins: bytes) -> bool:
    """Return True for a file whose first bytes are those of an audio file: WAV, FLAC, Ogg, MP3, AAC, MP4, WebM."""
    return (
        begins.startswith((b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3", b"FORM", b"RF64"))
        or (begins.startswith(b"RIFF") and begins[8:12] == b"WAVE")
        or begins[4:8] == b"ftyp"
        or (len(begins) > 1 and begins[0] == 0xFF and begins[1] & 0xE0 == 0xE0)  # a frame of MPEG audio
    )
