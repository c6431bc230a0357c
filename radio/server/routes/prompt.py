"""`/api/stations/{station}/prompt`: change a playing station with words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from radio.prompt.changes import Understanding, steps, understand
from radio.server.api.prompt import Prompt, PromptAnswer, PromptPhrase
from radio.server.api.station import LandedControl
from radio.server.broadcast.channels import channel_of
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.body import read_body
from radio.server.http.operation import operation
from radio.server.http.request_log import log_controls
from radio.server.http.responses import json_response
from radio.types import SAMPLE_RATE, Landing

_HEADERS: Final = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}


def routes() -> list[web.RouteDef]:
    """Return the route."""
    return [web.post("/api/stations/{station}/prompt", prompt_station)]


@operation(
    "Describe the music",
    tag="control",
    body=Prompt,
    answer=PromptAnswer,
    guarded=True,
    problems={503: "The station is being restarted."},
)
async def prompt_station(request: web.Request) -> web.Response:
    """Describe the music in words.

    The words become control values. The response lists these for each phrase, and names the phrases without an audible
    effect. Numbers move to their new values over `bars` bars; everything else changes at the next bar or immediately.
    Each control can be changed by hand afterward, which ends its movement.
    """
    channel = channel_of(request)
    request.app[AUTHORIZATION].require(request)
    prompt = await read_body(request, Prompt, example='{"text": "slow, rain, no drums"}')
    present = channel.controls
    understanding = await asyncio.to_thread(understand, prompt.text, channel.settings, present, live=True)
    landings: Mapping[str, Landing] = {}
    if understanding.changes:
        first, *later = steps(understanding, present, prompt.bars)
        landings = await channel.change_controls(first, later)
        log_controls(request, channel.settings.name, understanding.changes)
    return json_response(_answer(understanding, landings, prompt.bars, channel.edge.live), headers=_HEADERS)


def _answer(understanding: Understanding, landings: Mapping[str, Landing], bars: int, live: int) -> PromptAnswer:
    phrases = [
        PromptPhrase(
            text=phrase.text,
            start=phrase.span.start,
            end=phrase.span.end,
            understood=phrase.understood,
            controls={**phrase.changes},
            notes=[*phrase.notes],
        )
        for phrase in understanding.phrases
    ]
    controls = {name: LandedControl.of(value, landings.get(name)) for name, value in understanding.changes.items()}
    unknown = [phrase.text for phrase in understanding.not_understood]
    return PromptAnswer(
        text=understanding.prompt,
        phrases=phrases,
        not_understood=unknown,
        controls=controls,
        bars=bars,
        compares=understanding.compares,
        live=live,
        sample_rate=SAMPLE_RATE,
    )
