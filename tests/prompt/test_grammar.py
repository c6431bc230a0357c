from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.prompt.facets import Facet, FacetValue
from radio.prompt.grammar import read
from radio.prompt.tokens import tokens_of
from radio.prompt.wishes import wishes_of


def facets(prompt: str) -> dict[str, FacetValue]:
    return {facet.aspect: facet.value for facet in wishes_of(read(prompt)).facets.values()}


def unknown(prompt: str) -> list[str]:
    return [phrase.text for phrase in wishes_of(read(prompt)).phrases if phrase.reason]


@pytest.mark.parametrize(
    ("prompt", "aspect", "value"),
    [
        ("72 bpm", "tempo", 72),
        ("at 72.5", "tempo", 72.5),
        ("seventy-two beats per minute", "tempo", 72),
        ("a hundred bpm", "tempo", 100),
        ("60-66 bpm", "tempo", 63),
        ("between 60 and 70 bpm", "tempo", 65),
        ("in the low eighties, tempo of 81", "tempo", 81),
        ("۷۲ ضرب", "tempo", 72),
        ("七十二拍", "tempo", 72),
        ("swing 60 %", "swing", 60),
        ("slow, 72 bpm", "tempo", 72),
    ],
)
def test_numbers(prompt: str, aspect: str, value: float) -> None:
    assert facets(prompt)[aspect] == value


@pytest.mark.parametrize(
    ("prompt", "change"),
    [
        ("5 bpm faster", 5),
        ("a piano, 10 bpm slower", -10),
        ("faster by 5 bpm", 5),
        ("slower by 6", -6),
        ("um 5 bpm schneller", 5),
        ("+5 bpm", 5),
        ("-5 bpm", -5),
    ],
)
def test_a_number_next_to_a_comparison_or_a_sign_changes_the_tempo(prompt: str, change: float) -> None:
    (facet,) = [facet for facet in wishes_of(read(prompt)).facets.values() if facet.aspect == "tempo"]
    assert (facet.relative, facet.value) == (True, change)
    assert unknown(prompt) == []


@pytest.mark.parametrize("prompt", ["lofi - 70 bpm", "slower, 70 bpm", "70 bpm"])
def test_an_absolute_tempo_is_not_a_relative_change(prompt: str) -> None:
    assert facets(prompt)["tempo"] == 70


@pytest.mark.parametrize(
    ("prompt", "key", "mode"),
    [
        ("in D minor", "D", "minor"),
        ("F#m", "F#", "minor"),
        ("Bb major", "Bb", "major"),
        ("b flat major", "Bb", "major"),
        ("key of A", "A", None),
        ("in A minor", "A", "minor"),
        ("in a minor key", None, "minor"),
        ("d-Moll", "D", "minor"),
        ("Es-Dur", "Eb", "major"),
        ("en ré mineur", "D", "minor"),
        ("la menor", "A", "minor"),
        ("ре минор", "D", "minor"),
        ("ニ短調", "D", "minor"),
        ("a calm day", None, None),
    ],
)
def test_keys(prompt: str, key: str | None, mode: str | None) -> None:
    assert facets(prompt).get("key") == key
    assert facets(prompt).get("mode") == mode


@pytest.mark.parametrize(
    ("prompt", "silent"),
    [
        ("no drums", {"drums"}),
        ("without drums or bass", {"drums", "bass"}),
        ("no drums and bass", {"drums", "bass"}),
        ("no drums, bass or vinyl", {"drums", "bass", "vinyl"}),
        ("no drums, rain", {"drums"}),
        ("no drums and no rain", {"drums", "rain"}),
        ("no drums but bass", {"drums"}),
        ("drums and bass off", {"drums", "bass"}),
        ("not too loud drums", set()),
        ("ドラムとベースなし", {"drums", "bass"}),
        ("no more drums", {"drums"}),
        ("bez bubnjeva", {"drums"}),
        ("без бубњева", {"drums"}),
    ],
)
def test_negations_apply_to_the_layers_that_a_person_means(prompt: str, silent: set[str]) -> None:
    assert {aspect for aspect, value in facets(prompt).items() if value == "off"} == silent


