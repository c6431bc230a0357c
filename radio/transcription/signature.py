"""Recognition of recordings by their first bytes."""

from __future__ import annotations

from typing import Final

SIGNATURE: Final = 12
"""Number of bytes needed to recognize a recording."""


def is_recording(begins: bytes) -> bool:
    """Return True if a file begins like an audio file: WAV, FLAC, Ogg, MP3, AAC, MP4 or WebM."""
    return (
        begins.startswith((b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3", b"FORM", b"RF64"))
        or (begins.startswith(b"RIFF") and begins[8:12] == b"WAVE")
        or begins[4:8] == b"ftyp"
        or (len(begins) > 1 and begins[0] == 0xFF and begins[1] & 0xE0 == 0xE0)  # a frame of MPEG audio
    )
