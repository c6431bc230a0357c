from __future__ import annotations

from radio.server.broadcast.now_playing import AiredTrack
from radio.server.http.allowance import Allowance
from radio.server.http.authorization import Authorization
from radio.server.routes import history
from tests.server.broadcast.test_worker_runs import aired_track
from tests.server.on_air import OnAir, on_air, until
from tests.server.routes.test_stations import get, patch

HISTORY = "/api/stations/tone/history"


def add_tracks(radio: OnAir, number: int) -> None:
    """Give the station tracks that began long ago."""
    first: AiredTrack = radio.tone.now_playing.tracks[0]
    radio.tone.runs[0].begins = -number
    radio.tone.now_playing.tracks.extendleft(aired_track(first.frame - 1 - index, index) for index in range(number))


async def test_pages_of_the_history_join_without_gaps() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.now_playing.tracks)
        add_tracks(radio, 120)
        _, whole = await get(radio, f"{HISTORY}?limit=256")
        frames = [track["frame"] for track in whole["tracks"]]
        assert len(frames) == 121
        pages: list[int] = []
        page = (await get(radio, HISTORY))[1]["tracks"]
        while page:
            assert len(page) <= 50
            pages += [track["frame"] for track in page]
            page = (await get(radio, f"{HISTORY}?before={max(0, pages[-1])}"))[1]["tracks"] if pages[-1] > 0 else []
        assert pages == frames[: len(pages)]


async def test_a_response_has_the_latest_change_even_though_responses_are_shared() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.now_playing.tracks)
        for tempo in (71, 72, 73):
            await patch(radio, f'{{"tempo": {tempo}}}')
            (run,) = (await get(radio, HISTORY))[1]["runs"]
            assert run["changes"][-1]["controls"]["tempo"] == tempo


async def test_the_number_of_requests_by_a_guest_is_limited() -> None:
    async with on_air(authorization=Authorization(control=True, token="sesame")) as radio:
        radio.app[history.ANSWERS].allowance = Allowance(3, 60.0, lambda: 0.0)
        assert [(await get(radio, HISTORY))[0] for _ in range(5)] == [200, 200, 200, 429, 429]
        async with radio.http.get(radio.root + HISTORY, headers={"Authorization": "Bearer sesame"}) as response:
            assert response.status == 200
