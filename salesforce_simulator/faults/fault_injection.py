"""How a fault strikes a call: what the socket, the status and the body become."""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from wsgiref.headers import Headers
from wsgiref.types import WSGIEnvironment

from waitress.channel import ClientDisconnected

from salesforce_simulator.faults.orders import Fault
from salesforce_simulator.json_text import JSON_TYPE, dumps

Dropped = ClientDisconnected
LOOK = 0.05
#: 420 is not in the list: it is the edge's own.
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Answer:
    """A whole answer on its way out. ``whole`` is false when it is to be sent in pieces."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    whole: bool = True
    interval: float = 0.0

    def chunks(self) -> Iterator[bytes] | list[bytes]:
        """The body as it goes over the wire."""
        return self._drip() if self.interval else [self.body]

    def _drip(self) -> Iterator[bytes]:
        for byte in self.body:
            yield bytes([byte])
            time.sleep(self.interval)


def make(status: int, content_type: str, body: bytes) -> Answer:
    """An answer with a content type and nothing else."""
    return Answer(
        status, REASONS.get(status, "Unknown"), Headers([("Content-Type", content_type)]), body
    )


def html_page(status: int, title: str, text: str) -> Answer:
    """An answer that is a page, as the edge and login walls give them."""
    page = f"<html><head><title>{title}</title></head><body><h1>{text}</h1></body></html>"
    return make(status, "text/html;charset=utf-8", page.encode())


def error(status: int, code: str, message: str) -> Answer:
    """A REST error."""
    return make(status, JSON_TYPE, dumps([{"message": message, "errorCode": code}]))


def drop(environ: WSGIEnvironment, *, reset: bool) -> ClientDisconnected:
    """What to raise so that the server closes this connection without an answer.

    With ``reset`` the caller's next read fails with a reset instead of an end of file.
    """
    channel = environ.get("salesforce_simulator.channel")
    if reset and channel is not None:
        linger = struct.pack("ii", 1, 0)
        channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    return ClientDisconnected()


def hang(environ: WSGIEnvironment, seconds: float) -> ClientDisconnected:
    """Say nothing for so long, or until the caller gives up; then what ``drop`` returns."""
    channel = environ.get("salesforce_simulator.channel")
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (channel is not None and _gone(channel.socket)):
        time.sleep(LOOK)
    return drop(environ, reset=False)


def _gone(connection: socket.socket) -> bool:
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (OSError, ValueError):
        return True


def _replacement(fault: Fault) -> Answer | None:
    option = fault.options
    match fault.kind:
        case "unavailable":
            return error(503, "SERVER_UNAVAILABLE", str(option["message"]))
        case "unavailable_html":
            return html_page(503, "Service Unavailable", "We are down for maintenance.")
        case "bad_gateway":
            return html_page(502, "Bad Gateway", "The server did not answer.")
        case "html_ok":
            return html_page(200, "Login", "Your session has ended. Log in again.")
        case "internal_error":
            message = (
                "An unexpected error occurred. Please include this ErrorId if you contact "
                "support: 12345-67890 (123456789)"
            )
            return error(500, "UNKNOWN_EXCEPTION", message)
        case "unauthorized":
            return error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        case "request_limit":
            message = (
                "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
                if option["concurrent"]
                else "TotalRequests Limit exceeded."
            )
            return error(403, "REQUEST_LIMIT_EXCEEDED", message)
        case "redirect":
            answer = make(302, "text/html;charset=utf-8", b"")
            answer.headers["Location"] = str(option["location"])
            return answer
        case "answer":
            body = option["body"]
            data = body.encode() if isinstance(body, str) else dumps(body)
            answer = make(int(option["status"]), str(option["content_type"]), data)
            for name, value in dict(option["headers"]).items():
                answer.headers[str(name)] = str(value)
            return answer
    return None


def _either(fault: Fault, environ: WSGIEnvironment) -> Answer | None:
    match fault.kind:
        case "delay":
            time.sleep(float(fault.options["seconds"]))
            return None
        case "reset":
            raise drop(environ, reset=True)
        case "hang":
            raise hang(environ, float(fault.options["seconds"]))
    return _replacement(fault)


def act_before(fault: Fault, environ: WSGIEnvironment) -> Answer | None:
    """Act out a fault that strikes before the operation; an Answer stands in for it."""
    return None if fault.when == "after" else _either(fault, environ)


def act_after(fault: Fault, environ: WSGIEnvironment, answer: Answer) -> Answer:
    """Act out a fault that strikes after the operation."""
    if fault.when == "before":
        return answer
    option = fault.options
    match fault.kind:
        case "truncated":
            kept = answer.body[: int(len(answer.body) * float(option["share"]))]
            if option["cut"] == "connection":
                answer.headers["Content-Length"] = str(len(answer.body))
                answer.whole = False
            answer.body = kept
        case "drip":
            answer.interval, answer.whole = float(option["interval"]), False
            answer.headers["Content-Length"] = str(len(answer.body))
        case "oversized":
            answer.body = b" " * int(option["bytes"]) + answer.body
        case "fewer_rows" | "next_page_url":
            answer.body = _edited(fault, answer.body)
        case _:
            return _either(fault, environ) or answer
    return answer


def _edited(fault: Fault, body: bytes) -> bytes:
    value = json.loads(body)
    if fault.kind == "next_page_url":
        _point_elsewhere(value, str(fault.options["url"]))
    else:
        rows = _rows(value)
        if rows:
            del rows[-int(fault.options["rows"]) :]
    return dumps(value)


def _rows(value: Any) -> list[Any] | None:
    """The rows of a collection's or the last collection inside a composite's answer."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    for key in ("compositeResponse", "results", "records"):
        if isinstance(value.get(key), list):
            inner = [_rows(part.get("body")) for part in value[key] if isinstance(part, dict)]
            found = [rows for rows in inner if rows is not None]
            rows: list[Any] = found[-1] if found else value[key]
            return rows
    return None


def _point_elsewhere(value: Any, url: str) -> None:
    """Make every query answer found incomplete, with its next page at ``url``."""
    if isinstance(value, list):
        for part in value:
            _point_elsewhere(part, url)
    elif isinstance(value, dict):
        if {"totalSize", "done", "records"} <= value.keys():
            value["done"], value["nextRecordsUrl"] = False, url
        for part in list(value.values()):
            _point_elsewhere(part, url)
