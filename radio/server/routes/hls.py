"""`/{station}/hls/…`: lists and segments for HTTP Live Streaming, made to be cached by whatever stands in front.

    index.m3u8              the list of variants: what to give to a player
    aac/index.m3u8          a rendition's list, new every four seconds
    aac/TOKEN-init.mp4      what its segments need before them
    aac/TOKEN-NUMBER.m4s    a segment, which never changes

and the same below `opus/`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import ETag, web

from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import channel_of
from radio.server.broadcast.hls_rendition import Rendition
from radio.server.http.operation import operation
from radio.server.http.problems import ProblemError
from radio.stream.formats import fmp4, hls
from radio.stream.formats.codecs import AUDIO_SPECIFIC_CONFIG, CODECS
from radio.stream.formats.fmp4 import Mp4Track
from radio.stream.formats.hls import (
    KEPT_SEGMENTS,
    PLAYLIST_TYPE,
    SEGMENT_TYPE,
    TARGET_DURATION,
    Timeline,
    Variant,
    multivariant,
)
from radio.types import SAMPLE_RATE, Format

_AAC, _OPUS = CODECS["aac"], CODECS["opus"]

TRACKS: Mapping[Format, Mp4Track] = MappingProxyType(
    {
        "aac": fmp4.aac(config=AUDIO_SPECIFIC_CONFIG, bit_rate=_AAC.bit_rate, delay=_AAC.lookahead, packet=_AAC.frames),
        "opus": fmp4.opus(delay=_OPUS.lookahead, packet=_OPUS.frames),
    }
)
"""The renditions, by the format that they are cut from."""

_KEPT_FOR = KEPT_SEGMENTS * TARGET_DURATION
# AAC alone, for every player knows it, and some break where codecs differ: Chromium 156 begins with the first variant,
# goes over to the next, and gives up as its decoder is not the right one. Its rate is constant, and boxes add 1 %.
_VARIANTS = multivariant([Variant("aac/index.m3u8", TRACKS["aac"].codec, _AAC.bit_rate * 21 // 20)])

# While a cache asks for a new list it may give the one it has, so that it asks once for all; and when nobody answers.
_FRESH = {"Cache-Control": "public, max-age=1, stale-while-revalidate=1, stale-if-error=60"}
_FIXED = {"Cache-Control": "public, max-age=60, stale-if-error=600"}
_FOR_EVER = {"Cache-Control": "public, max-age=86400, immutable"}


class HlsRenditions:
    """What all the requests for HLS share: the renditions at work, and the stations' time lines."""

    def __init__(self) -> None:
        self._renditions: dict[tuple[str, Format], Rendition] = {}
        self._timelines: dict[str, Timeline] = {}

    def rendition(self, channel: Channel, format_: Format) -> Rendition:
        """The rendition at work; one is set to work if need be."""
        key = (channel.settings.name, format_)
        rendition = self._renditions.get(key)
        if rendition is None or rendition.over:
            rendition = Rendition(channel, format_, TRACKS[format_], lambda: self._timeline(channel))
            self._renditions[key] = rendition
        return rendition

    def at_work(self, channel: Channel, format_: Format) -> Rendition | None:
        """The rendition at work, if one is."""
        rendition = self._renditions.get((channel.settings.name, format_))
        return None if rendition is None or rendition.over else rendition

    async def close(self, _: web.Application) -> None:
        """Stop all renditions."""
        for rendition in self._renditions.values():
            await rendition.close()

    def _timeline(self, channel: Channel) -> Timeline:
        name = channel.settings.name
        if name not in self._timelines:
            self._timelines[name] = Timeline.starting(live=channel.edge.live, at=time.time())
        return self._timelines[name]


HLS_RENDITIONS: web.AppKey[HlsRenditions] = web.AppKey("hls", HlsRenditions)


def routes() -> list[web.RouteDef]:
    """The addresses below `/{station}/hls`; aiohttp answers HEAD with them too."""
    return [
        web.get("/{station}/hls/index.m3u8", variants),
        web.get("/{station}/hls/{rendition}/index.m3u8", media_list),
        web.get("/{station}/hls/{rendition}/{file}", file),
    ]


@operation("HLS: what to give to a player", tag="listen", media=(PLAYLIST_TYPE,))
async def variants(request: web.Request) -> web.Response:
    """The list of variants, of which there is one: AAC. Players that know Opus may be given `opus/index.m3u8` instead.

    A station that has just begun answers when it has played for 17 seconds.
    """
    # Players begin three segments before the end of a list, and Chromium gives up where it has not as many. Who plays
    # already asks for the rendition's list, which does not wait for that. The fourth is what may come before the first
    # cut, and half a second what is on its way through encoder and tap.
    missing = 4 * hls.SEGMENT_FRAMES + SAMPLE_RATE // 2 - channel_of(request).edge.live
    await asyncio.sleep(max(0, missing) / SAMPLE_RATE)
    return web.Response(body=_VARIANTS.encode(), content_type=PLAYLIST_TYPE, headers=_FIXED)


@operation("HLS: a rendition's list", tag="listen", media=(PLAYLIST_TYPE,), problems={503: "There is no segment yet."})
async def media_list(request: web.Request) -> web.Response:
    """The last minute, in segments of four seconds; the rendition is `aac` or `opus`.

    The first request has it segmented, and waits for that, up to 12 seconds.
    """
    channel, format_ = channel_of(request), _format(request)
    _saw(request, channel)
    playlist = await request.app[HLS_RENDITIONS].rendition(channel, format_).playlist()
    tag = ETag(playlist.name)
    if request.if_none_match and tag in request.if_none_match:
        response = web.Response(status=304, headers=_FRESH)
    else:
        response = web.Response(body=playlist.text.encode(), content_type=PLAYLIST_TYPE, headers=_FRESH)
    response.etag = tag
    return response


@operation("HLS: a segment", tag="listen", media=(SEGMENT_TYPE,))
async def file(request: web.Request) -> web.Response:
    """A segment, or what all segments need before them: fragmented MP4, under the names that the list gives them."""
    channel, format_ = channel_of(request), _format(request)
    name = request.match_info["file"]
    rendition = request.app[HLS_RENDITIONS].at_work(channel, format_)
    data = rendition.file(name) if rendition else None
    if data is None:
        message = f"'{name}' is not there, or not any more: segments are kept for {_KEPT_FOR:g} s; see index.m3u8"
        raise ProblemError(404, "unknown_segment", message)
    _saw(request, channel)
    return web.Response(body=data, content_type=SEGMENT_TYPE, headers=_FOR_EVER)


def _saw(request: web.Request, channel: Channel) -> None:
    channel.hls_listeners.add((request.remote or "", request.headers.get("User-Agent", "")))


def _format(request: web.Request) -> Format:
    name = request.match_info["rendition"]
    for format_ in TRACKS:
        if name == format_:
            return format_
    allowed = ", ".join(TRACKS)
    message = f"there is no rendition '{name}', but {allowed}"
    raise ProblemError(404, "unknown_rendition", message, field="rendition", allowed=allowed)
