"""Real servers to push to: Debian's nginx with its RTMP module, and Icecast. Tests can kill and restart them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from tests.ports import free_port, is_listening

DEADLINE = 90.0
"""Seconds after which a test gives up, far more than an idle machine needs."""
KEY = "live_0123456789_s3cretKEY"

_NGINX = """\
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{http};
        location /no {{ return 403; }}
    }}
}}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        application live {{
            live on;
            record all;
            record_unique on;
            record_path {folder};
        }}
        application closed {{
            live on;
            on_publish http://127.0.0.1:{http}/no;
        }}
    }}
}}
"""

_ICECAST = """\
<icecast>
    <limits><sources>4</sources></limits>
    <authentication>
        <source-password>{key}</source-password>
        <admin-user>admin</admin-user><admin-password>admin</admin-password>
    </authentication>
    <hostname>localhost</hostname>
    <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
    <fileserve>0</fileserve>
    <paths><basedir>{folder}</basedir><logdir>{folder}</logdir><webroot>/usr/share/icecast2/web</webroot>
        <adminroot>/usr/share/icecast2/admin</adminroot></paths>
    <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>3</loglevel></logging>
    <security><chroot>0</chroot>{owner}</security>
</icecast>
"""


class Program:
    """A server process that can be killed and restarted on the same port."""

    def __init__(self, folder: Path, port: int, command: list[str]) -> None:
        self.folder = folder
        self.port = port
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            assert self._process.poll() is None, self.log()
            if is_listening(self.port):  # Icecast 2.4.4 may crash if a client connects and leaves without a request
                return
            time.sleep(0.05)
        raise TimeoutError(self.log())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        file = self.folder / "error.log"
        return file.read_text(errors="replace") if file.exists() else f"{self._command[0]} wrote no log"


@contextlib.contextmanager
def nginx() -> Iterator[Program]:
    """Run nginx with two applications: `live` records streams, `closed` rejects every key."""
    program = require_program("nginx")
    with _folder() as folder:
        port = free_port()
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, http=free_port()))
        command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        yield from _running(Program(folder, port, command))


@contextlib.contextmanager
def icecast(password: str = KEY) -> Iterator[Program]:
    """Run Icecast with a source password."""
    program = require_program("icecast2")
    with _folder() as folder:
        port = free_port()
        # Icecast refuses to run as root, and tests in a container do.
        owner = "<changeowner><user>daemon</user><group>nogroup</group></changeowner>" if os.getuid() == 0 else ""
        (folder / "icecast.xml").write_text(_ICECAST.format(folder=folder, port=port, key=password, owner=owner))
        yield from _running(Program(folder, port, [program, "-c", str(folder / "icecast.xml")]))


def require_program(name: str) -> str:
    """Return the path of a program; fail the test if it is not installed."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert path is not None, f"{name} is missing: scripts/system-packages --tests installs it"
    return path


def _running(program: Program) -> Iterator[Program]:
    program.start()
    try:
        yield program
    finally:
        program.kill()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="radio-test-") as name:
        Path(name).chmod(0o777)  # the servers may run as another user
        yield Path(name)


async def eventually(condition: Callable[[], object], event: str, deadline: float = DEADLINE) -> None:
    """Wait until `condition` holds; `event` names it in the error."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{event} did not happen within {deadline:g} s")
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Run a server that accepts connections and never reads or answers; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


class Relay:
    """A TCP relay between a push and its server that can stop reading, like a network that fails silently.

    Args:
        port: The server's port.
        tls: TLS settings for the push's side, or None for plain TCP.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.connections = 0
        self._server_port = port
        self._tls = tls
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def pause(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Relay]:
        # With a small receive buffer, unread bytes soon stop being acknowledged.
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        server = await asyncio.start_server(self._serve, sock=listener, ssl=self._tls, limit=4_096)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            answers_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
            answers = asyncio.create_task(self._copy(answers_reader, writer))
            try:
                await self._copy(reader, server_writer)
            finally:
                answers.cancel()
                await asyncio.gather(answers, return_exceptions=True)
                server_writer.transport.abort()
        except (OSError, asyncio.CancelledError):
            return
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(4_096):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the path of a self-signed certificate for `localhost`, and a server's TLS context with it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([require_program("openssl"), *command[1:], *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context
