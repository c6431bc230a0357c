from __future__ import annotations

import asyncio

import pytest

from radio.errors import StreamError
from radio.push.rtmp import adobe_auth
from radio.push.rtmp.connection import RtmpConnection
from radio.push.rtmp.flv import AUDIO, Tag
from radio.settings.push_target import Secrets, parse
from tests.push.rtmp.login_server import PASSWORD, USER, login_server
from tests.push.servers import DEADLINE, KEY, eventually


@pytest.mark.parametrize("uses_opaque", [True, False])
async def test_a_publisher_logs_in_and_streams(uses_opaque: bool) -> None:
    async with login_server(uses_opaque=uses_opaque) as server:
        target = parse(f"rtmp://{USER}@127.0.0.1:{server.port}/app")
        connection = await RtmpConnection.open(target, Secrets(KEY, PASSWORD))
        await connection.send(Tag(AUDIO, 0, b"\xaf\x01sound"))
        await eventually(lambda: server.media == 1, "a message of audio")
        await connection.close()
        assert (server.asked, server.challenged, server.failed, server.accepted) == (1, 1, 0, 1)


@pytest.mark.parametrize(
    ("user", "password", "reason"),
    [(USER, "wrong", "rejects the user or the password"), ("eve", PASSWORD, "rejects"), ("", "", "asks for a user")],
)
async def test_a_wrong_login_is_reported_without_the_password(user: str, password: str, reason: str) -> None:
    async with login_server() as server:
        login = f"{user}@" if user else ""
        with pytest.raises(StreamError, match=reason) as caught:
            await RtmpConnection.open(parse(f"rtmp://{login}127.0.0.1:{server.port}/app"), Secrets(KEY, password))
        assert server.accepted == 0
    assert not password or password not in str(caught.value)


async def test_the_test_server_accepts_ffmpeg() -> None:
    """ffmpeg's login shows that the test server behaves like a real one."""
    async with login_server() as server:
        address = f"rtmp://{USER}:{PASSWORD}@127.0.0.1:{server.port}/app/{KEY}"
        source = ["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", "-f", "flv", address]
        program = await asyncio.create_subprocess_exec("ffmpeg", "-v", "error", "-nostdin", *source)
        try:
            await asyncio.wait_for(program.wait(), DEADLINE)
        finally:
            if program.returncode is None:
                program.kill()
                await program.wait()
        assert (server.accepted, server.failed) == (1, 0)
        assert server.media > 10


def test_a_server_that_keeps_asking_is_answered_only_for_the_steps_of_one_login() -> None:
    asked = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : "
    assert adobe_auth.query(asked, "joe", "x", "01234567") == "?authmod=adobe&user=joe"
    assert adobe_auth.query(f"{asked}?reason=needauth", "joe", "x", "01234567").startswith("?authmod=adobe&user=joe&")
