from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ExifTags, Image

from radio.errors import StreamError
from radio.paths import ARTWORK
from radio.push.video.picture import BARS, Picture, Planes
from radio.push.video.spectrum import Spectrum
from radio.types import SAMPLE_RATE

NONE, ALL = np.zeros(BARS, np.float32), np.ones(BARS, np.float32)


def picture(width: int = 640, height: int = 360, image: Path = ARTWORK) -> Picture:
    return Picture(width=width, height=height, image=image, station="Jazz café")


def changed(before: Planes, after: Planes, width: int = 640, height: int = 360) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the area in which two frames differ in brightness."""
    rows, columns = np.nonzero(np.abs(before[:height].astype(int) - after[:height]) > 16)
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 720), (1920, 1080), (640, 360), (720, 1280), (320, 240), (240, 240)]
)
def test_every_size_has_bars_at_the_bottom(width: int, height: int) -> None:
    drawn = picture(width, height)
    low, high = drawn.frame(NONE), drawn.frame(ALL)
    assert low.shape == high.shape == (height * 3 // 2, width)
    left, top, right, bottom = changed(low, high, width, height)
    assert 0 < left < width * 0.15
    assert width * 0.85 < right < width
    assert height * 0.7 < top < bottom < height


def test_each_bar_has_its_own_height() -> None:
    drawn = picture()
    one, half = NONE.copy(), NONE.copy()
    one[10], half[10] = 1, 0.5
    left, top, right, bottom = changed(drawn.frame(NONE), drawn.frame(one))
    assert right - left < 640 / BARS
    _, middle, _, _ = changed(drawn.frame(NONE), drawn.frame(half))
    assert abs((bottom - middle) - (bottom - top) / 2) <= 3


def test_chroma_changes_with_the_bars() -> None:
    drawn = picture()
    chroma = np.abs(drawn.frame(ALL)[360:].astype(int) - drawn.frame(NONE)[360:])
    assert chroma.max() > 16


def test_a_title_changes_only_its_area() -> None:
    drawn = picture()
    empty = drawn.frame(NONE)
    drawn.set_title("Slow Lantern")
    named = drawn.frame(NONE)
    _, top, right, bottom = changed(empty, named)
    assert right < 640 * 0.6
    assert 360 * 0.65 < top < bottom < 360 * 0.85
    drawn.set_title("Another Night")
    assert not np.array_equal(named, drawn.frame(NONE))
    drawn.set_title("")
    assert np.array_equal(empty, drawn.frame(NONE))


def test_a_long_title_is_shortened_before_the_stations_name() -> None:
    drawn = picture()
    empty = drawn.frame(NONE)
    drawn.set_title("A Title That Goes On and On, " * 10)
    _, _, right, _ = changed(empty, drawn.frame(NONE))
    assert right < 640 * 0.9


@pytest.mark.parametrize("title", ["Café, naïve – “Øst”", "Ночной поезд", "夜の雨", "\U0001f319", "", "\n"])
def test_titles_in_any_script_are_drawn(title: str) -> None:
    picture().set_title(title)


def test_the_bundled_font_has_accented_letters() -> None:
    drawn = picture()
    frames: list[npt.NDArray[np.uint8]] = []
    for title in ("éééé", "öööö", "––––"):
        drawn.set_title(title)
        frames.append(drawn.frame(NONE))
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[2])


def test_the_image_of_the_station_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "green.png"
    Image.new("RGBA", (300, 900), (0, 200, 0, 255)).save(path)
    top = picture(image=path).frame(NONE)[:100, :].mean()
    assert abs(top - picture().frame(NONE)[:100, :].mean()) > 10
    # BT.709, limited range: Y of (0, 200, 0) is 16 + 219 · 0.7152 · 200 / 255.
    assert abs(top - 139) < 3


def test_photos_are_shown_upright(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    photo = Image.new("RGB", (360, 640), "black")
    photo.paste("white", (0, 0, 360, 320))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 8  # the top of the file is the left of the picture
    photo.save(path, exif=exif)
    top = picture(image=path).frame(NONE)[:100]
    assert top[:, :300].mean() > 200
    assert top[:, 340:].mean() < 40


def test_an_unreadable_image_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "words.png"
    path.write_text("words")
    with pytest.raises(StreamError, match=r"words\.png"):
        picture(image=path)


@pytest.mark.parametrize("hertz", [60, 440, 3_000, 9_000])
def test_a_tone_raises_the_bars_of_its_frequency(hertz: float) -> None:
    spectrum = Spectrum(BARS, 30)
    tone = 0.25 * np.sin(2 * np.pi * hertz / SAMPLE_RATE * np.arange(8_192))
    spectrum.add((np.stack([tone, tone], 1) * 32_767).astype(np.int16))
    heights = spectrum.heights()
    edges = np.geomspace(45, 10_000, BARS + 1)
    assert abs(int(heights.argmax()) - int(np.searchsorted(edges, hertz)) + 1) <= 1
    assert heights.max() > 0.7
    assert np.count_nonzero(heights > 0.5) <= 8


def test_bars_fall_slowly_and_completely() -> None:
    spectrum = Spectrum(BARS, 30)
    spectrum.add(np.random.default_rng(1).normal(0, 8_000, (4_096, 2)).astype(np.int16))
    loud = spectrum.heights().copy()
    spectrum.add(np.zeros((4_096, 2), np.int16))
    soft = spectrum.heights().copy()
    assert loud.max() > 0.5
    assert (soft <= loud).all()
    assert (soft > loud - 0.1).all()
    for _ in range(30):
        spectrum.heights()
    assert spectrum.heights().max() == 0


def test_bars_are_raised_toward_the_treble() -> None:
    heights = []
    for hertz in (500, 8_000):
        spectrum = Spectrum(BARS, 30)
        tone = 0.01 * np.sin(2 * np.pi * hertz / SAMPLE_RATE * np.arange(8_192))
        spectrum.add((np.stack([tone, tone], 1) * 32_767).astype(np.int16))
        heights.append(spectrum.heights().max())
    # 3.5 dB per octave for four octaves, on a scale of 48 dB
    assert heights[1] - heights[0] == pytest.approx(4 * 3.5 / 48, abs=0.06)
