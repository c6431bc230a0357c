"""The server of a survey: a page for listeners, the passages, and the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar

from aiohttp import web
from msgspec import UNSET

from radio.server.api.survey import SurveyAnswers, SurveyPair, SurveyVisit
from radio.server.http import body, problems, site
from radio.server.http.authorization import AUTHORIZATION, Authorization, reject_foreign_pages
from radio.server.http.listening import open_sockets
from radio.server.http.problems import ProblemError
from radio.server.http.responses import json_response
from radio.server.http.validation import refused
from radio.server.survey.pages import page_routes
from radio.server.survey.pairs import Pair, Placed, Side, order
from radio.server.survey.passages import passage_path
from radio.server.survey.store import Answer, Store

MOST_LISTENERS: Final = 10_000
_EXAMPLE: Final = '{"listener": "…", "place": 0, "balance": "a", "quality": "same"}'
_ALLOWED: Final = dict.fromkeys(("balance", "quality", "match"), "a, b or same")
QUESTIONS: Final[tuple[Literal["balance", "quality", "match"], ...]] = ("balance", "quality", "match")
_HEADERS: Final = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}

_T = TypeVar("_T")


@dataclass
class Survey:
    """A running survey.

    passages: folder of the prepared passages. seed: for the order of pairs. count: pairs for each listener.
    """

    title: str
    pairs: Sequence[Pair]
    passages: Path
    store: Store
    seed: int
    count: int
    _orders: dict[str, list[Placed]] = field(default_factory=dict)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "survey"))
    """The thread in which the store works, since SQLite waits for the disk."""
    _listeners: int | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def admit(self) -> SurveyVisit:
        """Return the pairs of a new listener. Raise ProblemError 503 if there are too many."""
        async with self._lock:
            number = await self._stored(self.store.listeners)
            if number >= MOST_LISTENERS:
                raise ProblemError(503, "full", "this survey has reached its maximum number of listeners")
            placed = order(self.pairs, seed=self.seed, listener=number, count=self.count)
            name = await self._stored(lambda: self.store.add_listener(number, self.seed, placed, self.pairs))
        self._orders[name] = placed
        pairs = [
            SurveyPair(
                place, f"audio/{name}/{place}/a.flac", f"audio/{name}/{place}/b.flac", self.pairs[one.number].words
            )
            for place, one in enumerate(placed)
        ]
        return SurveyVisit(name, self.title, pairs)

    def placed(self, listener: str, place: int) -> Placed:
        """Return a listener's pair. Raise ProblemError 404 if there is none."""
        placed = self._orders.get(listener, [])
        if place >= len(placed):
            raise ProblemError(404, "not_found", "this visit has no such pair; load the page again to begin a new one")
        return placed[place]

    def passage(self, listener: str, place: int, side: Side) -> Path:
        """Return the file for one side of a pair."""
        placed = self.placed(listener, place)
        return passage_path(self.passages, placed.number, placed.index(side))

    async def answer(self, sent: SurveyAnswers) -> None:
        """Store answers. Raise ProblemError 404 if the listener has no such pair."""
        placed = self.placed(sent.listener, sent.place)
        pair, answers = self.pairs[placed.number], []
        for question in QUESTIONS:
            choice = getattr(sent, question)
            if choice is UNSET:
                continue
            if question == "match" and pair.words is None:
                raise refused("match", "this pair has no words to match; leave out 'match'", "balance, quality")
            winner = "" if choice == "same" else pair.conditions[placed.index(choice)]
            answers.append(
                Answer(time.time(), sent.listener, pair.name, *pair.conditions, placed.swapped, question, winner)
            )
        await self._stored(lambda: self.store.add_answers(answers))

    async def close(self) -> None:
        """Wait until all answers are stored."""
        await asyncio.to_thread(self._thread.shutdown)

    async def _stored(self, action: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)


SURVEY: Final = web.AppKey("survey", Survey)


async def serve(survey: Survey, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve a survey until cancelled.

    Args:
        survey: The survey, with prepared passages.
        host: Address or name to listen on.
        port: TCP port; 0 picks a free one.
        on_ready: Called with the address to open.

    Raises:
        ServerError: The port or the host cannot be used.
    """
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(build(survey), handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(survey.close)
        stack.push_async_callback(runner.cleanup)
        await site.start_sites(runner, await open_sockets((host,), port))
        on_ready(f"http://{'localhost' if host in {'127.0.0.1', '::1'} else host}:{runner.addresses[0][1]}/")
        await asyncio.Event().wait()


def build(survey: Survey) -> web.Application:
    """Return the application that serves a survey."""
    middlewares = [site.track_idle, problems.errors_as_json, reject_foreign_pages]
    app = web.Application(middlewares=middlewares, client_max_size=body.MAX_BODY)
    app[SURVEY] = survey
    app[AUTHORIZATION] = Authorization(control=False, token=None)  # refuses the requests of other sites' pages
    app.add_routes(
        [
            web.post("/api/visits", post_visit),
            web.post("/api/answers", post_answers),
            web.get(r"/audio/{listener}/{place:\d{1,3}}/{side:a|b}.flac", get_passage),
            *page_routes(),
        ]
    )
    return app


async def post_visit(request: web.Request) -> web.StreamResponse:
    """Begin a visit and return its pairs."""
    return json_response(await request.app[SURVEY].admit(), status=201)


async def post_answers(request: web.Request) -> web.StreamResponse:
    """Store the answers about one pair."""
    sent = await body.read_body(request, SurveyAnswers, example=_EXAMPLE, allowed=_ALLOWED)
    await request.app[SURVEY].answer(sent)
    return web.Response(status=204)


async def get_passage(request: web.Request) -> web.StreamResponse:
    """Get a passage. Its address does not reveal the condition."""
    match = request.match_info
    side: Side = "a" if match["side"] == "a" else "b"
    path = request.app[SURVEY].passage(match["listener"], int(match["place"]), side)
    return web.FileResponse(path, headers={**_HEADERS, "Content-Type": "audio/flac"})
