"""Random requests to every address that `/api/openapi.json` names, while somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from typing import Any

import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from radio.types import SAMPLE_RATE
from tests.server.on_air import DEADLINE, OnAir, on_air, until
from tests.server.routes.test_stations import get
from tests.stream.ogg_reader import check_one_stream

ENOUGH = 64
"""Bytes that are read of an answer without an end."""
HEAVY = 4
"""How many times fewer requests go to an address that starts jobs, and three at most: jobs are tested elsewhere."""
PATIENCE = 180.0
"""What a job may take on a machine that is busy otherwise."""


def can_be_wrong(described: dict[str, Any]) -> bool:
    """Whether there is anything in a request of this operation that is not right whatever it is, as plain words are."""
    schemas = [parameter["schema"] for parameter in described.get("parameters", ())]
    return "requestBody" in described or any(schema != {"type": "string"} for schema in schemas)


class Fuzzer:
    """Sends cases and judges the answers; for a thread of its own."""

    def __init__(self, root: str, document: dict[str, Any]) -> None:
        self.counts: Counter[int] = Counter()
        self._root = root
        self._document = document
        self._session = requests.Session()

    def run(self, examples: int) -> None:
        """So many requests of either kind, right and wrong, to each operation."""
        for found in schemathesis.openapi.from_dict(self._document).get_all_operations():
            operation = found.ok()
            described = self._document["paths"][operation.path][operation.method]
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                if mode is GenerationMode.NEGATIVE and not can_be_wrong(described):
                    continue

                count = min(3, examples // HEAVY) if "files" in described["tags"] else examples
                self._run(operation.as_strategy(mode), described, count)

    def _run(self, cases: st.SearchStrategy[Case], described: dict[str, Any], count: int) -> None:
        @seed(1)
        @hypothesis_settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def ask(case: Case) -> None:
            self._ask(case, described)

        ask()

    def _ask(self, case: Case, described: dict[str, Any]) -> None:
        arguments = case.as_transport_kwargs(base_url=self._root)
        with self._session.request(**arguments, stream=True, timeout=PATIENCE, allow_redirects=False) as response:
            status = response.status_code
            self.counts[status] += 1
            if described.get("x-endless") and status == 200:
                assert response.raw.read(ENOUGH)
                return
            _ = response.content
        what = f"{case.method} {response.request.url}: {status} {response.text[:300]}"
        assert status < 500, what
        # What a mangled path or method leads to is not this operation's answer.
        assert str(status) in described["responses"] or status in {400, 404, 405}, what
        if status >= 400:
            self._check(response.json(), {"$ref": "#/components/schemas/Problem"})
        elif content := described["responses"][str(status)]["content"].get("application/json"):
            self._check(response.json(), content["schema"])

    def _check(self, answer: Any, schema: dict[str, Any]) -> None:
        whole = {**schema, "components": self._document["components"]}
        jsonschema.validate(answer, whole, jsonschema.Draft202012Validator)


class Listener:
    """Somebody who listens all the while and loses nothing."""

    def __init__(self, radio: OnAir) -> None:
        self._radio = radio
        self.heard = bytearray()

    async def listen(self) -> None:
        reader, writer = await asyncio.open_connection(self._radio.host, self._radio.port)
        writer.write(b"GET /tone.opus?burst=1 HTTP/1.0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        try:
            while data := await reader.read(65_536):
                self.heard += data
        finally:
            writer.close()


async def fuzzed(examples: int) -> Counter[int]:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 2 * SAMPLE_RATE)
        listener = Listener(radio)
        listening = asyncio.create_task(listener.listen())
        listening.add_done_callback(lambda task: task.cancelled() or task.exception())  # the first failure is told
        _, document = await get(radio, "/api/openapi.json")
        fuzzer = Fuzzer(radio.root, document)
        began, underruns = radio.tone.edge.live, radio.tone.edge.underruns
        await asyncio.to_thread(fuzzer.run, examples)
        passed = radio.tone.edge.live - began
        assert radio.tone.edge.underruns == underruns
        assert radio.tone.edge.reserve > 1
        assert (radio.tone.restarts, radio.tone.encoder_restarts) == (0, 0)
        await until(lambda: not listening.done() and len(listener.heard) > 0)
        await asyncio.sleep(1.5)  # what is let out once a second has arrived
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    pages = check_one_stream(bytes(listener.heard))
    assert sum(len(page.packets) for page in pages) * 960 > passed
    return fuzzer.counts


async def test_random_requests_are_answered_and_disturb_nobody() -> None:
    counts = await fuzzed(8)
    assert counts[200] > 50
    assert counts[422] > 5
    assert counts[404] > 5


@pytest.mark.slow
async def test_ten_thousand_random_requests_are_answered_and_disturb_nobody() -> None:
    counts = await fuzzed(450)
    assert counts.total() >= 10_000, counts
    assert {200, 400, 404, 422} <= set(counts)


async def test_random_bytes_are_answered_or_hung_up_on() -> None:
    """Anything at all instead of a request: an answer of ours below 500, or the end of the connection."""

    def send(host: str, port: int) -> None:
        words = st.sampled_from(
            [b"GET ", b"PATCH ", b"/tone.opus", b"/api/stations/tone", b" HTTP/1.1\r\n", b"\r\n", b"Host: "]
        )
        chunked = st.sampled_from(
            [b"Transfer-Encoding: chunked\r\n\r\n", b"Content-Length: 5\r\n\r\n", b"\xff", b"%00", b"?"]
        )

        @seed(1)
        @hypothesis_settings(max_examples=150, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(parts=st.lists(st.one_of(words, chunked, st.binary(max_size=40)), max_size=12))
        def case(parts: list[bytes]) -> None:
            with socket.create_connection((host, port), DEADLINE) as line:
                line.sendall(b"".join(parts) + b"\r\n\r\n")
                line.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionError):
                    answer = line.recv(4_096)
                    assert not answer.startswith((b"HTTP/1.1 5", b"HTTP/1.0 5")), (parts, answer)

        case()

    async with on_air() as radio:
        await asyncio.to_thread(send, radio.host, radio.port)
        assert (await get(radio, "/healthz"))[0] == 200
