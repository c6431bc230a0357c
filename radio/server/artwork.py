"""The default picture of a station: an SVG landscape, always the same for the same station.

The station's settings determine the scene: the style sets the place, the rain the weather, and the tempo the shape of
the hills. Its name determines the colors and the positions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

SIZE: Final = 480
"""Side of the square picture in SVG units."""

_CITY: Final = frozenset({"jazz", "soul", "funk", "neworleans", "blues", "gospel", "dance", "latin"})
_SEA: Final = frozenset({"reggae", "highlife", "afrocuban", "afrobeat", "middleeastern", "pop"})

_GRAIN: Final = (
    '<filter id="grain"><feTurbulence type="fractalNoise" baseFrequency="0.9" numOctaves="2" seed="3"/>'
    '<feColorMatrix values="0 0 0 0 1  0 0 0 0 1  0 0 0 0 1  0 0 0 -0.9 0.62"/></filter>'
)
"""A paper texture."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors of a picture, and hues in degrees for the page around it.

    hue: for accents.
    ground: for dark and light surfaces.
    sky: top, middle, horizon.
    land: far to near.
    light: windows, stars, foam.
    """

    hue: int
    ground: int
    sky: tuple[str, str, str]
    disc: str
    land: tuple[str, str, str, str]
    light: str


_WARM: Final = (
    Palette(
        350, 310, ("#241428", "#7d3650", "#eaa39a"), "#ffe6dc", ("#84415b", "#632f4b", "#43223a", "#291528"), "#ffd2c2"
    ),
    Palette(
        38, 330, ("#1c1526", "#5b2f3c", "#c9803f"), "#ffd27d", ("#5e3343", "#452638", "#2f1b2d", "#1d1220"), "#ffc663"
    ),
    Palette(
        22, 322, ("#2c2140", "#a5566a", "#f3b48b"), "#ffe3bd", ("#8a4a68", "#653a5e", "#432a4b", "#271b34"), "#ffd9a8"
    ),
)
_COOL: Final = (
    Palette(
        205, 222, ("#101d33", "#2b4d6f", "#8fb3c4"), "#dfeaf0", ("#3d6384", "#2c4c6b", "#1e3650", "#122338"), "#ffd58f"
    ),
    Palette(
        158, 186, ("#0f2a2c", "#2f6a62", "#c7d9a5"), "#f6f2cd", ("#41796b", "#2c5c55", "#1d423f", "#112b2c"), "#f7e7a6"
    ),
    Palette(
        268, 258, ("#17142e", "#493d7d", "#c79bc4"), "#f7dff0", ("#5a4b8c", "#43386f", "#2e2752", "#1c1836"), "#ffd9ec"
    ),
)


def palette(settings: StationSettings) -> Palette:
    """Return the colors of a station: cool ones if it has rain."""
    colors = _WARM if settings.controls.rain_mute else _COOL
    return colors[(crc32(settings.name.encode()) >> 11) % len(colors)]


def artwork_path(settings: StationSettings) -> str:
    """Return the path of a station's picture. It changes with the settings of the picture, since browsers cache it."""
    controls = settings.controls
    shown = (settings.image, settings.style, controls.tempo, controls.rain_mute)
    return f"/{settings.name}/artwork?v={crc32(repr(shown).encode()):08x}"


def draw_artwork(settings: StationSettings) -> str:
    """Return the picture of a station as an SVG document of `SIZE` × `SIZE`."""
    colors = palette(settings)
    random = Random(crc32(settings.name.encode()))
    rain = not settings.controls.rain_mute
    parts = [*_sky(colors, random, stars=not rain), *_place(settings, colors, random)]
    if rain:
        parts += _rain(colors, random)
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}">',
            *parts,
            _GRAIN,
            f'<rect width="{SIZE}" height="{SIZE}" filter="url(#grain)" opacity="0.13"/>',
            "</svg>",
        )
    )


