"""The wire around a site: size limits, compression, faults and the request log.

Everything below ``/services`` and ``/id`` passes here before and after it is answered; the pages
and the control prefix do not, so no fault can lock a test out.
"""

from __future__ import annotations

import gzip
import logging
import threading
import time
import uuid
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import unquote_plus
from wsgiref.headers import Headers
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from salesforce_simulator.faults.fault_injection import (
    Answer,
    Dropped,
    act_after,
    act_before,
    drop,
    html_page,
)
from salesforce_simulator.faults.orders import Call, Fault
from salesforce_simulator.rest.session import SCHEMES, find_session
from salesforce_simulator.site import Site
from salesforce_simulator.trace import Trace

URI_LIMIT = 16_384
#: What the simulator itself takes; the service refuses JSON above 50 MB in words of its own.
BODY_LIMIT = 64 * 1024 * 1024
COMPRESSED_FROM = 1024
SERVICE = ("/services/", "/id/")
logger = logging.getLogger(__name__)


def raw_target(environ: WSGIEnvironment) -> str:
    """Path and query as they came over the wire, percent-encoding untouched.

    Real orgs take ``//services/…`` for ``/services/…``, and clients rely on it: they join a path to
    an instance URL that ends in a slash.
    """
    target = str(environ.get("REQUEST_URI") or "")
    if target:
        path = target if target.startswith("/") else "/" + target.split("/", 3)[-1]
        return "/" + path.lstrip("/")
    query = environ.get("QUERY_STRING", "")
    return str(environ["PATH_INFO"]) + (f"?{query}" if query else "")


