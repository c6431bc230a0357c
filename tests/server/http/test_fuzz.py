"""Random requests to every address in `/api/openapi.json`, while a listener is connected."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from radio.types import SAMPLE_RATE
from tests.server.on_air import DEADLINE, OnAir, on_air, until
from tests.server.routes.test_stations import get
from tests.stream.ogg_reader import check_one_stream, last_granule

if TYPE_CHECKING:
    from schemathesis import Case

ENOUGH = 64
"""Bytes that are read from an endless response."""
JOBS = 3
"""Requests to an operation that starts jobs; jobs are tested elsewhere."""
PATIENCE = 180.0
"""Longest time of a job on a busy machine, in seconds."""


def can_be_wrong(described: dict[str, Any]) -> bool:
    """Return whether a request to this operation can be invalid; a plain string is always valid."""
    schemas = [parameter["schema"] for parameter in described.get("parameters", ())]
    return "requestBody" in described or any(schema != {"type": "string"} for schema in schemas)


class Fuzzer:
    """Sends test cases and checks the responses, in its own thread."""

    def __init__(self, root: str, document: dict[str, Any]) -> None:
        self.counts: Counter[int] = Counter()
        self._root = root
        self._document = document
        self._session = requests.Session()

    def run(self, total: int) -> None:
        """Send up to `total` requests: as many to each operation, half of them invalid if some can be."""
        import schemathesis  # takes a second, and only slow tests need it
        from schemathesis import GenerationMode

        operations = [result.ok() for result in schemathesis.openapi.from_dict(self._document).get_all_operations()]
        described = [self._document["paths"][operation.path][operation.method] for operation in operations]
        share = -(-total // sum("files" not in one["tags"] for one in described))
        for operation, one in zip(operations, described, strict=True):
            count = JOBS if "files" in one["tags"] else share
            modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE][: 1 + can_be_wrong(one)]
            for mode in modes:
                self._run(operation.as_strategy(mode), one, -(-count // len(modes)))

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
        def send(case: Case) -> None:
            self._send(case, described)

        send()

    def _send(self, case: Case, described: dict[str, Any]) -> None:
        arguments = case.as_transport_kwargs(base_url=self._root)
        with self._session.request(**arguments, stream=True, timeout=PATIENCE, allow_redirects=False) as response:
            status = response.status_code
            self.counts[status] += 1
            if described.get("x-endless") and status == 200:
                assert response.raw.read(ENOUGH)
                return
            _ = response.content
        summary = f"{case.method} {response.request.url}: {status} {response.text[:300]}"
        assert status < 500, summary
        # A modified path or method can lead to another operation.
        assert str(status) in described["responses"] or status in {400, 404, 405}, summary
        if status >= 400:
            self._check(response.json(), {"$ref": "#/components/schemas/Problem"})
        elif content := described["responses"][str(status)]["content"].get("application/json"):
            self._check(response.json(), content["schema"])

    def _check(self, answer: Any, schema: dict[str, Any]) -> None:
        whole = {**schema, "components": self._document["components"]}
        jsonschema.validate(answer, whole, jsonschema.Draft202012Validator)


class Listener:
    """A listener that receives the whole stream."""

    def __init__(self, radio: OnAir) -> None:
        self._radio = radio
        self.data = bytearray()

    async def listen(self) -> None:
        reader, writer = await asyncio.open_connection(self._radio.host, self._radio.port)
        writer.write(b"GET /tone.opus?burst=1 HTTP/1.0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        try:
            while data := await reader.read(65_536):
                self.data += data
        finally:
            writer.close()


async def fuzz(radio: OnAir, total: int) -> Counter[int]:
    """Send up to `total` random requests while a listener is connected; return the number of responses by status."""
    await until(lambda: radio.tone.edge.live > 2 * SAMPLE_RATE)
    listener = Listener(radio)
    listening = asyncio.create_task(listener.listen())
    # The first failure is raised elsewhere.
    listening.add_done_callback(lambda task: task.cancelled() or task.exception())
    _, document = await get(radio, "/api/openapi.json")
    fuzzer = Fuzzer(radio.root, document)
    began = radio.tone.edge.live
    await asyncio.to_thread(fuzzer.run, total)
    end = radio.tone.edge.live
    assert (radio.tone.restarts, radio.tone.encoder_restarts) == (0, 0)
    await until(lambda: listening.done() or last_granule(listener.data) > end + SAMPLE_RATE)
    assert not listening.done()
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    pages = check_one_stream(bytes(listener.data))
    assert sum(len(page.packets) for page in pages) * 960 > end - began
    return fuzzer.counts


@pytest.mark.slow
async def test_random_requests_are_answered_and_do_not_disturb_a_listener() -> None:
    async with on_air() as radio:
        counts = await fuzz(radio, 500)
    assert counts[200] > 50
    assert counts[422] > 5
    assert counts[404] > 5


@pytest.mark.slow
async def test_thousands_of_random_requests_are_answered_and_do_not_disturb_a_listener() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 2 * SAMPLE_RATE)
        underruns = radio.tone.edge.underruns
        counts = await fuzz(radio, 8_000)
        assert radio.tone.edge.underruns == underruns
        assert radio.tone.edge.reserve > 1
    assert counts.total() >= 4_000, counts  # some operations have few different requests
    assert {200, 400, 404, 422} <= set(counts)


async def test_random_bytes_are_answered_or_the_connection_is_closed() -> None:
    """Any bytes get a response with a status below 500, or the connection is closed."""

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
