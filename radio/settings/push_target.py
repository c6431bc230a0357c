"""Addresses and keys of pushes. Addresses contain no secrets, and keys are never shown."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from radio.errors import SettingsError
from radio.settings.containers import Nullable
from radio.settings.fields import setting
from radio.settings.kinds import File, Word

PORTS: Final = {"rtmp": 1935, "rtmps": 443, "icecast": 8000, "icecasts": 443}
"""Schemes of addresses, with their default ports."""
_ICECAST: Final = ("icecast", "icecasts")

_ENV_NAME: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
_LONGEST_KEY: Final = 1_024
_SHORTEST_HIDDEN: Final = 3
"""Characters. Hiding a shorter key would hide parts of other words."""
_HIDDEN: Final = "…"
_PASSWORD_ELSEWHERE: Final = {
    **dict.fromkeys(PORTS, "leave it out, and name an environment variable (password_env) or a file (password_file)"),
    **dict.fromkeys(_ICECAST, "name an environment variable (key_env) or a file (key_file) that contains it"),
}
_KEY_ELSEWHERE: Final = "name an environment variable (key_env) or a file (key_file) that contains it"


@dataclass(frozen=True, slots=True)
class Target:
    """An address, without any secret.

    Args:
        scheme: One of `PORTS`.
        host: Name or IP address.
        port: TCP port.
        path: RTMP: the application, without slashes around it. Icecast: the mount, with its slash.
        user: User name of an Icecast source or an RTMP publisher; empty without one.
    """

    scheme: str
    host: str
    port: int
    path: str
    user: str = ""

    @property
    def has_picture(self) -> bool:
        return self.scheme not in _ICECAST

    @property
    def is_secure(self) -> bool:
        return self.scheme in ("rtmps", "icecasts")

    @property
    def netloc(self) -> str:
        """Host, with the port if it is not the default one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}/{self.path.removeprefix('/')}"


def parse(address: str) -> Target:
    """Return the parts of an address.

    Raises:
        ValueError: The address is not supported, or seems to contain a secret; the message never repeats it.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise ValueError("this is not an address: its host or port cannot be read") from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not parts.hostname:
        known = (
            "rtmp://HOST/APP or icecast://HOST:PORT/MOUNT, or with TLS rtmps://HOST/APP or icecasts://HOST:PORT/MOUNT"
        )
        raise ValueError(f"this is not an address to push to; write {known}")
    if parts.password is not None:
        raise ValueError(f"the address contains a password, and others can see it; {_PASSWORD_ELSEWHERE[scheme]}")
    if parts.query or parts.fragment:
        raise ValueError(f"the text after ? or # may be a secret and is part of the key; {_KEY_ELSEWHERE}")
    if re.search(r"[\s\x00-\x1f\x7f]", parts.path) or not address.isascii():
        raise ValueError("the address contains a space or another character that addresses cannot have")
    if not _is_host(parts.hostname):
        raise ValueError("the host of the address is not the name of a host: its parts have 1 to 63 characters each")
    user = unquote(parts.username or "")
    if scheme in _ICECAST:
        if not parts.path:
            raise ValueError("the address ends with the host; add the mount, such as /chill.opus, or / for the root")
        mount = f"/{parts.path.strip('/')}"
        return Target(scheme, parts.hostname, port or PORTS[scheme], mount, user or "source")
    path = parts.path.strip("/")
    if not path:
        raise ValueError("the address ends with the host; add the application, such as /app")
    if "/" in path and not parts.path.endswith("/"):
        raise ValueError(
            f"the address seems to end in the stream key; leave it out, and {_KEY_ELSEWHERE}. "
            "If all of it is the name of the application, end it with a slash"
        )
    return Target(scheme, parts.hostname, port or PORTS[scheme], path, user)


def _is_host(name: str) -> bool:
    """Return True if a name may be looked up. Each attempt to connect to another one would fail with UnicodeError."""
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return re.search(r"[\s\x00-\x1f\x7f]", name) is None


def env_name(word: str) -> str:
    """Return `word`, which must be the name of an environment variable in capitals.

    Raises:
        ValueError: It is something else, perhaps the key itself. The message does not repeat it.
    """
    if not _ENV_NAME.fullmatch(word):
        raise ValueError("this is the name of an environment variable, in capitals such as TWITCH_KEY, not the key")
    return word


@dataclass(frozen=True, slots=True)
class Key:
    """The source of a stream key or password. Exactly one of the fields is set.

    Args:
        value: The key itself, as typed by the user.
    """

    env: str | None = setting(
        None,
        Nullable(Word(env_name, "a name in capitals")),
        help="environment variable with the key or password",
    )
    file: Path | None = setting(
        None,
        Nullable(File("key file", must_exist=False)),
        help="file with the key or password; either this or key_env must be given",
    )
    value: str | None = field(default=None, repr=False)

    def read(self) -> str:
        """Return the key. The file is read each time, so a changed key needs no restart.

        Raises:
            SettingsError: The key is missing or malformed. The message never contains the key.
        """
        if self.env is not None:
            where = f"the environment variable {self.env}"
            text = os.environ.get(self.env, "")
            if not text.strip():
                raise SettingsError(f"{where} is not set; it must contain the key")
        elif self.file is not None:
            where = f"the file {self.file}"
            try:
                text = self.file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not text"
                raise SettingsError(f"{where}, which must contain the key, cannot be read: {reason}") from error
        else:
            where, text = "the key", self.value or ""
        key = text.strip()
        if not key or len(key) > _LONGEST_KEY or not key.isprintable():
            raise SettingsError(f"{where} does not contain a key, which is one line of text")
        return key


@dataclass(frozen=True, slots=True)
class Password(Key):
    """The source of an RTMP user's password."""

    env: str | None = setting(
        None,
        Nullable(Word(env_name, "a name in capitals")),
        help="environment variable with the password of the address's user; for RTMP",
    )
    file: Path | None = setting(
        None,
        Nullable(File("password file", must_exist=False)),
        help="file with the password of the address's user; for RTMP",
    )


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of one connection, which are never shown.

    Args:
        key: RTMP: the name of the stream. Icecast: the source's password.
        password: RTMP: the password of the address's user; empty without one.
    """

    key: str = field(repr=False)
    password: str = field(default="", repr=False)

    def hide(self, text: str, user: str = "") -> str:
        """Return `text` with the secrets hidden, both in plain form and as encoded for sending."""
        login = b64encode(f"{user}:{self.key}".encode()).decode()
        for secret in (self.key, quote(self.key, safe=""), login, self.password):
            if len(secret) >= _SHORTEST_HIDDEN:
                text = text.replace(secret, _HIDDEN)
        return text
