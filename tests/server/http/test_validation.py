from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from radio.server.api.controls import ControlPatch
from radio.server.api.tracks import TrackOrder
from radio.server.http.problems import ProblemError
from radio.server.http.query import SID
from radio.server.http.validation import read_object, read_text
from tests.server.on_air import on_air


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"station": "chill", "secnods": 5}, "there is no field 'secnods'. Did you mean 'seconds'?"),
        ({"seconds": 5}, "station is missing: it must be one of chill, study"),
        ({"station": "chill", "seconds": 4.9}, "seconds: 4.9 is not a number from 5 to 600"),
        ({"station": "chill", "count": "2"}, "count: 2 is not a whole number from 1 to 8"),
        (
            {"station": "chill", "formats": ["mp3", "ogg"]},
            "formats: ['mp3', 'ogg'] is not a list of one or more of mp3",
        ),
        ({"station": "chill", "instrument": 200}, "instrument: 200 is not a General MIDI name or number, 0 to 127"),
        ({"station": "chill", "controls": []}, "controls: [] is not an object of controls"),
    ],
)
def test_an_error_names_the_wrong_field_and_its_allowed_values(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_object(value, TrackOrder, allowed={"station": "one of chill, study"})
    assert caught.value.status == 422
    assert str(caught.value).startswith(message)


def test_a_subclass_of_dict_is_not_checked() -> None:
    patch = read_object({"tempo": 400}, ControlPatch)
    assert isinstance(patch, ControlPatch)
    assert patch == {"tempo": 400}


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "-1", "101", "", "two", "٣", "1_0", "9" * 5_000])
@pytest.mark.parametrize("type_", [float, int])
def test_numbers_outside_their_range_are_refused(text: str, type_: type) -> None:
    with pytest.raises(ProblemError, match="number from 0 to 100"):
        read_text("limit", text, Annotated[type_, Meta(ge=0, le=100)])


def test_text_is_converted_to_its_type() -> None:
    assert read_text("limit", "7", Annotated[int, Meta(ge=0, le=100)]) == 7
    assert read_text("seconds", "7.5", float) == 7.5
    assert read_text("format", "wav", Literal["wav", "mp3"]) == "wav"
    with pytest.raises(ProblemError, match="one of mp3, wav"):
        read_text("format", "ogg", Literal["wav", "mp3"])


@pytest.mark.parametrize("text", ["a\n", "a b", "", "ü", "a" * 65])
def test_names_of_streams_are_restricted(text: str) -> None:
    with pytest.raises(ProblemError, match="1 to 64 letters"):
        read_text("sid", text, SID.type)


async def test_whole_numbers_may_be_written_as_floats() -> None:
    async with on_air(start=False) as radio:
        order = json.dumps({"station": "tone", "seconds": 5, "formats": ["mid"]})[:-1] + ', "count": 2.0, "seed": 1e3}'
        headers = {"Content-Type": "application/json"}
        async with radio.http.post(f"{radio.root}/api/tracks", data=order, headers=headers) as response:
            assert response.status == 202
            assert (await response.json())["seeds"] == [1_000, 1_001]
