from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from radio.errors import SettingsError
from radio.judge import table
from radio.judge.report import html
from radio.judge.score import Score, compare, halves, references, score, score_blocks
from radio.judge.tagger import Tagger, load
from tests.judge.signals import noise, tone, write


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load()


@pytest.fixture(scope="module")
def scores(tagger: Tagger) -> list[Score]:
    tones = np.concatenate([tone(hertz, -20, 3.0) for hertz in (220, 330, 440, 550, 660)])
    return [score_blocks(Path("tones.wav"), [tones], tagger), score_blocks(Path("a|b.wav"), [noise(-20, 16)], tagger)]


def test_a_file_and_its_audio_have_the_same_score(tmp_path: Path, tagger: Tagger) -> None:
    audio = tone(440, -20, 4.0)
    path = write(tmp_path / "tone.wav", audio)
    assert score(path, tagger).tags == pytest.approx(score_blocks(path, [audio], tagger).tags, abs=1e-3)


def test_a_recording_is_closer_to_itself_than_to_another(scores: list[Score]) -> None:
    tones, noises = scores
    same, other = compare([tones], [tones]), compare([tones], [noises])
    assert same.frechet == pytest.approx(0, abs=1e-3)
    assert other.frechet is not None
    assert other.frechet > 50
    assert other.told_apart == 1
    assert halves([noises]) is not None


def test_a_recording_that_is_too_short_is_not_compared(tagger: Tagger, scores: list[Score]) -> None:
    short = score_blocks(Path("short.wav"), [noise(-20, 4)], tagger)
    assert compare([short], scores) == (None, None)
    assert halves([short]) is None


def test_references_are_the_readable_audio_files(tmp_path: Path, tagger: Tagger) -> None:
    (tmp_path / "album").mkdir()
    write(tmp_path / "album" / "tone.WAV", tone(440, -20, 3.0))
    (tmp_path / "broken.mp3").write_text("no audio")
    (tmp_path / "notes.txt").write_text("no audio")
    assert [one.path.name for one in references(tmp_path, tagger)] == ["tone.WAV"]


def test_a_folder_without_audio_is_refused_with_the_reasons(tmp_path: Path, tagger: Tagger) -> None:
    (tmp_path / "broken.mp3").write_text("no audio")
    with pytest.raises(SettingsError, match=r"contains no readable audio file(.|\n)*broken\.mp3"):
        references(tmp_path, tagger)
    with pytest.raises(SettingsError, match="is not a folder"):
        references(tmp_path / "missing", tagger)


def test_a_table_has_a_column_for_each_recording(tagger: Tagger, scores: list[Score]) -> None:
    comparisons = [compare([one], scores) for one in scores]
    lines = table.markdown(scores, tagger.names, scores, comparisons).splitlines()
    assert {line.count("|") for line in lines} == {5}
    assert lines[0].split("|")[3].strip() == "a/b.wav"
    assert "rock" in "".join(lines)
    assert "told apart" in lines[-1]


class Reader(HTMLParser):
    """A parser that collects tags and checks their nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "i", "line", "polyline"):
            self.open.append(tag)
        assert not any(name in ("src", "href") or name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_a_report_is_one_file_without_scripts(tagger: Tagger, scores: list[Score]) -> None:
    markdown = table.markdown(scores, tagger.names, differences=True)
    page = html(scores, tagger.names, markdown, "a < b")
    reader = Reader()
    reader.feed(page)
    assert reader.tags.count("svg") == 4
    assert reader.tags.count("tr") == len(markdown.splitlines()) - 1
    assert "script" not in reader.tags
    assert "a &lt; b" in page
    assert not reader.open
