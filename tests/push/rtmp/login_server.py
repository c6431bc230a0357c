"""An RTMP server that asks publishers for a user and a password, as Wowza does."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from radio.push.rtmp import amf
from radio.push.rtmp.chunks import ChunkReader, ChunkWriter, RtmpMessage

USER, PASSWORD = "joe", "hunter2-is-secret"
_SALT, _CHALLENGE, _OPAQUE = "c2FsdA==", "TnNsdQ==", "b3Bhc"


def digest(text: str) -> str:
    return b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()


@dataclass
class LoginServer:
    """The server's settings, and counts of its answers."""

    port: int = 0
    uses_opaque: bool = True
    asked: int = 0
    challenged: int = 0
    failed: int = 0
    accepted: int = 0
    media: int = 0
    """Messages of audio and video from accepted publishers."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def refusal(self, app: str) -> str | None:
        """Return why a connection to an application is refused, or None if it is accepted."""
        _, _, query = app.partition("?")
        values = dict(part.partition("=")[::2] for part in query.split("&"))
        if values.get("user") is None:
            self.asked += 1
            return "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : "
        if "response" not in values:
            self.challenged += 1
            opaque = f"&opaque={_OPAQUE}" if self.uses_opaque else ""
            reason = f"?reason=needauth&user={USER}&salt={_SALT}&challenge={_CHALLENGE}{opaque}"
            return f"[ AccessManager.Reject ] : [ authmod=adobe ] : {reason}"
        seed = _OPAQUE if self.uses_opaque else _CHALLENGE
        expected = digest(digest(USER + _SALT + PASSWORD) + seed + values["challenge"])
        if values["user"] != USER or values["response"] != expected:
            self.failed += 1
            return "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=x"
        self.accepted += 1
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            hello = await reader.readexactly(1 + 1_536)
            writer.write(b"\x03" + bytes(8) + os.urandom(1_528) + hello[1:])
            await reader.readexactly(1_536)
            chunks, answers = ChunkReader(), ChunkWriter()
            while data := await reader.read(65_536):
                chunks.feed(data)
                while message := chunks.next():
                    if message.kind == 1:
                        chunks.size = int.from_bytes(message.body, "big")
                    self.media += message.kind in {8, 9}
                    if message.kind == 20 and not self._answer(amf.decode(message.body), answers, writer):
                        return
        writer.close()

    def _answer(self, command: list[Any], answers: ChunkWriter, writer: asyncio.StreamWriter) -> bool:
        name, number, *rest = command

        def send(*values: amf.Value, stream: int = 0) -> None:
            writer.write(answers.split(3, RtmpMessage(20, stream, 0, amf.encode(*values))))

        if name == "connect":
            reason = self.refusal(rest[0]["app"])
            if reason is not None:
                status = {"level": "error", "code": "NetConnection.Connect.Rejected", "description": reason}
                send("_error", number, None, status)
                writer.close()
                return False
            send("_result", number, {}, {"level": "status", "code": "NetConnection.Connect.Success"})
        elif name == "createStream":
            send("_result", number, None, 1)
        elif name == "publish":
            send("onStatus", 0, None, {"level": "status", "code": "NetStream.Publish.Start"}, stream=1)
        return True


@contextlib.asynccontextmanager
async def login_server(*, uses_opaque: bool = True) -> AsyncIterator[LoginServer]:
    state = LoginServer(uses_opaque=uses_opaque)
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for task in state.tasks:
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
