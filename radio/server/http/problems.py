"""Error responses: JSON of the form `{"error": {"code", "message", "field", "allowed"}}`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from radio.errors import ControlError, ServerError
from radio.server.api.problem import Fault, Problem
from radio.server.http.responses import json_response

_log = logging.getLogger("radio.server")
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 417: "bad_request"}


class ProblemError(Exception):
    """An error response.

    field, allowed: the part of the request that is wrong, and its allowed values.
    retry_after: seconds after which the same request may succeed.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        allowed: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.field = field
        self.allowed = allowed
        self.retry_after = retry_after
        super().__init__(message)


@web.middleware
async def errors_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn the exceptions of a handler into error responses."""
    try:
        return await handler(request)
    except ProblemError as problem:
        return error_response(problem)
    except ControlError as error:
        return error_response(ProblemError(422, "not_allowed", str(error), field=error.field, allowed=error.allowed))
    except ServerError as error:
        return error_response(ProblemError(503, "unavailable", str(error), retry_after=5))
    except web.RequestPayloadError as error:
        return error_response(ProblemError(400, "bad_request", f"the body cannot be read: {error}"))
    except ConnectionError:
        raise  # the client has disconnected
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = _CODES.get(error.status, "error")
        if isinstance(error, web.HTTPNotFound):
            message = f"there is nothing at {request.path}; /api/openapi.json lists all addresses"
            return error_response(ProblemError(404, code, message))
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return error_response(ProblemError(error.status, code, f"{request.path}: {error.reason}"), headers)
    except Exception:  # noqa: BLE001 — a bug in one handler must not affect other requests
        _log.exception("%s %s failed", request.method, request.path)
        return error_response(ProblemError(500, "internal", "the request failed; see the log of the radio"))


def rewrite_error(response: web.StreamResponse) -> None:
    """Rewrite an error response of aiohttp that bypassed `errors_as_json`, such as the one for an unknown `Expect`."""
    if isinstance(response, web.HTTPException) and response.status >= 400:
        problem = ProblemError(response.status, _CODES.get(response.status, "error"), response.reason)
        response.content_type, response.body = "application/json", error_response(problem).body


def error_response(problem: ProblemError, headers: dict[str, str] | None = None) -> web.Response:
    """Return the error response."""
    fault = Fault(problem.code, str(problem))
    if problem.field is not None:
        fault = Fault(problem.code, str(problem), problem.field, problem.allowed)
    if problem.retry_after is not None:
        headers = {**(headers or {}), "Retry-After": str(problem.retry_after)}
    return json_response(Problem(fault), status=problem.status, headers=headers)
