"""Where a push goes and what it is let in with: addresses without secrets, and keys that never show."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from radio.errors import SettingsError

PORTS: Final = {"rtmp": 1935, "rtmps": 443, "icecast": 8000}
"""Schemes of addresses, and the port of each where none is named."""

_ENV_NAME: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
_LONGEST_KEY: Final = 1_024
_SHORTEST_HIDDEN: Final = 3
"""Letters: hiding shorter keys would hide words of every message instead."""
_HIDDEN: Final = "…"
_KEY_ELSEWHERE: Final = "name an environment variable (key_env) or a file (key_file) that holds it"


@dataclass(frozen=True, slots=True)
class Target:
    """An address as everybody may see it."""

    scheme: str
    host: str
    port: int
    path: str
    """RTMP: the application, without slashes around it. Icecast: the mount, with its slash."""
    user: str = ""
    """Who the source is to an Icecast server."""

    @property
    def has_picture(self) -> bool:
        return self.scheme != "icecast"

    @property
    def is_secure(self) -> bool:
        return self.scheme == "rtmps"

    @property
    def netloc(self) -> str:
        """Host and port, as a server is told them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}/{self.path.removeprefix('/')}"


def parse(address: str) -> Target:
    """Take an address apart.

    Raises:
        ValueError: It cannot be pushed to, or seems to hold a secret; the message never repeats it.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise ValueError("this is no address: its host or port cannot be read") from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not parts.hostname:
        known = "rtmp://HOST/APP, rtmps://HOST/APP or icecast://HOST:PORT/MOUNT"
        raise ValueError(f"this is no address to push to: write {known}")
    if parts.password is not None or (parts.username and scheme != "icecast"):
        raise ValueError(f"the address holds a password, and addresses are shown: {_KEY_ELSEWHERE}")
    if parts.query or parts.fragment:
        raise ValueError(f"what follows ? or # in the address may be a secret and is part of the key: {_KEY_ELSEWHERE}")
    if re.search(r"[\s\x00-\x1f\x7f]", parts.path) or not address.isascii():
        raise ValueError("the address holds a space or a letter that addresses do not have")
    path = parts.path.strip("/")
    if not path:
        example = "/app" if scheme != "icecast" else "/chill.opus"
        raise ValueError(f"the address ends with the host: add the {_what(scheme)}, such as {example}")
    if scheme == "icecast":
        return Target(scheme, parts.hostname, port or PORTS[scheme], f"/{path}", parts.username or "source")
    if "/" in path and not parts.path.endswith("/"):
        raise ValueError(
            f"the address seems to end in the stream key: leave that out, and {_KEY_ELSEWHERE}; "
            "if all of it is the application's name, end it with a slash"
        )
    return Target(scheme, parts.hostname, port or PORTS[scheme], path)


def _what(scheme: str) -> str:
    return "mount" if scheme == "icecast" else "application"


@dataclass(frozen=True, slots=True)
class Key:
    """Where a stream key or a source's password is found; exactly one of the three is given."""

    env: str | None = None
    file: Path | None = None
    given: str | None = field(default=None, repr=False)

    def read(self) -> str:
        """The key as it is now: whoever changes the file need not restart the radio.

        Raises:
            SettingsError: There is none, or it cannot be one; never with the key in it.
        """
        if self.env is not None:
            where = f"the environment variable {self.env}"
            text = os.environ.get(self.env, "")
            if not text.strip():
                raise SettingsError(f"{where} is not set: it must hold the key")
        elif self.file is not None:
            where = f"the file {self.file}"
            try:
                text = self.file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not text"
                raise SettingsError(f"{where}, which must hold the key, cannot be read: {reason}") from error
        else:
            where, text = "the key", self.given or ""
        key = text.strip()
        if not key or len(key) > _LONGEST_KEY or not key.isprintable() or " " in key:
            raise SettingsError(f"{where} does not hold one word, which a key is")
        return key


def env_name(word: str) -> str:
    """`word`, which must be a variable's name in capitals: keys look like names otherwise, and names are shown.

    Raises:
        ValueError: It is something else, maybe the key itself; the message does not repeat it.
    """
    if not _ENV_NAME.fullmatch(word):
        raise ValueError("this is the name of an environment variable, in capitals such as TWITCH_KEY, not the key")
    return word


def hide(text: str, key: str, user: str = "") -> str:
    """`text` without the key, as it is and in the forms in which it is sent."""
    for secret in (key, quote(key, safe=""), b64encode(f"{user}:{key}".encode()).decode()):
        if len(secret) >= _SHORTEST_HIDDEN:
            text = text.replace(secret, _HIDDEN)
    return text
