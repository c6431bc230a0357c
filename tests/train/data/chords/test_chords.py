"""From numerals, labels and words to chord sheets for training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from radio.compose.loop_rules import signature
from radio.errors import SettingsError
from radio.music.chords import NO_CHORD, parse_chord
from radio.music.parts import CHORDS
from radio.music.vocab import NAMES, START
from radio.paths import STATIONS
from radio.settings.config import load
from radio.types import MOODS
from train.data.chords import roman, standards
from train.data.chords.chord_corpus import mood_guess, read_progressions, written_sheets
from train.data.chords.moods import MoodGuess, features, moods_of
from train.data.chords.sheet import SHEET_BARS, by_halves, mode_of, sheet
from train.data.vocabulary import RowTable, known_tokens
from train.metrics.loop_variety import main_loop, tracks, variety


def chords(words: str) -> list[object]:
    return [parse_chord(word) for word in words.split()]


@pytest.mark.parametrize(
    ("mode", "numerals", "expected"),
    [
        ("major", "I vi ii V", "C Am Dm G"),
        ("major", "vii iii", "Bm7b5 Em"),  # a small vii is diminished in its scale
        ("minor", "i ii v VI", "Am Bm7b5 Em F"),
        ("minor", "i7 VI7 III7 VII iv7", "Am7 Fmaj7 Cmaj7 G Dm7"),  # 7 is the key's own seventh
        ("major", "I7 Idom7 V7 IV7", "Cmaj7 C7 G7 Fmaj7"),
        ("modal", "I bVIIM bVIM IV", "C Bb Ab F"),
        ("modal", "im bVIIM IV im", "Am G D Am"),  # minor if its tonic is
        ("modal", "I I7 Idom7 IV ivm I ivm6 Vdom7", "C Cmaj7 C7 F Fm C Dm7b5 G7"),
        ("major", "IM-5 Vsus2 viadd9 VI69", "C7 Gsus Am9 A6"),
    ],
)
def test_numerals_are_chords_of_c_major_or_a_minor(mode: str, numerals: str, expected: str) -> None:
    assert roman.chords_of(mode, numerals.split()) == chords(expected)


@pytest.mark.parametrize("numeral", ["XI", "H", "Iqq", ""])
def test_an_unknown_numeral_is_an_error(numeral: str) -> None:
    with pytest.raises(SettingsError, match="unknown ending" if numeral == "Iqq" else "is not a Roman"):
        roman.chords_of("major", [numeral])


def test_words_become_moods_and_unknown_words_are_an_error() -> None:
    assert moods_of(["Nostalgic", "Tender"]) == ("calm", "warm", "nostalgic")
    assert moods_of(["Cadence"]) == ()
    with pytest.raises(SettingsError, match="unknown mood word 'Gloomy'"):
        moods_of(["Gloomy"])


def test_a_mood_guess_follows_its_examples() -> None:
    bright, gloomy = features("major", chords("C F G")), features("minor", chords("Am Dm Em"))  # type: ignore[arg-type]
    guess = MoodGuess([(bright, ["hopeful"])] * 10 + [(gloomy, ["sad"])] * 10)
    for examples, mood in ((bright, "hopeful"), (gloomy, "sad")):
        shares = guess.shares(examples)
        assert max(shares, key=lambda name: shares[name]) == mood
        assert sum(shares.values()) == pytest.approx(1)
        assert set(shares) == set(MOODS)


def test_beats_become_half_bars_without_anticipations_or_gaps() -> None:
    c, g, dim = parse_chord("C"), parse_chord("G"), parse_chord("Dbdim")
    assert by_halves([c, c, c, g, g, g, g, g]) == [c, c, g, g], "G on beat 4 anticipates the next bar"
    assert by_halves([c, c, c, dim, g, g, g, g]) == [c, dim, g, g], "a passing chord on beat 4 is kept"
    assert by_halves([c, c, NO_CHORD, NO_CHORD]) == [c, c]


def test_the_mode_follows_the_time_spent_on_the_tonic() -> None:
    assert mode_of(chords("C G Am F")) == "major"  # type: ignore[arg-type]
    assert mode_of(chords("Am F E7 Am")) == "minor"  # type: ignore[arg-type]


@pytest.fixture
def progressions(tmp_path: Path) -> Path:
    rows = [
        {"mode": "major", "numerals": ["I", "vi", "ii", "V"], "moods": ["Hopeful"]},
        {"mode": "minor", "numerals": ["i", "VI", "III"], "moods": ["Sad", "Nostalgic"]},
        {"mode": "modal", "numerals": ["bVIIM", "V7", "I"], "moods": ["Cadence"]},
    ]
    path = tmp_path / "progressions.json"
    path.write_text(json.dumps(rows))
    return path


def test_progressions_become_sheets_of_known_tokens(progressions: Path) -> None:
    table = RowTable(CHORDS, known_tokens(CHORDS))
    for made in written_sheets(read_progressions(progressions)):
        assert made.loop.bars == SHEET_BARS
        rich = made.enrich(0)
        assert rich.tokens() == made.enrich(0).tokens()
        assert rich.tokens()[0] == START
        rows = table.rows(np.array(rich.tokens(), dtype=np.uint16))
        forced = [NAMES[table.tokens[row]] for row in rows if table.forced[row]]
        assert forced in (["<start>", f"<mode:{made.mode}>"], ["<start>", f"<mode:{made.mode}>", f"<mood:{rich.mood}>"])


def test_a_progression_of_three_chords_is_a_loop_of_four_bars(progressions: Path) -> None:
    sheets = [
        sheet for sheet in written_sheets(read_progressions(progressions)) if sheet.name.startswith("progressions/001/")
    ]
    bars = sheets[0].loop.names()
    assert bars[:8] == ["Am", "F", "C", "C", "Am", "F", "C", "C"]


def test_the_mood_guess_learns_from_training_progressions_only(progressions: Path) -> None:
    held_out, *_ = read_progressions(progressions)
    assert held_out.split == "validation"
    shares = mood_guess(read_progressions(progressions)).shares(features("minor", chords("Am F C")))  # type: ignore[arg-type]
    assert min(shares["sad"], shares["nostalgic"]) > shares["hopeful"]


def test_only_triads_are_enriched_and_held_chords_stay_the_same() -> None:
    plain = [parse_chord(name) for name in ("C", "C", "C7", "F") for _ in range(4)] * 4
    for variant in range(5):
        rich = sheet("test", "train", plain, "major").enrich(variant).chords
        assert rich[0] == rich[4], "the chord is held over the bar line"
        assert rich[8] == parse_chord("C7")
        assert rich[0].quality in ("maj7", "maj9", "6")


def test_a_held_dominant_may_become_a_suspension_at_the_bar_line() -> None:
    plain = [parse_chord(name) for name in ("G", "G", "C", "Am") for _ in range(4)] * 4
    rich = [sheet("test", "train", plain, "major").enrich(variant).chords for variant in range(30)]
    assert {(chords[3].quality, chords[4].quality) for chords in rich} >= {("dom7", "dom7"), ("dom7", "sus")}


@pytest.mark.parametrize("text", ["", "{}", '[{"mode": "major"}]'])
def test_a_file_without_progressions_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(SettingsError, match="not a list of progressions"):
        read_progressions(tmp_path / "p.json")


def test_variety_counts_every_track() -> None:
    examples = tracks(load(STATIONS).stations["chill"], hours=0.2, mood="sad", seed=3)
    figures = variety([*examples, examples[0]])
    assert figures.tracks == len(examples) + 1
    assert figures.distinct == len({signature(main_loop(track)) for track in examples})
    assert (figures.soonest, figures.longest, figures.minor) == (len(examples), 2, 1.0)
    assert sum(figures.qualities.values()) == pytest.approx(1)
    assert 0.5 < figures.chords_per_bar < 2


def table(path: Path, *rows: str) -> Path:
    path.write_text("compid,section,key,date,time,chord,duration\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_standards_become_sheets_in_c_with_style_and_sections(tmp_path: Path) -> None:
    theme = [f"3,A,F-maj,1940,4/4,{chord},4.0" for chord in ("Gmin7", "C79b", "Fmaj711#", "D7+") * 2]
    bridge = [f"3,B,F-maj,1940,4/4,{chord},2.0" for chord in ("Bo7", "Em7b5", "A7sus", "NC") * 4]
    (tune,) = standards.read_tunes(table(tmp_path / "irb.csv", *theme, *bridge, "4,A,C-maj,1950,3/4,C6,3.0"))
    guess = MoodGuess([(features("major", chords("C F G")), ["hopeful"])])  # type: ignore[arg-type]
    (made,) = standards.tune_sheets(tune, guess)
    assert [str(chord) for chord in made.chords[:16:4]] == ["Dm7", "G7", "Cmaj7", "A7"]
    assert made.bridges == (False,) * 8 + (True,) * 8
    ids = made.enrich(0).tokens()
    tokens = [NAMES[token] for token in ids]
    assert tokens[tokens.index("<s:jazz>") + 1] == "<section:A>"
    assert tokens.count("<section:B>") == 1
    table_of_rows = RowTable(CHORDS, known_tokens(CHORDS))
    forced = table_of_rows.forced[table_of_rows.rows(np.array(ids, np.uint16))]
    assert {"<s:jazz>", "<section:A>", "<section:B>"} <= {
        name for name, host in zip(tokens, forced, strict=True) if host
    }


def test_an_invalid_table_of_standards_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unknown ending 'x7'"):
        standards.read_tunes(table(tmp_path / "irb.csv", "1,A,C-maj,1940,4/4,Cx7,4.0"))
    with pytest.raises(SettingsError, match=r"not a table of jazz standards .*'x'"):
        standards.read_tunes(table(tmp_path / "irb.csv", "1,A,C-maj,1940,4/4,C7,x"))
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SettingsError, match="lacks the columns"):
        standards.read_tunes(tmp_path / "other.csv")
