"""The picture of a push as YUV planes: the station's image, spectrum bars, the station's name and the title.

For each title, the picture is drawn twice, with all bars empty and with all bars full. A frame copies the rows of each
bar from one or the other.
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
"""The Y, U and V planes of a frame, stacked: shape (height * 3 / 2, width), BT.709, limited range."""

BARS: Final = 48

_TITLE_FONT, _STATION_FONT = str(FONTS / "fraunces.woff2"), str(FONTS / "figtree.woff2")
_WEIGHT = 600
_FALLBACK_FONTS: Final = ("DejaVuSans-Bold.ttf", "NotoSansCJK-Bold.ttc", "NotoSansCJK-Regular.ttc")
"""System fonts for characters that the bundled fonts lack."""

_CREAM, _AMBER, _ROSE, _NIGHT = (250, 240, 226), (244, 190, 126), (214, 108, 132), (16, 12, 26)
_MARGIN, _TITLE_SIZE, _STATION_SIZE, _GAP = 64, 44, 28, 18
"""Pixels in a picture 720 pixels high."""
_BAR_HEIGHT = 0.15
"""Height of a full bar, as a share of the height of the picture."""


@dataclass(frozen=True, slots=True)
class _TextLine:
    """A line of text; `size` is in pixels in a picture 720 pixels high."""

    text: str
    font: str
    size: int
    color: tuple[int, int, int]
    align_right: bool = False


class Picture:
    """A renderer of frames.

    Args:
        width: Pixels, even.
        height: Pixels, even.
        image: The background, cropped to the shape of the frame.
        station: The station's name, shown to the right of the title.

    Raises:
        StreamError: The image cannot be read.
    """

    def __init__(self, *, width: int, height: int, image: Path, station: str) -> None:
        self._size = (width, height)
        self._scale = min(height / 720, width / 960)
        self._station = station
        self._background = _shaded(_cropped(image, self._size))
        self._empty: Planes
        self._full: Planes
        # Chroma has one sample per 2 × 2 pixels, so bars must start and end at even pixels.
        margin = round(_MARGIN * self._scale)
        self._edges = [_even(margin + (width - 2 * margin) * number / BARS) for number in range(BARS + 1)]
        self._gap = max(2, _even((self._edges[-1] - self._edges[0]) / BARS * 0.3))
        self._bottom = _even(height - margin * 0.75)
        self._bar_height = _even(height * _BAR_HEIGHT)
        self.set_title("")

    def set_title(self, text: str) -> None:
        """Show a title, starting with the next frame."""
        canvas = self._background.copy()
        draw = ImageDraw.Draw(canvas)
        left, right = self._edges[0], self._edges[-1] - self._gap
        station_left = self._write(
            draw, _TextLine(self._station, _STATION_FONT, _STATION_SIZE, _AMBER, align_right=True), left, right
        )
        title_right = station_left - round(_GAP * self._scale)
        self._write(draw, _TextLine(text, _TITLE_FONT, _TITLE_SIZE, _CREAM), left, title_right)
        self._empty = _planes(self._with_bars(canvas, full=False))
        self._full = _planes(self._with_bars(canvas, full=True))

    def frame(self, heights: Heights) -> Planes:
        """Return a frame with the bars at `heights`, shape (BARS,), 0–1."""
        width, height = self._size
        planes = self._empty.copy()
        half = width // 2
        luma, full_luma = planes[:height], self._full[:height]
        chroma = planes[height:].reshape(2, height // 2, half)
        full_chroma = self._full[height:].reshape(2, height // 2, half)
        for number, share in enumerate(heights):
            top = self._bottom - _even(float(share) * self._bar_height)
            left, right = self._edges[number], self._edges[number + 1] - self._gap
            luma[top : self._bottom, left:right] = full_luma[top : self._bottom, left:right]
            rows, columns = slice(top // 2, self._bottom // 2), slice(left // 2, right // 2)
            chroma[:, rows, columns] = full_chroma[:, rows, columns]
        return planes

    def _with_bars(self, canvas: Image.Image, *, full: bool) -> Image.Image:
        """Return a copy with all bars at full height, or with all bars as thin lines."""
        canvas = canvas.copy()
        top = self._bottom - (self._bar_height if full else 2)
        ramp = Image.new("RGB", (1, 3))
        for y, color in enumerate((_ROSE, _AMBER, _CREAM)):
            ramp.putpixel((0, 2 - y), color)
        ramp = ramp.resize((1, self._bar_height), Image.Resampling.BILINEAR)
        for number in range(BARS):
            box = (self._edges[number], top, self._edges[number + 1] - self._gap, self._bottom)
            part = ramp.crop((0, self._bar_height - (self._bottom - top), 1, self._bar_height))
            colors = part.resize((box[2] - box[0], box[3] - box[1]))
            canvas.paste(Image.blend(canvas.crop(box), colors, 0.88), box)
        return canvas

    def _write(self, draw: ImageDraw.ImageDraw, line: _TextLine, left: int, right: int) -> int:
        """Write a line between `left` and `right`, shortened if it is too long, and return its left edge."""
        text, size = " ".join(line.text.split()), round(line.size * self._scale)
        font = _font(line.font, text, size)
        if font.getlength(text) > right - left:
            while text and font.getlength(f"{text}…") > right - left:
                text = text[:-1]
            text = f"{text.rstrip()}…"
        x = right - round(font.getlength(text)) if line.align_right else left
        baseline = self._bottom - self._bar_height - round(_GAP * self._scale)
        # A dark outline keeps the text legible on any image.
        outline = max(1, round(size / 24))
        draw.text(
            (x, baseline), text, font=font, anchor="ls", fill=line.color, stroke_width=outline, stroke_fill=_NIGHT
        )
        return x


def check_image(path: Path) -> None:
    """Raise StreamError if a file is not a readable image."""
    _cropped(path, (16, 16))


def _cropped(path: Path, size: tuple[int, int]) -> Image.Image:
    """Return the image, cropped and scaled to `size`."""
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return ImageOps.fit(upright, size, Image.Resampling.LANCZOS)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise StreamError(f"the image {path} cannot be read: {error}") from error


def _shaded(image: Image.Image) -> Image.Image:
    """Return the image darkened towards the bottom, behind text and bars."""
    ramp = Image.linear_gradient("L").resize(image.size)
    shade = ramp.point([max(0, round((level / 255 - 0.45) / 0.55 * 200)) for level in range(256)])
    return Image.composite(Image.new("RGB", image.size, _NIGHT), image, shade)


def _planes(image: Image.Image) -> Planes:
    frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
    planes = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG").to_ndarray()
    return cast("Planes", planes)


def _even(value: float) -> int:
    return round(value / 2) * 2


def _font(bundled: str, text: str, size: int) -> ImageFont.FreeTypeFont:
    """Return the first font that has all characters of `text`, or else the bundled font."""
    for name in (bundled, *_FALLBACK_FONTS):
        font = _loaded(name, size)
        if font is not None and all(_has(font, character) for character in set(text)):
            return font
    font = _loaded(bundled, size)
    if font is None:
        raise StreamError(f"the font {bundled} cannot be read; reinstall the radio")
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


def _has(font: ImageFont.FreeTypeFont, character: str) -> bool:
    """Return True if the font has a character. Missing ones all look like U+10FFFF, which no font has."""
    return character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask("\U0010ffff"))
