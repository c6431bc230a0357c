"""Pictures of a track: piano roll, similarity of its bars, and levels over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from radio.compose.bar import Bar
from radio.compose.drums import HATS, KICKS, RIDES, SNARES
from radio.settings.station import StationSettings
from radio.types import TICKS_PER_BAR, Block
from train.metrics.arrangement import BANDS, STEP, Levels, band_levels, render_tracks
from train.metrics.music import StationMusic
from train.metrics.repetition import jaccard, struck

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS: Final = {"keys": "tab:blue", "bass": "tab:green", "lead": "tab:orange", "drums": "tab:red"}
_DRUM_LINES: Final = ((KICKS, 20), (SNARES, 22), (HATS | RIDES, 24))
"""Lines below the pitches on which drums are drawn; other pads share the line above."""
_OTHER_DRUMS: Final = 26
_MINUTES: Final = 12.0
"""Minutes of music to search for a track with a breakdown."""


def draw(settings: StationSettings, folder: Path) -> Path:
    """Render a station's first track with a breakdown, or else its first track, and write its picture as a PNG.

    The seed is the station's own.

    Returns:
        The path of the picture, `music-STATION.png` in `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"music-{settings.name}.png"
    first: tuple[list[Bar], Block] | None = None
    for bars, audio in render_tracks(settings, minutes=_MINUTES, seed=settings.seed):
        first = first or (bars, audio)
        if any(script.kind == "break" for script in bars[0].track.script):
            first = bars, audio
            break
    if first is None:
        raise ValueError(f"no track of {settings.name} ends within {_MINUTES:g} minutes")
    picture(*first, path)
    return path


def picture(bars: Sequence[Bar], audio: Block, path: Path) -> None:
    """Write the picture of one track."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1.0, 2.2), height_ratios=(1.35, 1.0))
    _roll(figure.add_subplot(grid[0, :]), bars)
    _similarity(figure.add_subplot(grid[1, 0]), bars)
    _levels(figure.add_subplot(grid[1, 1]), band_levels(audio), bars)
    track = bars[0].track
    figure.suptitle(f"{track.title} – {track.key_name}, {bars[0].tempo:.0f} BPM, {track.texture.kind}", fontsize=11)
    figure.savefig(path, dpi=80, pil_kwargs={"optimize": True})


def similarity(bars: Sequence[Bar]) -> npt.NDArray[np.float64]:
    """Return the similarity of each pair of bars, keys and drums together, (bars, bars)."""
    music = StationMusic(bars, {}, 0.0)
    keys, drums = (struck(music.passage(layer).notes, len(bars)) for layer in ("keys", "drums"))
    union = [
        {("keys", *onset) for onset in one} | {("drums", *onset) for onset in other}
        for one, other in zip(keys, drums, strict=True)
    ]
    return np.array([[jaccard(one, other) for other in union] for one in union])


def _roll(axes: Axes, bars: Sequence[Bar]) -> None:
    music = StationMusic(bars, {}, 0.0)
    for layer in ("keys", "bass", "lead"):
        notes = music.passage(layer).notes
        if not notes:
            continue
        axes.barh(
            [note.note for note in notes],
            [(note.end - note.start) / TICKS_PER_BAR for note in notes],
            left=[note.start / TICKS_PER_BAR for note in notes],
            height=0.9,
            color=COLORS[layer],
            label=layer,
        )
    hits = music.passage("drums").notes
    axes.scatter(
        [hit.start / TICKS_PER_BAR for hit in hits],
        [next((line for pads, line in _DRUM_LINES if hit.note in pads), _OTHER_DRUMS) for hit in hits],
        s=1.5,
        color=COLORS["drums"],
        label="drums",
    )
    _sections(axes, bars, 1.0)
    axes.set_ylabel("pitch; below, kick, snare, hats")
    axes.set_xlabel("bars")
    axes.legend(loc="upper right", fontsize=7, ncols=4)


def _similarity(axes: Axes, bars: Sequence[Bar]) -> None:
    axes.imshow(similarity(bars), cmap="magma", vmin=0, vmax=1, origin="lower", extent=(0, len(bars), 0, len(bars)))
    axes.set_title("similarity of bars", fontsize=9)
    axes.set_xlabel("bars")


def _levels(axes: Axes, levels: dict[str, Levels], bars: Sequence[Bar]) -> None:
    for band, (low, high) in BANDS.items():
        curve = levels[band]
        axes.plot(STEP * (np.arange(len(curve)) + 0.5), curve, label=f"{band}, {low}–{high} Hz")
    _sections(axes, bars, bars[0].seconds)
    axes.set_ylim(bottom=max(-90.0, min(curve.min() for curve in levels.values())))
    axes.set_ylabel("level, dB")
    axes.set_xlabel("seconds")
    axes.legend(loc="lower center", fontsize=7, ncols=3)


def _sections(axes: Axes, bars: Sequence[Bar], length: float) -> None:
    """Mark the beginnings of sections; a bar is `length` wide."""
    starts = [place for place, script in enumerate(bars[0].track.script) if script.place == 0]
    for place in starts:
        axes.axvline(place * length, color="0.6", linewidth=0.7)
        axes.text(place * length, 1.0, f" {bars[place].plan.section}", transform=axes.get_xaxis_transform(),
                  fontsize=8, va="bottom")  # fmt: skip
    axes.set_xlim(0, len(bars) * length)
