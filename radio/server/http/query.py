"""Query parameters, each declared once for validation and for the OpenAPI description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from aiohttp import web
from msgspec import Meta

from radio.server.http.validation import read_text

_T = TypeVar("_T")


@dataclass(eq=False)  # Generic sets an attribute: neither frozen nor slots
class QueryParameter(Generic[_T]):
    """An optional query parameter.

    type: its type, with limits and description (`msgspec.Meta`).
    """

    name: str
    type: Any
    default: _T

    def read(self, request: web.Request) -> _T:
        """Return the value in a request, or the default.

        Raises:
            ProblemError: 422 if the value is not allowed.
        """
        text = request.query.get(self.name)
        return self.default if text is None else read_text(self.name, text, self.type)


SID: Final = QueryParameter[str | None](
    "sid",
    Annotated[
        str,
        Meta(
            description="A name for the stream, shared by an audio stream and its event stream.",
            pattern=r"^[A-Za-z0-9_-]{1,64}$(?!\n)",  # in Python, $ also matches before a final line break
            extra={"allowed": "1 to 64 letters, digits, - and _"},
        ),
    ],
    None,
)
