"""Playlists and titles as players receive them, also through proxies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from radio.types import SAMPLE_RATE
from tests.server.nginx import PAGE, nginx
from tests.server.on_air import OnAir, on_air, raw, until
from tests.server.test_clients import run
from tests.server.tone_worker import settings


async def fetch(radio: OnAir, path: str, **headers: str) -> tuple[int, Mapping[str, str], str]:
    async with radio.http.get(radio.root + path, headers=headers) as response:
        return response.status, response.headers, await response.text()


async def test_playlists_use_the_address_of_the_client() -> None:
    async with on_air(start=False) as radio:
        status, headers, m3u = await fetch(radio, "/tone.m3u", Host="radio.example:8000")
        assert (status, headers["Content-Type"]) == (200, "audio/x-mpegurl; charset=utf-8")
        lines = m3u.splitlines()
        assert lines[0] == "#EXTM3U"
        assert lines[1::2] == [f"#EXTINF:-1,Station tone ({format_})" for format_ in ("mp3", "aac", "opus")]
        assert lines[2::2] == [f"http://radio.example:8000/tone.{format_}" for format_ in ("mp3", "aac", "opus")]
        status, headers, pls = await fetch(radio, "/tone.pls", Host="[::1]:80")
        assert (status, headers["Content-Type"]) == (200, "audio/x-scpls; charset=utf-8")
        assert pls.splitlines()[:3] == ["[playlist]", "NumberOfEntries=3", "File1=http://[::1]:80/tone.mp3"]
        _, _, proxied = await fetch(radio, "/tone.m3u", **{"Host": "radio.example", "X-Forwarded-Proto": "https"})
        assert "https://radio.example/tone.opus" in proxied
        below = {"X-Forwarded-Host": "radio.example, inner", "X-Forwarded-Prefix": "/my/radio/"}
        for kind in ("m3u", "pls"):
            _, _, proxied = await fetch(radio, f"/tone.{kind}", **below)
            assert "http://radio.example/my/radio/tone.opus" in proxied
        for prefix in ("radio", "/a b", "//evil.example", "/a?b", '/"', "/" + "a" * 2_000):
            _, _, proxied = await fetch(radio, "/tone.m3u", **{"Host": "radio.example", "X-Forwarded-Prefix": prefix})
            assert "http://radio.example/tone.opus" in proxied


TITLES = ["\N{LAST QUARTER MOON WITH FACE} Lo-Fi", "夜のラジオ", "Ночь \N{EN DASH} \u200dx", "a\r\nb: c\0d\x85e"]


@pytest.mark.parametrize("title", TITLES)
async def test_titles_in_every_script_reach_players(title: str) -> None:
    async with on_air(settings(title=title, description=title)) as radio:
        for format_, music in (("opus", b"OggS"), ("mp3", b"\xff")):
            head, _ = await raw(radio, f"GET /tone.{format_} HTTP/1.0\r\n\r\n", lambda body, music=music: music in body)
            headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            expected = " ".join(re.sub(r"[\0\x85]", " ", title).split())
            assert headers[b"icy-name"].decode() == headers[b"icy-description"].decode() == expected
        status, _, m3u = await fetch(radio, "/tone.m3u")
        assert status == 200
        assert " ".join(title.split()) in m3u


@pytest.mark.slow
async def test_a_player_follows_a_playlist_under_a_path_of_a_proxy(tmp_path: Path) -> None:
    block = re.search(r"```nginx\n(    location /radio/ .*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    async with on_air() as radio, nginx(tmp_path, radio.port, block[1]) as root:
        await until(lambda: radio.tone.edge.live > 3 * SAMPLE_RATE)
        for kind in ("m3u", "pls"):
            path = tmp_path / f"{kind}.wav"
            options = ["--no-config", "--no-video", "--ao=pcm", f"--ao-pcm-file={path}", "--length=3", "--really-quiet"]
            await run("mpv", *options, "--end=3", f"{root}/radio/tone.{kind}")
            assert path.stat().st_size > 2 * SAMPLE_RATE * 4
        async with radio.http.get(f"{root}/radio/tone/hls/aac.m3u8") as response:
            assert "\naac/index.m3u8\n" in await response.text()


@pytest.mark.parametrize("host", ['a"b', "evil.example/x", "a b", "x:y", "x@y", "[::1", "a" * 300, "http://x"])
async def test_an_invalid_host_header_is_not_repeated(host: str) -> None:
    async with on_air(start=False) as radio:
        head, body = await raw(radio, f"GET /tone.m3u HTTP/1.0\r\nHost: {host}\r\n\r\n")
        if head.startswith(b"HTTP/1.0 200"):
            assert f"{radio.root}/tone.opus".encode() in body
        assert host.encode() not in body or head.startswith(b"HTTP/1.0 4")
