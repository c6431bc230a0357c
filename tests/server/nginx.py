"""nginx of Debian with the configuration of docs/scale.md."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from tests.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"

# The frame of Debian's nginx.conf around the files in conf.d; everything that it writes is in one folder.
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


@contextlib.asynccontextmanager
async def nginx(folder: Path, origin: int, more: str = "") -> AsyncIterator[str]:
    """Run nginx in front of the radio on port `origin`; yield the root of its addresses.

    `more` is added to the server's block.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert program, "nginx is missing: run scripts/system-packages --tests"
    block = re.search(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    port, config = free_port(), block[1].replace("    location / {", f"{more}    location / {{")
    for original, replacement in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{origin};",
        "/var/cache/nginx/radio": f"{folder}/cache",
    }.items():
        assert config.count(original) == 1
        config = config.replace(original, replacement)
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
