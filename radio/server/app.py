"""The HTTP server: one event loop that serves all stations and moves packets; workers compose and encode."""

from __future__ import annotations

import asyncio
import functools
import logging
import resource
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from aiohttp import web

from radio.errors import ServerError
from radio.server.broadcast import pushes
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channel_set import ChannelSet
from radio.server.broadcast.channels import CHANNELS
from radio.server.broadcast.listener_limits import BURST, LIMITS, Limits
from radio.server.broadcast.reloader import RELOADER, Reloader
from radio.server.broadcast.state_folder import StateFolder
from radio.server.broadcast.station_files import FileCopies
from radio.server.http import body, problems, site
from radio.server.http.authorization import AUTHORIZATION, Authorization, check_hosts, reject_foreign_pages
from radio.server.http.cors import answer_options
from radio.server.http.listening import open_sockets
from radio.server.lifecycle import first_of, on_hangup, on_termination
from radio.server.routes import (
    export,
    export_queue,
    health,
    history,
    hls,
    listen,
    metrics,
    openapi,
    pages,
    playlists,
    prime,
    prompt,
    reload,
    stations,
    tracks,
)
from radio.server.service_manager import ServiceManager
from radio.settings.config import RadioConfig
from radio.settings.server import ServerSettings
from radio.worker.supervisor import WORKER_COMMAND

_log = logging.getLogger("radio.server")


async def serve(
    config: RadioConfig,
    *,
    host: str | Sequence[str],
    port: int,
    on_ready: Callable[[list[str]], None],
    load: Callable[[], RadioConfig] | None = None,
    manager: ServiceManager | None = None,
    states: StateFolder | None = None,
    forget: bool = False,
    worker: Sequence[str] = WORKER_COMMAND,
) -> None:
    """Serve all stations until cancelled; then stop everything in reverse order.

    On SIGTERM, stop listening, disconnect the listeners gradually, and return. A second SIGTERM cancels.

    Args:
        config: The stations and the server's settings.
        host: Address or name to listen on, or several. `::` means all interfaces, IPv4 included.
        port: TCP port; 0 picks a free one.
        on_ready: Called once, when all stations are on the air, with the addresses to open.
        load: Reads the config again, on SIGHUP and `POST /api/reload`. None disables both.
        manager: The service manager that started this process. A socket that it passes replaces `host` and `port`.
        states: The locked folder for the state of the stations; None saves no state.
        forget: Whether to remove the saved states, once the server is listening.
        worker: The command that runs a station's worker.

    Raises:
        SettingsError: Other machines could change controls without a token.
        ServerError: The port or the host cannot be used, or a station cannot start.
    """
    manager = manager or ServiceManager({})
    asked = (host,) if isinstance(host, str) else tuple(host)
    async with AsyncExitStack() as stack:
        passed = [stack.enter_context(item) for item in manager.sockets()]
        hosts = _hosts(passed) if passed else asked
        # Checked here rather than when the config is read, since environment and command line override it.
        check_hosts(hosts, control=config.server.control, token=config.server.control_token)
        settings = replace(config.server, host=host if isinstance(host, str) else asked)
        _raise_file_limit()
        channels = ChannelSet(
            config.stations, functools.partial(Channel, worker=worker, states=states, copies=FileCopies())
        )
        app = build(
            channels.channels,
            authorization=Authorization(settings.control, settings.control_token, settings.hosts),
            settings=settings,
        )
        if load is not None:
            reloader = app[RELOADER] = Reloader(load, settings, channels, app, hosts)
            stack.enter_context(on_hangup(reloader.reload_on_signal))
        stopping = stack.enter_context(on_termination())
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        sockets = passed or await open_sockets(hosts, port)
        await site.start_sites(runner, sockets)
        if forget and states is not None:
            states.clear_all()
        stack.push_async_callback(channels.stop)
        await first_of(channels.start(), stopping.wait())
        if not stopping.is_set():
            on_ready(_addresses(runner, hosts, list(channels.channels)))
            manager.notify(READY="1")
            _log.info("on the air: %s", ", ".join(channels.channels))
            watchdog = asyncio.create_task(manager.feed_watchdog(channels.progress))
            stack.callback(watchdog.cancel)
            await first_of(channels.ended(), stopping.wait())
        manager.notify(STOPPING="1")
        _log.info("stopping")
        for listening in list(runner.sites):
            await listening.stop()
        current = app[RELOADER]
        await channels.drain(settings.drain if current is None else current.drain)


def build(
    channels: Mapping[str, Channel], *, authorization: Authorization, settings: ServerSettings
) -> web.Application:
    """Return the application that serves `channels`."""
    middlewares = [site.track_idle, problems.errors_as_json, answer_options, reject_foreign_pages]
    app = web.Application(middlewares=middlewares, client_max_size=body.MAX_BODY)
    app.on_response_prepare.append(_prepare_response)
    app[CHANNELS] = channels
    app[AUTHORIZATION] = authorization
    app[BURST] = {**settings.burst}
    app[LIMITS] = Limits(settings.listeners, settings.listeners_per_address)
    app[RELOADER] = None
    pushes.add_pushes(app, channels)
    health.attach(app)
    export_queue.attach(app)
    history.attach(app)
    prime.attach(app)
    tracks.attach(app, enabled=settings.tracks)
    app[hls.HLS_RENDITIONS] = hls.HlsRenditions()
    app.on_shutdown.append(app[hls.HLS_RENDITIONS].close)
    for module in (
        pages,
        stations,
        history,
        prompt,
        prime,
        export,
        health,
        hls,
        metrics,
        openapi,
        tracks,
        listen,
        playlists,
        reload,
    ):
        app.add_routes(module.routes())
    return app


async def _prepare_response(request: web.Request, response: web.StreamResponse) -> None:
    """Rewrite aiohttp's error responses, and allow pages of any site to read the responses to GET."""
    problems.rewrite_error(response)
    if request.method in {"GET", "HEAD"}:
        response.headers.setdefault("Access-Control-Allow-Origin", "*")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if response.keep_alive:
        response.headers["Keep-Alive"] = f"timeout={site.IDLE_TIMEOUT:g}"


def _raise_file_limit() -> None:
    """Raise the limit on open files to the hard limit. Each listener takes one, and shells often set 1,024."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def _hosts(sockets: Sequence[socket.socket]) -> tuple[str, ...]:
    """Return the addresses of sockets. Raise ServerError if one is not a TCP socket, such as a Unix socket."""
    for item in sockets:
        if item.family not in (socket.AF_INET, socket.AF_INET6) or item.type != socket.SOCK_STREAM:
            raise ServerError("the service manager passed a socket that is not TCP; use ListenStream=127.0.0.1:8000")
    return tuple(item.getsockname()[0] for item in sockets)


def _addresses(runner: web.AppRunner, hosts: Sequence[str], names: list[str]) -> list[str]:
    """Return the addresses to open: the root on each host, and the streams on the first."""
    port = runner.addresses[0][1]
    roots = list(dict.fromkeys(f"http://{_shown(host)}:{port}/" for host in hosts))
    return [*roots, *(f"{roots[0]}{name}.opus" for name in names)]


def _shown(host: str) -> str:
    all_interfaces = host in {"0.0.0.0", "::"}  # noqa: S104 — compared, not bound
    return "localhost" if all_interfaces else f"[{host}]" if ":" in host else host
