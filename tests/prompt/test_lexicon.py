from __future__ import annotations

from pathlib import Path

import pytest

from radio.prompt.concepts import CONCEPTS
from radio.prompt.facets import SCALES
from radio.prompt.lexicon import FOLDER, cyrillic, read

LANGUAGES = ("de", "en", "es", "fa", "fr", "ja", "pt", "ru", "sr", "zh")


def test_all_languages_have_instruments_moods_and_weather() -> None:
    assert tuple(sorted(path.stem for path in FOLDER.glob("*.toml"))) == LANGUAGES
    common = {
        "more", "less", "very", "drums", "bass", "guitar", "flute", "rain", "waves", "wind", "fire", "slow",
        "fast", "sad", "happy", "calm", "warm", "dark", "dreamy", "night", "morning", "minor", "major",
    }  # fmt: skip
    for language in LANGUAGES:
        concepts = set(read(FOLDER / f"{language}.toml"))
        assert common - concepts == set(), language
        assert concepts & {"no", "off"}, language


def test_english_has_words_for_every_concept() -> None:
    assert set(CONCEPTS) - set(read(FOLDER / "en.toml")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_has_an_entry_twice(language: str) -> None:
    entries = [entry for words in read(FOLDER / f"{language}.toml").values() for entry in words]
    assert sorted({entry for entry in entries if entries.count(entry) > 1}) == []
    assert "" not in entries


def test_an_unknown_concept_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "xx.toml"
    path.write_text('rian = "rain"')
    with pytest.raises(ValueError, match=r"there is no concept rian"):
        read(path)


def test_serbian_is_read_in_both_scripts() -> None:
    assert cyrillic("kiša") == "киша"
    assert cyrillic("ljubav") == "љубав"


def test_scales_are_ascending() -> None:
    for scale in SCALES.values():
        assert list(scale.values) == sorted(scale.values)
        assert scale.at(-9) == scale.values[0]
        assert scale.at(0) == scale.neutral
