"""Debian's nginx with the configuration from docs/scale.md."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tests.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"

# The parts of Debian's nginx.conf around conf.d. Everything that nginx writes is in one folder.
FRAME = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/radio.conf;
}}
"""


def block_of(first_line: str) -> str:
    """Return the block in the page that begins with `first_line`."""
    block = re.search(rf"```nginx\n({re.escape(first_line)}.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    return block[1]


def replaced(config: str, replacements: Mapping[str, str]) -> str:
    """Return a configuration with addresses and folders replaced; each must occur exactly once."""
    for original, replacement in replacements.items():
        assert config.count(original) == 1, original
        config = config.replace(original, replacement)
    return config


@contextlib.asynccontextmanager
async def nginx(folder: Path, origin: int, more: str = "") -> AsyncIterator[str]:
    """Run nginx in front of the radio on port `origin`; yield its base URL.

    `more` is inserted into the server block.
    """
    config = block_of("proxy_cache_path").replace("    location / {", f"{more}    location / {{")
    config = replaced(
        config, {"server 127.0.0.1:8000;": f"server 127.0.0.1:{origin};", "/var/cache/nginx/radio": f"{folder}/cache"}
    )
    async with running(folder, config) as root:
        yield root


@contextlib.asynccontextmanager
async def nginx_of_two(folder: Path, first: int, second: int) -> AsyncIterator[str]:
    """Run nginx in front of two radios on these ports; yield its base URL."""
    ports = {"192.168.0.11:8000": f"127.0.0.1:{first}", "192.168.0.12:8000": f"127.0.0.1:{second}"}
    async with running(folder, replaced(block_of("map $uri"), ports)) as root:
        yield root


@contextlib.asynccontextmanager
async def running(folder: Path, config: str) -> AsyncIterator[str]:
    """Run nginx with a configuration for port 80, on a free port instead; yield its base URL."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert program, "nginx is missing: run scripts/system-packages --tests"
    port = free_port()
    config = replaced(config, {"listen 80;": f"listen 127.0.0.1:{port};"})
    (folder / "radio.conf").write_text(config)
    frame = FRAME if os.geteuid() == 0 else FRAME.replace("user root;\n", "")
    (folder / "nginx.conf").write_text(frame.format(folder=folder))
    process = await asyncio.create_subprocess_exec(program, "-p", str(folder), "-c", str(folder / "nginx.conf"))
    try:
        async with asyncio.timeout(60):
            while True:
                assert process.returncode is None, (folder / "error.log").read_text()
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
                else:
                    break
        writer.close()
        await writer.wait_closed()
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
