from __future__ import annotations

from typing import Any

from tests.server.on_air import OnAir, on_air, until
from tests.server.routes.test_stations import get


async def describe(radio: OnAir, **body: object) -> tuple[int, Any]:
    async with radio.http.post(f"{radio.root}/api/stations/tone/prompt", json=body) as response:
        return response.status, await response.json()


async def test_words_change_a_station_over_four_bars() -> None:
    async with on_air() as radio:
        status, answer = await describe(radio, text="slow, no drums, purple saxophone")
        assert status == 200
        assert answer["not_understood"] == ["purple", "saxophone"]
        assert [phrase["controls"] for phrase in answer["phrases"]] == [{"tempo": 66}, {"drums_mute": True}, {}, {}]
        assert answer["phrases"][0]["text"] == "slow"
        assert (answer["phrases"][0]["start"], answer["phrases"][0]["end"]) == (0, 4)
        assert {name: control["value"] for name, control in answer["controls"].items()} == {
            "tempo": 66, "drums_mute": True,
        }  # fmt: skip
        assert (await get(radio, "/api/stations/tone"))[1]["controls"]["tempo"]["value"] == 66
        await until(lambda: len(radio.tone.runs[-1].changes) == 5)
        mute, *steps = sorted(radio.tone.runs[-1].changes, key=lambda change: "tempo" in change.controls)
        assert mute.controls == {"drums_mute": True}
        assert [step.controls for step in steps] == [{"tempo": 76.5}, {"tempo": 73}, {"tempo": 69.5}, {"tempo": 66}]
        assert [step.bar for step in steps] == list(range(steps[0].bar, steps[0].bar + 4))
        frames = [change.frame for change in (mute, *steps)]
        assert frames == sorted(frames)


async def test_a_manual_change_of_a_control_ends_its_gradual_change() -> None:
    async with on_air() as radio:
        await describe(radio, text="fast, dull", bars=3)
        await radio.tone.change_controls({"tempo": 60})
        assert radio.tone.controls.tempo == 60
        assert all("tempo" not in step for _, step in radio.tone.runs[-1]._expected)


async def test_a_prompt_without_known_words_or_with_invalid_fields_changes_nothing() -> None:
    async with on_air() as radio:
        before = radio.tone.controls
        status, answer = await describe(radio, text="purple elephants")
        assert (status, answer["controls"], answer["not_understood"]) == (200, {}, ["purple elephants"])
        status, answer = await describe(radio, text="")
        assert (status, answer["error"]["field"]) == (422, "text")
        assert answer["error"]["allowed"] == "a text of 1 to 1000 characters"
        status, answer = await describe(radio, text="slow", bars=99)
        assert (status, answer["error"]["field"]) == (422, "bars")
        assert radio.tone.controls == before
