"""The picture of a push: the station's image, bars that move with the music, and what is on, as YUV planes.

Only what moves is drawn for every frame: a scene is laid out twice, with all bars down and with all of them up, and a
frame takes each bar's rows from the one or the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, cast

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from radio.errors import StreamError
from radio.paths import FONTS
from radio.push.video.spectrum import Heights

Planes: TypeAlias = "npt.NDArray[np.uint8]"
"""Y, U and V of a frame one below the other, shape (height * 3 / 2, width), BT.709, studio range."""

BARS: Final = 48

_TITLE_FONT, _STATION_FONT = str(FONTS / "fraunces.woff2"), str(FONTS / "figtree.woff2")
_WEIGHT = 600
_OTHERFONTS: Final = ("DejaVuSans-Bold.ttf", "NotoSansCJK-Bold.ttc", "NotoSansCJK-Regular.ttc")
"""Looked for where the system keeps its fonts, for the letters that ours lacks."""

_CREAM, _AMBER, _ROSE, _NIGHT = (250, 240, 226), (244, 190, 126), (214, 108, 132), (16, 12, 26)
_MARGIN, _TITLE, _STATION, _BETWEEN = 64, 44, 28, 18
"""Pixels where the picture is 720 high."""
_BAR_ROOM = 0.15
"""Share of the height that a full bar takes."""


@dataclass(frozen=True, slots=True)
class _Words:
    """A line of text; its height is in pixels where the picture is 720 high."""

    text: str
    font: str
    height: int
    colour: tuple[int, int, int]
    at_end: bool = False


class Picture:
    """Draws frames.

    Args:
        width: Pixels, even.
        height: Pixels, even.
        image: What lies behind; it is cut to the shape of the frame.
        station: The name above the title.

    Raises:
        StreamError: The image cannot be read.
    """

    def __init__(self, *, width: int, height: int, image: Path, station: str) -> None:
        self._size = (width, height)
        self._scale = min(height / 720, width / 960)
        self._station = station
        self._ground = _shaded(_covered(image, self._size))
        self._low: Planes
        self._high: Planes
        # Chroma has one sample for two by two pixels: bars begin and end on even ones.
        margin = round(_MARGIN * self._scale)
        self._edges = [_even(margin + (width - 2 * margin) * number / BARS) for number in range(BARS + 1)]
        self._gap = max(2, _even((self._edges[-1] - self._edges[0]) / BARS * 0.3))
        self._foot = _even(height - margin * 0.75)
        self._room = _even(height * _BAR_ROOM)
        self.title("")

    def title(self, text: str) -> None:
        """What is on from the next frame on."""
        scene = self._ground.copy()
        draw = ImageDraw.Draw(scene)
        left, right = self._edges[0], self._edges[-1] - self._gap
        end = self._write(draw, _Words(self._station, _STATION_FONT, _STATION, _AMBER, at_end=True), left, right)
        self._write(draw, _Words(text, _TITLE_FONT, _TITLE, _CREAM), left, end - round(_BETWEEN * self._scale))
        self._low = _planes(self._with_bars(scene, full=False))
        self._high = _planes(self._with_bars(scene, full=True))

    def frame(self, heights: Heights) -> Planes:
        """The picture with the bars at `heights`, shape (BARS,), 0–1."""
        width, height = self._size
        planes = self._low.copy()
        half = width // 2
        luma, lit_luma = planes[:height], self._high[:height]
        chroma = planes[height:].reshape(2, height // 2, half)
        lit_chroma = self._high[height:].reshape(2, height // 2, half)
        for number, share in enumerate(heights):
            top = self._foot - _even(float(share) * self._room)
            left, right = self._edges[number], self._edges[number + 1] - self._gap
            luma[top : self._foot, left:right] = lit_luma[top : self._foot, left:right]
            rows, columns = slice(top // 2, self._foot // 2), slice(left // 2, right // 2)
            chroma[:, rows, columns] = lit_chroma[:, rows, columns]
        return planes

    def _with_bars(self, scene: Image.Image, *, full: bool) -> Image.Image:
        """The scene with every bar at its full height, or with a thin line where it stands."""
        scene = scene.copy()
        top = self._foot - (self._room if full else 2)
        ramp = Image.new("RGB", (1, 3))
        for y, colour in enumerate((_ROSE, _AMBER, _CREAM)):
            ramp.putpixel((0, 2 - y), colour)
        ramp = ramp.resize((1, self._room), Image.Resampling.BILINEAR)
        for number in range(BARS):
            box = (self._edges[number], top, self._edges[number + 1] - self._gap, self._foot)
            part = ramp.crop((0, self._room - (self._foot - top), 1, self._room))
            colours = part.resize((box[2] - box[0], box[3] - box[1]))
            scene.paste(Image.blend(scene.crop(box), colours, 0.88), box)
        return scene

    def _write(self, draw: ImageDraw.ImageDraw, line: _Words, left: int, right: int) -> int:
        """Write a line, cut where it is too long for what is between `left` and `right`; return where it begins."""
        text, size = " ".join(line.text.split()), round(line.height * self._scale)
        font = _font(line.font, text, size)
        if font.getlength(text) > right - left:
            while text and font.getlength(f"{text}…") > right - left:
                text = text[:-1]
            text = f"{text.rstrip()}…"
        x = right - round(font.getlength(text)) if line.at_end else left
        foot = self._foot - self._room - round(_BETWEEN * self._scale)
        # A dark edge, so that it reads before any image.
        edge = max(1, round(size / 24))
        draw.text((x, foot), text, font=font, anchor="ls", fill=line.colour, stroke_width=edge, stroke_fill=_NIGHT)
        return x


def check_image(path: Path) -> None:
    """Raise StreamError where a file is no image that can be shown."""
    _covered(path, (16, 16))


def _covered(path: Path, size: tuple[int, int]) -> Image.Image:
    """The image, cut to the shape of `size` and brought to it."""
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return ImageOps.fit(upright, size, Image.Resampling.LANCZOS)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise StreamError(f"the image {path} cannot be read: {error}") from error


def _shaded(image: Image.Image) -> Image.Image:
    """Darker towards the bottom, where the words and bars stand."""
    ramp = Image.linear_gradient("L").resize(image.size)
    shade = ramp.point([max(0, round((level / 255 - 0.45) / 0.55 * 200)) for level in range(256)])
    return Image.composite(Image.new("RGB", image.size, _NIGHT), image, shade)


def _planes(image: Image.Image) -> Planes:
    frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
    planes = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG").to_ndarray()
    return cast("Planes", planes)


def _even(value: float) -> int:
    return round(value / 2) * 2


def _font(ours: str, text: str, size: int) -> ImageFont.FreeTypeFont:
    """Ours, or the first of the system's that has all letters of `text`."""
    for name in (ours, *_OTHERFONTS):
        font = _loaded(name, size)
        if font is not None and all(_has(font, letter) for letter in set(text)):
            return font
    font = _loaded(ours, size)
    if font is None:
        raise StreamError(f"the font {ours} cannot be read: install the radio again")
    return font


@cache
def _loaded(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        font = ImageFont.truetype(name, size)
        if name.endswith(".woff2"):
            font.set_variation_by_axes([_WEIGHT])
    except OSError:
        return None
    return font


def _has(font: ImageFont.FreeTypeFont, letter: str) -> bool:
    """Whether the font draws the letter otherwise than one that no font has."""
    return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask("\U0010ffff"))
