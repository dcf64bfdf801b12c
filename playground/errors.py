"""Refusals: what the API answers in Discord's own codes, and why a playground will not start."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

Json = dict[str, Any]


class PlaygroundError(Exception):
    """The playground cannot start; the message is one sentence for the person who started it."""


class PortTakenError(PlaygroundError):
    """Another program listens on the port."""


class NotLoopbackError(PlaygroundError):
    """The host would be reachable from other machines."""


class DataFolderBusyError(PlaygroundError):
    """Another playground holds the data folder."""


class DataFolderError(PlaygroundError):
    """The data folder cannot be read or written."""


class ApiError(Exception):
    """An answer in Discord's error shape: `{"message", "code", "errors"?}`."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: Json | None = None,
        extra: Json | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.extra = extra or {}
        self.headers = headers or {}

    def body(self) -> Json:
        """The JSON that goes over the wire."""
        body: Json = {"message": self.message, "code": self.code, **self.extra}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


_UNKNOWN = {
    "Channel": 10003,
    "Guild": 10004,
    "Member": 10007,
    "Message": 10008,
    "Role": 10011,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "Interaction": 10062,
    "Application Command": 10063,
    "Application": 10002,
}


def unknown(what: str) -> ApiError:
    """404 with the code of `what`: `unknown("Channel")` is 10003."""
    return ApiError(HTTPStatus.NOT_FOUND, _UNKNOWN[what], f"Unknown {what}")


def unauthorized() -> ApiError:
    """401: no token, or one that names nobody."""
    return ApiError(HTTPStatus.UNAUTHORIZED, 0, "401: Unauthorized")


def missing_access() -> ApiError:
    """403/50001: the caller cannot see the channel or guild."""
    return ApiError(HTTPStatus.FORBIDDEN, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """403/50013: the caller can see it but may not do this."""
    return ApiError(HTTPStatus.FORBIDDEN, 50013, "Missing Permissions")


def too_large() -> ApiError:
    """413/40005: a file, or the whole request, exceeds the limit."""
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, 40005, "Request entity too large")


def empty_message() -> ApiError:
    """400/50006: nothing to show."""
    return ApiError(HTTPStatus.BAD_REQUEST, 50006, "Cannot send an empty message")


def already_acknowledged() -> ApiError:
    """400/40060: a second first response."""
    return ApiError(HTTPStatus.BAD_REQUEST, 40060, "Interaction has already been acknowledged.")


def invalid_webhook_token() -> ApiError:
    """401/50027: the interaction token is older than 15 minutes, or wrong."""
    return ApiError(HTTPStatus.UNAUTHORIZED, 50027, "Invalid Webhook Token")


def bad_request(code: int, message: str) -> ApiError:
    """400 with any code."""
    return ApiError(HTTPStatus.BAD_REQUEST, code, message)


def not_implemented(method: str, path: str) -> ApiError:
    """404 as Discord words it, plus which route the playground lacks."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        0,
        "404: Not Found",
        extra={"playground": f"{method} {path} is not part of the playground."},
    )
