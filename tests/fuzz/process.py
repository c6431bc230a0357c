"""Fuzz one target: `python -m tests.fuzz.process TARGET FOLDER [OPTIONS of libFuzzer]`."""

from __future__ import annotations

import sys
from typing import Final

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

GUIDING: Final = {
    "midi": ["radio.music.midi_score", "radio.music.smf"],
    "config": ["radio.settings"],
    "messages": ["radio.worker.wire"],
    "tokens": ["radio.music.tokenizer", "radio.music.band_events"],
    "ogg": ["radio.stream.formats.ogg"],
    "snapshot": ["radio.station.snapshot", "radio.station.station"],
    "state": ["radio.server.broadcast.saved_station", "radio.server.broadcast.piece"],
}
"""The modules whose branches guide the fuzzer. Others would only slow it down."""

if __name__ == "__main__":
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=GUIDING[name]):
        from tests.fuzz.targets import TARGETS
    TARGETS[name].run(b"")  # so that one-time setup does not count toward the time of an input
    atheris.Setup(sys.argv, TARGETS[name].run)
    atheris.Fuzz()
