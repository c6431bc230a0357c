from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from radio.audio.decoding import read
from radio.judge.measures import measure
from radio.server.survey import app as survey_app
from radio.server.survey.app import Survey, build
from radio.server.survey.pairs import read_pairs
from radio.server.survey.passages import LOUDNESS, passage_path, prepare
from radio.server.survey.store import Store
from tests.server.survey.folders import make_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_folder(tmp_path_factory.mktemp("survey"))
    (folder / "passages").mkdir()
    prepare(read_pairs(folder), folder / "passages", seconds=3.0)
    return folder


@pytest.fixture
def survey(folder: Path, tmp_path: Path) -> Iterator[Survey]:
    with Store(tmp_path / "answers.sqlite") as store:
        yield Survey("Keys", read_pairs(folder), folder / "passages", store, seed=5, count=12)


@pytest.fixture
async def client(survey: Survey) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(build(survey))) as client:
        yield client
    await survey.close()


async def begin(client: TestClient[Any, Any]) -> dict[str, Any]:
    response = await client.post("/api/visits")
    assert response.status == 201
    visit: dict[str, Any] = await response.json()
    return visit


def test_all_passages_have_the_same_loudness_and_the_requested_length(folder: Path) -> None:
    for number in range(2):
        for index in range(2):
            measures = measure(read(passage_path(folder / "passages", number, index)))
            assert measures.loudness == pytest.approx(LOUDNESS, abs=0.2)
            assert measures.seconds == 3


async def test_a_visit_gets_pairs_whose_addresses_do_not_reveal_the_condition(client: TestClient[Any, Any]) -> None:
    visit = await begin(client)
    assert visit["title"] == "Keys"
    assert sorted(pair["words"] or "" for pair in visit["pairs"]) == ["", "a rainy night <3"]
    text = json.dumps(visit)
    assert "felt" not in text
    assert "rhodes" not in text
    for pair in visit["pairs"]:
        responses = [await client.get(f"/{pair[side]}") for side in "ab"]
        assert [response.content_type for response in responses] == ["audio/flac"] * 2
        first, second = [await response.read() for response in responses]
        assert first != second


async def test_answers_name_the_condition_that_the_listener_heard(
    client: TestClient[Any, Any], survey: Survey, folder: Path
) -> None:
    swapped = set()
    for _ in range(6):
        visit = await begin(client)
        for pair in visit["pairs"]:
            body = {"listener": visit["listener"], "place": pair["place"], "balance": "a", "quality": "same"}
            assert (await client.post("/api/answers", json=body)).status == 204
            audio = await (await client.get(f"/{pair['a']}")).read()
            answers = {
                answer.question: answer for answer in survey.store.answers() if answer.listener == visit["listener"]
            }
            winner = survey.store.answers()[-2]
            index = winner.conditions.index(winner.winner)
            number = [one.name for one in survey.pairs].index(winner.pair)
            assert audio == passage_path(folder / "passages", number, index).read_bytes()
            assert answers["quality"].winner == ""
            swapped.add(winner.swapped)
    assert swapped == {True, False}


async def test_orders_are_stored_with_their_seed(client: TestClient[Any, Any], tmp_path: Path) -> None:
    visit = await begin(client)
    with sqlite3.connect(tmp_path / "answers.sqlite") as connection:
        ((name, number, seed, pairs),) = connection.execute(
            "SELECT name, number, seed, pairs FROM listeners"
        ).fetchall()
    assert (name, number, seed) == (visit["listener"], 0, 5)
    assert {row["pair"] for row in json.loads(pairs)} == {"day", "night"}


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"listener": "unknown"}, 404, "no such pair"),
        ({"place": 2}, 404, "no such pair"),
        ({"place": -1}, 422, "place"),
        ({"balance": "c"}, 422, "balance: c is not a, b or same"),
        ({"winner": "felt"}, 422, "there is no field 'winner'"),
    ],
)
async def test_wrong_answers_are_refused(
    client: TestClient[Any, Any], survey: Survey, change: dict[str, Any], status: int, words: str
) -> None:
    visit = await begin(client)
    body = {"listener": visit["listener"], "place": 0, "balance": "a", "quality": "b"} | change
    response = await client.post("/api/answers", json=body)
    assert response.status == status
    assert words in (await response.json())["error"]["message"]
    assert survey.store.answers() == []


async def test_only_pairs_with_words_accept_an_answer_about_them(client: TestClient[Any, Any]) -> None:
    visit = await begin(client)
    for pair in visit["pairs"]:
        body = {"listener": visit["listener"], "place": pair["place"], "balance": "a", "quality": "b", "match": "a"}
        response = await client.post("/api/answers", json=body)
        assert response.status == (422 if pair["words"] is None else 204)


async def test_pages_of_other_sites_cannot_answer(client: TestClient[Any, Any]) -> None:
    response = await client.post("/api/visits", headers={"Origin": "https://elsewhere.example"})
    assert response.status == 403


async def test_a_full_survey_refuses_visits(client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey_app, "MOST_LISTENERS", 1)
    await begin(client)
    response = await client.post("/api/visits")
    assert response.status == 503


async def test_only_the_page_and_its_files_are_served(client: TestClient[Any, Any]) -> None:
    page = await (await client.get("/")).text()
    for address in ("web/survey.js", "web/survey.css", "web/base.css", "web/icon.svg"):
        assert address in page
        assert (await client.get(f"/{address}")).status == 200
    for address in ("/web/page.js", "/api/stations", "/answers.sqlite", "/audio/x/0/a.flac"):
        assert (await client.get(address)).status == 404
