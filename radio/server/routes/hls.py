"""`/{station}/hls/…`: playlists and segments of HTTP Live Streaming. A cache in front of the radio may store them.

    index.m3u8              the multivariant playlist: the address for a player
    opus.m3u8               the same with Opus in place of AAC
    aac/index.m3u8          the playlist of a rendition, with a new segment every four seconds
    aac/TOKEN-init.mp4      the initialization segment
    aac/TOKEN-NUMBER.m4s    a segment, which never changes

The same files are below `opus/`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from types import MappingProxyType
from weakref import WeakKeyDictionary

from aiohttp import ETag, web

from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import channel_of
from radio.server.broadcast.hls_rendition import Rendition
from radio.server.http.client_address import client_address, network
from radio.server.http.operation import operation
from radio.server.http.problems import ProblemError
from radio.stream.formats import fmp4, hls
from radio.stream.formats.codecs import AUDIO_SPECIFIC_CONFIG, CODECS
from radio.stream.formats.fmp4 import Mp4Track
from radio.stream.formats.hls import KEPT_SEGMENTS, PLAYLIST_TYPE, SEGMENT_TYPE, TARGET_DURATION, multivariant
from radio.stream.formats.hls_timeline import Timeline
from radio.types import SAMPLE_RATE, Format

_AAC, _OPUS = CODECS["aac"], CODECS["opus"]

TRACKS: Mapping[Format, Mp4Track] = MappingProxyType(
    {
        "aac": fmp4.aac(config=AUDIO_SPECIFIC_CONFIG, bit_rate=_AAC.bit_rate, delay=_AAC.lookahead, packet=_AAC.frames),
        "opus": fmp4.opus(delay=_OPUS.lookahead, packet=_OPUS.frames),
    }
)
"""The renditions by format."""

_KEPT_FOR = KEPT_SEGMENTS * TARGET_DURATION

# One variant each: Chromium 156 starts the first variant, switches to the next, and fails because its decoder does not
# fit. Shaka Player and others need the name of the codec, which only these lists have.
_VARIANTS: Mapping[Format, str] = MappingProxyType(
    {name: multivariant(f"{name}/index.m3u8", track, CODECS[name].bit_rate) for name, track in TRACKS.items()}
)

# A cache may serve a stale list after an error, and while it revalidates, so that one request serves all clients.
_FRESH = {"Cache-Control": "public, max-age=1, stale-while-revalidate=1, stale-if-error=60"}
_RARELY_CHANGED = {"Cache-Control": "public, max-age=60, stale-if-error=600"}
_IMMUTABLE = {"Cache-Control": "public, max-age=86400, immutable"}


class HlsRenditions:
    """The running renditions and the timelines of all channels.

    A station that is removed by a reload and added again has a new channel, whose frames begin at 0 again.
    """

    def __init__(self) -> None:
        self._renditions: dict[tuple[Channel, Format], Rendition] = {}
        self._timelines: WeakKeyDictionary[Channel, Timeline] = WeakKeyDictionary()

    def rendition(self, channel: Channel, format_: Format) -> Rendition:
        """Return the running rendition of a format; start it if necessary."""
        rendition = self.running(channel, format_)
        if rendition is None:
            rendition = Rendition(channel, format_, TRACKS[format_], lambda: self._timeline(channel), self._remove)
            self._renditions[channel, format_] = rendition
        return rendition

    def running(self, channel: Channel, format_: Format) -> Rendition | None:
        """Return the running rendition of a format, if there is one."""
        rendition = self._renditions.get((channel, format_))
        return None if rendition is None or rendition.ended else rendition

    async def close(self, _: web.Application) -> None:
        """Stop all renditions."""
        for rendition in list(self._renditions.values()):
            await rendition.close()

    def _timeline(self, channel: Channel) -> Timeline:
        if channel not in self._timelines:
            self._timelines[channel] = Timeline(live=channel.edge.live, at=time.time())
        return self._timelines[channel]

    def _remove(self, rendition: Rendition) -> None:
        self._renditions = {key: other for key, other in self._renditions.items() if other is not rendition}


HLS_RENDITIONS: web.AppKey[HlsRenditions] = web.AppKey("hls", HlsRenditions)


def routes() -> list[web.RouteDef]:
    """Return the routes below `/{station}/hls`; aiohttp answers HEAD on them too."""
    return [
        web.get("/{station}/hls/index.m3u8", get_variants),
        web.get("/{station}/hls/{rendition}.m3u8", get_variants_of),
        web.get("/{station}/hls/{rendition}/index.m3u8", get_playlist),
        web.get("/{station}/hls/{rendition}/{file}", get_segment),
    ]


@operation("Get the HLS multivariant playlist", tag="listen", media=(PLAYLIST_TYPE,))
async def get_variants(request: web.Request) -> web.Response:
    """Get the playlist for a player. Its only variant is AAC; players that support Opus can use `opus.m3u8`.

    A station that has just started answers once it has played for 17 seconds.
    """
    return await _variants(request, "aac")


@operation("Get the HLS multivariant playlist of a rendition", tag="listen", media=(PLAYLIST_TYPE,))
async def get_variants_of(request: web.Request) -> web.Response:
    """Get a playlist for a player with one variant: `aac` or `opus`."""
    return await _variants(request, _format(request))


async def _variants(request: web.Request, format_: Format) -> web.Response:
    # Players start three segments before the end of a list, and Chromium gives up if there are fewer. A fourth segment
    # may pass before the first cut, and half a second is the delay of encoder and tap. A player that is already
    # playing requests the rendition's list, which does not wait.
    missing = 4 * hls.SEGMENT_FRAMES + SAMPLE_RATE // 2 - channel_of(request).edge.live
    await asyncio.sleep(max(0, missing) / SAMPLE_RATE)
    return web.Response(body=_VARIANTS[format_].encode(), content_type=PLAYLIST_TYPE, headers=_RARELY_CHANGED)


@operation(
    "Get the HLS playlist of a rendition",
    tag="listen",
    media=(PLAYLIST_TYPE,),
    problems={503: "There is no segment yet."},
)
async def get_playlist(request: web.Request) -> web.Response:
    """Get the last minute in segments of four seconds; the rendition is `aac` or `opus`.

    The first request starts the segmenter, and waits up to 12 seconds for a segment.
    """
    channel, format_ = channel_of(request), _format(request)
    _count_listener(request, channel)
    playlist = await request.app[HLS_RENDITIONS].rendition(channel, format_).playlist()
    tag = ETag(playlist.name)
    if request.if_none_match and tag in request.if_none_match:
        response = web.Response(status=304, headers=_FRESH)
    else:
        response = web.Response(body=playlist.text.encode(), content_type=PLAYLIST_TYPE, headers=_FRESH)
    response.etag = tag
    return response


@operation("Get an HLS segment", tag="listen", media=(SEGMENT_TYPE,))
async def get_segment(request: web.Request) -> web.Response:
    """Get a segment or the initialization segment, by its name in the playlist: fragmented MP4."""
    channel, format_ = channel_of(request), _format(request)
    name = request.match_info["file"]
    rendition = request.app[HLS_RENDITIONS].running(channel, format_)
    data = rendition.file(name) if rendition else None
    if data is None:
        message = f"there is no segment '{name}'; segments are kept for {_KEPT_FOR:g} s, see index.m3u8"
        raise ProblemError(404, "unknown_segment", message)
    _count_listener(request, channel)
    return web.Response(body=data, content_type=SEGMENT_TYPE, headers=_IMMUTABLE)


def _count_listener(request: web.Request, channel: Channel) -> None:
    address = client_address(request)
    channel.hls_listeners.add(network(address), address, request.headers.get("User-Agent", ""))


def _format(request: web.Request) -> Format:
    name = request.match_info["rendition"]
    for format_ in TRACKS:
        if name == format_:
            return format_
    allowed = ", ".join(TRACKS)
    message = f"there is no rendition '{name}'; use {allowed}"
    raise ProblemError(404, "unknown_rendition", message, field="rendition", allowed=allowed)