def test_only_silences_the_layers_that_are_not_named() -> None:
    heard = facets("only felt piano and rain")
    assert (heard["keys"], heard["rain"]) == ("felt piano", "on")
    assert {heard[layer] for layer in ("bass", "drums", "lead", "vinyl")} == {"off"}
    assert "drums" not in facets("rain, just kidding")


def test_adjectives_apply_to_the_layer_next_to_them() -> None:
    assert facets("the bass louder and the rain quieter") == {
        "bass": "on", "bass.level": 5, "rain": "on", "rain.level": -5,
    }  # fmt: skip
    assert facets("busy drums, sparse piano") == {
        "drums": "on", "drums.density": 0.75, "keys": "upright piano", "density": 0.25,
    }  # fmt: skip
    assert "rain.level" in facets("pluie douce, piano")
    assert "keys.level" not in facets("pluie douce, piano")


def test_degrees_are_in_order() -> None:
    words = ("extremely slow", "slow", "a bit slow", "not too fast", "a bit fast", "fast", "very fast")
    tempos = [float(facets(word)["tempo"]) for word in words]
    assert tempos == sorted(tempos)
    assert tempos[0] < 60 < tempos[1] < 78 < tempos[-2] < tempos[-1]


def test_comparisons_are_relative() -> None:
    assert wishes_of(read("a bit slower")).facets["tempo"] == Facet("tempo", -4, relative=True)
    assert float(facets("much slower")["tempo"]) < float(facets("slower")["tempo"])
    assert float(facets("it is too fast")["tempo"]) < 0


def test_two_melodic_instruments_take_two_parts() -> None:
    assert facets("guitar and flute") == {"keys": "nylon guitar", "lead": "flute"}
    assert facets("piano and guitar") == {"keys": "upright piano", "lead": "nylon guitar"}
    assert facets("flute instead of whistle") == {"lead": "flute"}
    assert unknown("rhodes and wurlitzer") == ["wurlitzer"]


def test_words_without_an_effect_are_reported() -> None:
    assert unknown("purple elephants, rain, with reverb and a saxophone") == ["purple elephants", "reverb", "saxophone"]
    assert unknown("20 minutes of rain") == ["20 minutes"]
    assert unknown("make it more") == ["more"]
    assert unknown("play some nice music please") == []
    assert unknown("a tuba instead") == ["tuba"]


@pytest.mark.parametrize(
    "prompt",
    [
        "in a small café", "in einem kleinen Café", "dans un petit café", "en un pequeño café", "num café pequeno",
        "در کافه کوچک", "в маленьком кафе", "u malom kafiću", "在小咖啡馆里", "小さなカフェ",
    ],
)  # fmt: skip
def test_a_small_cafe_is_a_cafe_in_every_language(prompt: str) -> None:
    assert unknown(prompt) == []
    assert facets(prompt)["cafe"] == "on"


def test_the_text_of_a_phrase_is_the_prompt_at_its_span() -> None:
    prompt = "Rainy night, très lent, 悲しいピアノ、 but NO drums"
    for phrase in read(prompt).phrases:
        assert prompt[phrase.span.start : phrase.span.end] == phrase.text


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_any_text_is_read(text: str) -> None:
    for phrase in wishes_of(read(text)).phrases:
        assert text[phrase.span.start : phrase.span.end] == phrase.text


WORDS = "no drums and soft , . very piano only more 72 bpm or rain bass off less slow but"


@given(st.lists(st.sampled_from(WORDS.split())))
@settings(max_examples=60, deadline=None)
def test_words_in_any_order_are_read(words: list[str]) -> None:
    prompt = " ".join(words)
    spans = [phrase.span for phrase in read(prompt).phrases]
    assert spans == sorted(spans, key=lambda span: span.start)


def test_persian_words_are_the_same_with_and_without_joiners() -> None:
    assert facets("غم‌انگیز") == facets("غم انگیز") == {"mood": "sad", "mode": "minor"}


def test_forms_ignore_case_accents_and_width() -> None:
    assert [token.form for token in tokens_of("CAFÉ　７２ lo-fi Жёлтый")] == ["cafe", "72", "lo", "fi", "желтыи"]
