"""A folder of recordings for tests of a survey."""

from __future__ import annotations

from pathlib import Path

from tests.judge.signals import noise, tone, write


def make_folder(root: Path, *, seconds: float = 4.0) -> Path:
    """Write two pairs, `day` and `night`, of the conditions `felt` (440 Hz, soft) and `rhodes` (660 Hz, loud)."""
    folder = root / "survey"
    for condition, hertz, level in (("felt", 440, -40), ("rhodes", 660, -14)):
        (folder / condition).mkdir(parents=True)
        for name, factor in (("day", 1.0), ("night", 1.1)):
            write(folder / condition / f"{name}.wav", tone(factor * hertz, level, seconds) + noise(level - 30, seconds))
    write(folder / "felt" / "alone.wav", tone(440, -20, 1.0))
    (folder / "night.txt").write_text("a rainy\nnight <3\n")
    return folder
