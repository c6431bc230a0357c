"""Damaged input is refused and breaks nothing: a few hundred random changes to valid input per reader."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.targets import TARGETS

_ODD = (b"\0", b"\xff", b"\xff\xff\xff\x7f", b"\x80", b"[", b"{", b": ", b"\n")


def changed(data: bytes, random: Random) -> bytes:
    """Return the bytes with a few changes: bytes replaced or inserted, parts left out, repeated or cut off."""
    for _ in range(random.randint(1, 4)):
        at, end = sorted(random.randint(0, len(data)) for _ in range(2))
        match random.randint(0, 4):
            case 0:
                data = data[:at] + random.randbytes(1) + data[at + 1 :]
            case 1:
                data = data[:at] + random.choice(_ODD) + data[at:]
            case 2:
                data = data[:at] + data[end:]
            case 3:
                data = data[:end] + data[at:end][:64] + data[end:]
            case 4:
                data = data[:at]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_input_breaks_nothing(name: str) -> None:
    random = Random(name)
    seeds = TARGETS[name].seeds()
    for seed in seeds:
        TARGETS[name].run(seed)
    for _ in range(40 if name in ("snapshot", "config") else 300):
        TARGETS[name].run(changed(random.choice(seeds), random))