def request_headers(environ: WSGIEnvironment) -> dict[str, str]:
    """The request's headers by lower-case name."""
    found = {
        key[5:].replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            found[key.replace("_", "-").lower()] = str(environ[key])
    return found


def call_name(headers: dict[str, str]) -> str | None:
    """The caller's name for a call: ``X-Call-Name``, else ``Sforce-Call-Options: client=``."""
    named = headers.get("x-call-name")
    if named:
        return named
    for part in headers.get("sforce-call-options", "").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "client" and value:
            return value
    return None


def too_long(environ: WSGIEnvironment, headers: dict[str, str]) -> Answer | None:
    """414 and 431 as the edge answers them."""
    target = len(raw_target(environ).encode("utf-8"))
    if target > URI_LIMIT:
        return html_page(414, "URI Too Long", "Bad Message 414: reason: URI Too Long")
    if target + sum(len(k) + len(v) for k, v in headers.items()) > URI_LIMIT:
        message = "Bad Message 431: reason: Request Header Fields Too Large"
        return html_page(431, "Request Header Fields Too Large", message)
    return None


class Exchange:
    """The outermost WSGI application of a site."""

    def __init__(self, site: Site, inner: WSGIApplication) -> None:
        self._site = site
        self._inner = inner
        self._lock = threading.Lock()
        #: Operations whose caller is gone and that are still to be carried out.
        self.late = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not raw_target(environ).startswith(SERVICE):
            return self._inner(environ, start_response)
        started = time.perf_counter()
        trace = Trace()
        environ["salesforce_simulator.trace"] = trace
        struck: list[Fault] = []
        status = 0
        try:
            answer = self._answer(environ, trace, struck)
            answer = self._finish(environ, answer)
            status = answer.status
        finally:
            if not (struck and struck[-1].kind == "late_commit"):
                self._write_log(environ, trace, struck, status, started)
        start_response(f"{answer.status} {answer.reason}", answer.headers.items())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else answer.chunks()

    def _answer(self, environ: WSGIEnvironment, trace: Trace, struck: list[Fault]) -> Answer:
        headers = request_headers(environ)
        trace.call = call_name(headers)
        refused = too_long(environ, headers)
        body = environ["wsgi.input"].read()
        if headers.get("content-encoding", "").lower() == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                refused = html_page(400, "Bad Request", "The body is not gzip")
        if len(body) > BODY_LIMIT:
            refused = html_page(413, "Request Entity Too Large", "The body is above 64 MB")
        if refused is not None:
            return refused
        moved = self._site.home.answer(int(environ["SERVER_PORT"]), raw_target(environ))
        if moved is not None:
            return moved
        environ["salesforce_simulator.body"] = body
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        if self._site.settings.latency_ms:
            time.sleep(self._site.settings.latency_ms / 1000)
        faults = self._site.faults.for_call(self._scope(environ, headers, body, trace))
        for fault in faults:
            struck.append(fault)
            if fault.kind == "late_commit":
                self._commit_later(environ, trace, fault)
                raise drop(environ, reset=False)
            replaced = act_before(fault, environ)
            if replaced is not None:
                return replaced
        answer = self._run(environ)
        for fault in faults:
            answer = act_after(fault, environ, answer)
        return answer

    def _scope(
        self, environ: WSGIEnvironment, headers: dict[str, str], body: bytes, trace: Trace
    ) -> Call:
        path, _, query = raw_target(environ).partition("?")
        user = None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() in SCHEMES:
            session = find_session(self._site, token.strip())
            if session is not None:
                user, trace.user, trace.token = (
                    session.user,
                    session.user.username,
                    session.fingerprint,
                )
        text = unquote_plus(query) + "\n" + body.decode("utf-8", "replace")
        method = str(environ["REQUEST_METHOD"])
        return Call(method=method, path=path, text=text, user=user, call=trace.call)

    def _run(self, environ: WSGIEnvironment) -> Answer:
        caught: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            caught["status"], caught["headers"] = status, headers
            return caught.setdefault("written", []).append

        chunks = self._inner(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        code, _, reason = caught["status"].partition(" ")
        return Answer(int(code), reason, Headers(list(caught["headers"])), body)

    def _commit_later(self, environ: WSGIEnvironment, trace: Trace, fault: Fault) -> None:
        started = time.perf_counter()
        with self._lock:
            self.late += 1

        def commit() -> None:
            try:
                time.sleep(float(fault.options["seconds"]))
                self._run(environ)
            except Exception:
                logger.exception("an operation carried out late failed")
            finally:
                self._write_log(environ, trace, [fault], 0, started)
                with self._lock:
                    self.late -= 1

        threading.Thread(target=commit, name="late-commit", daemon=True).start()

    def _finish(self, environ: WSGIEnvironment, answer: Answer) -> Answer:
        headers = answer.headers
        headers["Date"] = f"{self._site.clock.now():%a, %d %b %Y %H:%M:%S} GMT"
        headers["x-sfdc-request-id"] = uuid.uuid4().hex
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-cache,must-revalidate,max-age=0,no-store,private"
        headers["Vary"] = "Accept-Encoding"
        wanted = "gzip" in str(environ.get("HTTP_ACCEPT_ENCODING", "")).lower()
        if wanted and answer.whole and len(answer.body) > COMPRESSED_FROM:
            answer.body = gzip.compress(answer.body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
            etag = headers.get("ETag")
            if etag is not None:
                headers["ETag"] = f'{etag[:-1]}--gzip"'
        if answer.status not in (204, 304) and answer.whole:
            headers["Content-Length"] = str(len(answer.body))
        return answer

    def _write_log(
        self,
        environ: WSGIEnvironment,
        trace: Trace,
        struck: list[Fault],
        status: int,
        started: float,
    ) -> None:
        cost = trace.cost
        self._site.log.add(
            method=str(environ["REQUEST_METHOD"]),
            path=raw_target(environ).partition("?")[0],
            call=trace.call,
            user=trace.user,
            token=trace.token,
            status=status,
            duration_ms=round((time.perf_counter() - started) * 1000, 2),
            api_requests=0 if cost is None else cost.api_requests,
            subrequests=0 if cost is None else cost.subrequests,
            rows=0 if cost is None else cost.rows,
            parts=tuple(trace.parts),
            faults=tuple(fault.kind for fault in struck),
        )


__all__ = ["Dropped", "Exchange", "raw_target", "request_headers"]
