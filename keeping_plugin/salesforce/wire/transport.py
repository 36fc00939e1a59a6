"""The one HTTP session for everything that goes to Salesforce: data, tokens and revocation.

https only, Salesforce's hosts only, no redirects, no proxies or .netrc from the environment, no
cookies, no retries (they belong to the row, not the socket), one deadline over each whole call and
a cap on the size of its answers.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from keeping_plugin import salesforce_hosts as hosts
from keeping_plugin.salesforce.wire.answer_sizes import LARGEST, too_many_values
from keeping_plugin.salesforce.wire.deadline import Call, PlainPool, TlsPool, calling, current_call
from keeping_plugin.times import CALL, CONNECT

_HOSTS = 64  # orgs whose connections are kept open
_PER_HOST = 16
_ENCODINGS = frozenset({"gzip", "identity"})


class NoAnswer(Exception):
    """No complete HTTP answer. `sent`: a byte of the request may have left; `timed_out`: the
    deadline ended it."""

    def __init__(self, reason: str, *, sent: bool, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.timed_out = timed_out


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": TlsPool, "http": PlainPool}


class Transport(requests.Session):
    """A requests.Session that Salesforce's clients share, safe for threads.

    One an app: it keeps connections open between calls and forgets them in a forked child.
    `monotonic` is the clock by which `start_by` is read. `gate` is entered before each call that
    stands in no other; what it raises is raised, and nothing is sent. Raises NoAnswer,
    CallNotStarted.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        seconds: float = CALL,
        connect_seconds: float = CONNECT,
        max_bytes: int = LARGEST,
        monotonic: Callable[[], float] = time.monotonic,
        gate: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 0
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.allow_loopback = allow_loopback
        self._seconds = seconds
        self._connect_seconds = connect_seconds
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._gate = gate
        self._process = 0
        self._opening = threading.Lock()
        self._open()

    def _open(self) -> None:
        """Fresh connections: a forked child must not write into its parent's."""
        with self._opening:
            if self._process == os.getpid():
                return
            self.adapters.clear()
            adapter = _Adapter(pool_connections=_HOSTS, pool_maxsize=_PER_HOST, max_retries=0)
            self.mount("https://", adapter)
            if self.allow_loopback:
                self.mount("http://", adapter)
            self._process = os.getpid()

    @contextmanager
    def call(
        self,
        *,
        seconds: float | None = None,
        start_by: float | None = None,
        max_bytes: int | None = None,
    ) -> Iterator[Call]:
        """Everything sent inside shares one deadline, and no answer has more than `max_bytes`. A
        call made inside another one, to refresh its token, has its own: a refresh cut short could
        lose a rotated token."""
        with (
            self._gate() if current_call() is None else nullcontext(),
            calling(
                Call(
                    seconds=seconds or self._seconds,
                    start_by=start_by,
                    monotonic=self._monotonic,
                    max_bytes=min(max_bytes or self._max_bytes, self._max_bytes),
                )
            ) as call,
        ):
            yield call

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one prepared request and read its whole answer. Raises NoAnswer, CallNotStarted."""
        call = current_call()
        if call is None:
            with self.call():
                return self.send(request, **kwargs)
        url = request.url or ""
        if not hosts.url_allowed(url, allow_loopback=self.allow_loopback):
            raise NoAnswer("the address is none of Salesforce's", sent=False)
        if hosts.is_loopback(url):
            # simple-salesforce always builds https; the simulated org speaks plain HTTP.
            url = request.url = "http://" + url.partition("://")[2]
        if self._process != os.getpid():
            self._open()
        # What else requests could unpack it would offer here, too; Salesforce knows gzip.
        request.headers["Accept-Encoding"] = "gzip"
        call.sent = False
        call.requests += 1
        call.received = 0
        try:
            return self._exchange(request, call, kwargs)
        except requests.RequestException as error:
            # The text of these errors holds addresses and may hold a query: it goes no further.
            raise NoAnswer(
                type(error).__name__, sent=call.sent, timed_out=_is_timeout(error)
            ) from error
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise NoAnswer(
                type(error).__name__, sent=call.sent, timed_out=isinstance(error, TimeoutError)
            ) from error

    def _exchange(
        self, request: requests.PreparedRequest, call: Call, kwargs: dict[str, Any]
    ) -> requests.Response:
        left = call.remaining()
        kwargs |= {
            "timeout": (min(self._connect_seconds, left), left),
            "stream": True,
            "allow_redirects": False,
            "verify": True,
            "proxies": {},
        }
        response = super().send(request, **kwargs)
        try:
            if response.url != request.url:
                raise NoAnswer("the answer came from another address", sent=True)
            if response.headers.get("Content-Encoding", "gzip").lower() not in _ENCODINGS:
                raise NoAnswer("the answer is packed in a way nobody asked for", sent=True)
            body = bytearray()
            for chunk in response.iter_content(65_536):
                body += chunk
                if len(body) > call.max_bytes:
                    raise NoAnswer("the answer is too large", sent=True)
        finally:
            response.close()
        response._content = bytes(body)
        del body
        # JSON is UTF-8, and without this requests would guess at what a page of megabytes is in.
        response.encoding = "utf-8"
        if too_many_values(response.content, call.max_bytes):
            raise NoAnswer("the answer holds too much", sent=True)
        call.remaining()  # parsing cannot be cut short: nothing late is begun
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: a redirect is an answer like any other, and not one of Salesforce's REST API."""
        return None


def _is_timeout(error: BaseException) -> bool:
    """Whether a deadline is at the bottom of this error, which urllib3 wraps several times.

    urllib3 counts a refused connection among its timeouts; here it is none.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, urllib3.exceptions.NewConnectionError):
            return isinstance(seen.__cause__, TimeoutError)
        if isinstance(seen, TimeoutError | urllib3.exceptions.TimeoutError):
            return True
        inner = [arg for arg in seen.args if isinstance(arg, BaseException)]
        reason = getattr(seen, "reason", None)
        if isinstance(reason, BaseException):
            inner.insert(0, reason)
        seen = inner[0] if inner else seen.__cause__
    return False
