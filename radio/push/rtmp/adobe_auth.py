"""Login of an RTMP publisher with user and password, as required by Wowza and other servers ("authmod=adobe").

The server refuses the connection and says how to log in; the client answers in the query of its next attempt. There is
no specification; this is the exchange that librtmp implements, which OBS and ffmpeg use.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5
from typing import Final

from radio.errors import StreamError

ATTEMPTS: Final = 3
"""Number of connections for a login: without a query, with the user, and with the answer to the challenge."""


class LoginNeededError(StreamError):
    """The server refuses a connection and says how to log in."""


def query(refusal: str, user: str, password: str, challenge: str) -> str:
    """Return the query for the next attempt to connect.

    Args:
        refusal: The server's reason.
        user: The user's name.
        password: The user's password; only a digest of it is sent.
        challenge: Eight random hexadecimal digits.

    Raises:
        StreamError: There is no user, or the server does not accept this one.
    """
    if not user:
        raise StreamError("the server asks for a user and a password: use rtmp://USER@HOST/APP, and set password_env")
    if "?reason=authfailed" in refusal or "?reason=nosuchuser" in refusal:
        raise StreamError("the server rejects the user or the password")
    _, separator, request = refusal.partition("?reason=needauth")
    if not separator:
        return f"?authmod=adobe&user={user}"
    values = dict(part.partition("=")[::2] for part in request.split()[0].split("&") if "=" in part) if request else {}
    seed = values.get("opaque") or values.get("challenge", "")
    response = _digest(_digest(user + values.get("salt", "") + password) + seed + challenge)
    opaque = f"&opaque={values['opaque']}" if values.get("opaque") else ""
    return f"?authmod=adobe&user={user}&challenge={challenge}&response={response}{opaque}"


def _digest(text: str) -> str:
    return b64encode(md5(text.encode(), usedforsecurity=False).digest()).decode()
