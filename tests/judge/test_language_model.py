"""The language model adapter against a stand-in server."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from radio.errors import JudgeError, SettingsError
from radio.judge.language_model import EXCERPT, LanguageModel
from radio.types import SAMPLE_RATE
from tests.judge.signals import tone

Answer = Callable[[dict[str, Any]], web.Response]


def completion(content: str) -> web.Response:
    return web.json_response({"choices": [{"message": {"role": "assistant", "content": content}}]})


@asynccontextmanager
async def stand_in(answer: Answer) -> AsyncIterator[tuple[str, list[tuple[dict[str, Any], str | None]]]]:
    requests: list[tuple[dict[str, Any], str | None]] = []

    async def complete(request: web.Request) -> web.Response:
        body = await request.json()
        requests.append((body, request.headers.get("Authorization")))
        return answer(body)

    app = web.Application(client_max_size=20_000_000)
    app.router.add_post("/v1/chat/completions", complete)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1")), requests


async def test_the_middle_of_the_audio_is_sent_and_scores_are_read() -> None:
    scores = {"balance": 4, "quality": 3.5, "match": 2, "comment": "soft\nand slow"}
    async with stand_in(lambda _: completion(f"Here it is: {json.dumps(scores)} Enjoy.")) as (address, requests):
        model = LanguageModel(f"{address}/", "ears", key="secret")
        opinion = await asyncio.to_thread(model.judge, tone(440, seconds=30), "rainy “night”")
    assert opinion.scores == {"balance": 4, "quality": 3.5, "match": 2}
    assert opinion.comment == "soft and slow"
    ((body, authorization),) = requests
    assert (body["model"], authorization) == ("ears", "Bearer secret")
    text, sound = body["messages"][0]["content"]
    assert "rainy “night”" in text["text"]
    with wave.open(io.BytesIO(base64.b64decode(sound["input_audio"]["data"]))) as file:
        assert file.getnframes() == EXCERPT * SAMPLE_RATE


async def test_the_question_about_words_is_left_out_without_words() -> None:
    async with stand_in(lambda _: completion('{"balance": 5, "quality": 1}')) as (address, requests):
        opinion = await asyncio.to_thread(LanguageModel(address, "ears").judge, tone(440))
    assert opinion.scores == {"balance": 5, "quality": 1}
    assert "match" not in requests[0][0]["messages"][0]["content"][0]["text"]
    assert requests[0][1] is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda _: completion("I cannot listen to audio."), "without scores"),
        (lambda _: completion('{"balance": 9, "quality": 1}'), "without scores"),
        (lambda _: web.Response(status=429, text="too many requests"), "429: too many requests"),
        (lambda _: web.json_response({"error": "no"}), "did not answer with a chat completion"),
        (lambda _: web.Response(text="<html>"), "did not answer with a chat completion"),
    ],
)
async def test_an_unusable_answer_is_described(answer: Answer, message: str) -> None:
    async with stand_in(answer) as (address, _):
        with pytest.raises(JudgeError, match=message):
            await asyncio.to_thread(LanguageModel(address, "ears").judge, tone(440))


async def test_an_unreachable_server_is_reported() -> None:
    async with stand_in(lambda _: completion("")) as (address, _):
        pass
    with pytest.raises(JudgeError, match="cannot be reached"):
        await asyncio.to_thread(LanguageModel(address, "ears").judge, tone(440))


def test_an_address_without_http_or_a_host_is_refused() -> None:
    for address in ("file:///etc/passwd", "localhost:8000", "http://"):
        with pytest.raises(SettingsError, match="is not an address"):
            LanguageModel(address, "ears")