def _sky(colors: Palette, random: Random, *, stars: bool) -> Iterator[str]:
    top, middle, horizon = colors.sky
    yield (
        '<defs><linearGradient id="sky" x2="0" y2="1">'
        f'<stop stop-color="{top}"/><stop offset="0.5" stop-color="{middle}"/>'
        f'<stop offset="0.8" stop-color="{horizon}"/></linearGradient>'
        f'<radialGradient id="glow"><stop stop-color="{colors.disc}" stop-opacity="0.55"/>'
        f'<stop offset="1" stop-color="{colors.disc}" stop-opacity="0"/></radialGradient></defs>'
        f'<rect width="{SIZE}" height="{SIZE}" fill="url(#sky)"/>'
    )
    if stars:
        for _ in range(46):
            x, y, size = random.uniform(0, SIZE), random.uniform(0, 0.42 * SIZE), random.uniform(0.5, 1.5)
            opacity = 0.75 - y / 400
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{colors.light}" opacity="{opacity:.2f}"/>'
    x, y, radius = random.uniform(0.3, 0.7) * SIZE, random.uniform(0.36, 0.46) * SIZE, random.uniform(52, 76)
    yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{2.6 * radius:.0f}" fill="url(#glow)"/>'
    yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{colors.disc}"/>'


def _place(settings: StationSettings, colors: Palette, random: Random) -> Iterator[str]:
    if settings.style in _CITY:
        yield _ridge(colors.land[0], 0.58, 14, 1.2, random)
        yield from _houses(colors, random)
    elif settings.style in _SEA:
        yield from _sea(colors, random)
    else:
        waves = 1 + settings.controls.tempo / 80
        for depth, color in enumerate(colors.land):
            yield _ridge(color, 0.56 + 0.11 * depth, 34 - 3 * depth, waves + 0.35 * depth, random)


def _ridge(color: str, height: float, swing: float, waves: float, random: Random) -> str:
    """Return hills from edge to edge: two slow waves, `swing` units high, at `height` from the top (0–1)."""
    first, second = random.uniform(0, math.tau), random.uniform(0, math.tau)
    points = []
    for x in range(0, SIZE + 1, 8):
        turn = math.tau * waves * x / SIZE
        y = height * SIZE + swing * (0.7 * math.sin(turn + first) + 0.3 * math.sin(2.3 * turn + second))
        points.append(f"{x} {y:.1f}")
    return f'<path d="M0 {SIZE}L{"L".join(points)}L{SIZE} {SIZE}z" fill="{color}"/>'


def _houses(colors: Palette, random: Random) -> Iterator[str]:
    """Yield three rows of houses, with light in some windows."""
    for depth, color in enumerate(colors.land[1:]):
        x = -random.uniform(0, 30)
        while x < SIZE:
            width = random.uniform(34, 58) + 9 * depth
            top = (0.52 + 0.13 * depth) * SIZE + random.uniform(-44, 26)
            yield f'<rect x="{x:.0f}" y="{top:.0f}" width="{width + 1:.0f}" height="{SIZE - top:.0f}" fill="{color}"/>'
            if random.random() < 0.35:
                yield f'<rect x="{x + width / 2:.0f}" y="{top - 16:.0f}" width="2" height="16" fill="{color}"/>'
            yield from _windows(colors.light, (x, top, width), depth, random)
            x += width


def _windows(light: str, house: tuple[float, float, float], depth: int, random: Random) -> Iterator[str]:
    """Yield the lit windows of a house. `house` is its left edge, top and width."""
    x, top, width = house
    step, size = 13 + 2 * depth, 5 + depth
    columns = int((width - 8) // step)
    left = x + (width - columns * step + step - size) / 2
    for row in range(6):
        for column in range(columns):
            if random.random() < 0.3:
                opacity = random.uniform(0.35, 0.95)
                at = f'x="{left + column * step:.0f}" y="{top + 12 + row * (step + 4):.0f}"'
                yield f'<rect {at} width="{size}" height="{size + 3}" fill="{light}" opacity="{opacity:.2f}"/>'


def _sea(colors: Palette, random: Random) -> Iterator[str]:
    far, middle, near, nearest = colors.land
    yield _ridge(far, 0.6, 8, 1.0, random)
    yield f'<rect y="{0.63 * SIZE:.0f}" width="{SIZE}" height="{SIZE}" fill="{middle}"/>'
    for row in range(26):
        y = (0.645 + 0.012 * row) * SIZE
        width = random.uniform(20, 90) * (1 + row / 12)
        x = random.uniform(-20, SIZE - 20)
        opacity = random.uniform(0.1, 0.4)
        yield (
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="2" rx="1" fill="{colors.light}" '
            f'opacity="{opacity:.2f}"/>'
        )
    yield _ridge(near, 0.86, 16, 0.9, random)
    yield _ridge(nearest, 0.94, 12, 1.3, random)


def _rain(colors: Palette, random: Random) -> Iterator[str]:
    for _ in range(120):
        x, y, length = random.uniform(-20, SIZE), random.uniform(-20, SIZE), random.uniform(12, 34)
        opacity = random.uniform(0.08, 0.34)
        yield (
            f'<path d="M{x:.0f} {y:.0f}l{-0.22 * length:.1f} {length:.1f}" stroke="{colors.disc}" '
            f'stroke-width="1.2" stroke-linecap="round" opacity="{opacity:.2f}"/>'
        )
