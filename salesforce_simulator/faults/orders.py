"""Faults that tests order: which calls or rows they strike, how often, and what they do.

A fault is *scoped* (method, path, object, user, call name, text) and either strikes ``times``
times or, with ``times`` None, stands until removed. Call faults are acted out by ``strikes``;
row faults refuse single records while the call around them goes on.
"""

from __future__ import annotations

import fnmatch
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.results import User

When = Literal["before", "after"]

#: kind -> (what it does, the options it takes with their defaults). "before": the operation is not
#: carried out. "after": it is, and its answer is lost or changed.
CALL_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "delay": ("answer later", {"seconds": 1.0}),
    "hang": ("no answer for so long, then the connection closes", {"seconds": 60.0}),
    "reset": ("the connection is reset", {}),
    "unavailable": ("503 as JSON", {"message": "Service unavailable, please try again later"}),
    "unavailable_html": ("503 as an HTML page", {}),
    "internal_error": ("500 UNKNOWN_EXCEPTION", {}),
    "bad_gateway": ("502 from the edge, as HTML", {}),
    "unauthorized": ("401 INVALID_SESSION_ID to a data call, whatever its token", {}),
    "request_limit": ("403 REQUEST_LIMIT_EXCEEDED", {"concurrent": False}),
    "answer": (
        "any answer",
        {
            "status": 200,
            "body": "",
            "content_type": "application/json",
            "headers": {},
        },
    ),
    "html_ok": ("200 with an HTML page, as a login wall answers", {}),
    "redirect": ("302 to another host", {"location": "https://evil.example/"}),
    "truncated": (
        "the body ends half way; cut 'connection' also breaks the connection",
        {"share": 0.5, "cut": "body"},
    ),
    "drip": ("the body comes a byte at a time", {"interval": 1.0}),
    "oversized": ("blanks are put in front of the body", {"bytes": 64 * 1024 * 1024}),
    "fewer_rows": ("the last rows of a collection or composite are missing", {"rows": 1}),
    "next_page_url": (
        "nextRecordsUrl points elsewhere",
        {"url": "https://evil.example/services/data/v66.0/query/0r8-2000"},
    ),
    "late_commit": (
        "the caller loses its connection, the operation is carried out later",
        {"seconds": 5.0},
    ),
    "token_refused": (
        "the token endpoint refuses",
        {
            "grant_type": "refresh_token",
            "error": "invalid_grant",
            "error_description": "expired access/refresh token",
        },
    ),
}
AFTER = frozenset({"truncated", "drip", "oversized", "fewer_rows", "next_page_url"})
ROW_FAULT = "row_refused"
ROW_OPTIONS: dict[str, Any] = {
    "operation": None,
    "code": "UNABLE_TO_LOCK_ROW",
    "message": "unable to obtain exclusive access to this record or 1 records: {id}",
    "status": 400,
    "fields": [],
    "every": 1,
    "tries": None,
    "more_than": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which calls a fault strikes; what is None does not matter.

    ``path`` is a glob over the path without its query (``*/composite*``). ``object`` is an API
    name, found in the path, in a query's FROM or in a body. ``user`` is a username or an id.
    ``call`` is a glob over the call name. ``contains`` is text in the query or the body.
    """

    method: str | None = None
    path: str | None = None
    object: str | None = None
    user: str | None = None
    call: str | None = None
    contains: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What scopes look at."""

    method: str
    path: str
    text: str
    user: User | None
    call: str | None


@dataclass(slots=True, kw_only=True)
class Fault:
    """An ordered fault. ``skip`` matching calls pass first; ``struck`` counts; after ``until``
    (monotonic) it strikes nothing."""

    number: int
    kind: str
    when: When
    scope: Scope
    times: int | None
    skip: int
    options: dict[str, Any]
    until: float | None = None
    struck: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """The fault as the control prefix shows it."""
        shown = asdict(self)
        shown.pop("seen")
        shown.pop("until")
        return shown


def _concerns(scope: Scope, call: Call) -> bool:
    if scope.method is not None and scope.method.upper() != call.method:
        return False
    if scope.path is not None and not fnmatch.fnmatch(call.path.lower(), scope.path.lower()):
        return False
    if scope.call is not None and not fnmatch.fnmatch(call.call or "", scope.call):
        return False
    if scope.user is not None and (call.user is None or not _is_user(call.user, scope.user)):
        return False
    if scope.contains is not None and scope.contains not in call.text:
        return False
    if scope.object is None:
        return True
    name = re.escape(scope.object)
    places = rf"/sobjects/{name}\b|\bFROM[\s+]+{name}\b|\"type\"\s*:\s*\"{name}\""
    return re.search(places, call.path + "\n" + call.text, re.IGNORECASE) is not None


def _is_user(user: User, wanted: str) -> bool:
    return wanted.lower() == user.username.lower() or wanted[:15] == user.id[:15]


class Faults:
    """The faults of one site. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._number = 0

    def add(
        self,
        kind: str,
        *,
        when: When | None = None,
        scope: Mapping[str, str] | None = None,
        times: int | None = 1,
        skip: int = 0,
        lasting: float | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Fault:
        """Order a fault, that stands for ``lasting`` seconds if these are given; ValueError says
        what is wrong with it."""
        if kind == ROW_FAULT:
            defaults = ROW_OPTIONS
        elif kind in CALL_FAULTS:
            defaults = CALL_FAULTS[kind][1]
        else:
            raise ValueError(f"no fault {kind!r}; there are {', '.join([*CALL_FAULTS, ROW_FAULT])}")
        given = dict(options or {})
        unknown = sorted(set(given) - set(defaults))
        if unknown:
            raise ValueError(f"{kind} takes {sorted(defaults)}, not {unknown}")
        if when not in (None, "before", "after"):
            raise ValueError(f"when is 'before' or 'after', not {when!r}")
        if kind in AFTER:
            if when == "before":
                raise ValueError(f"{kind} changes an answer, so it strikes after")
            when = "after"
        try:
            where = Scope(**(scope or {}))
        except TypeError as error:
            raise ValueError(f"unknown scope: {error}") from error
        with self._lock:
            self._number += 1
            fault = Fault(
                number=self._number,
                kind=kind,
                when=when or "before",
                scope=where,
                times=times,
                skip=skip,
                options={**defaults, **given},
                until=None if lasting is None else time.monotonic() + float(lasting),
            )
            self._faults.append(fault)
            return fault

    def remove(self, number: int | None = None) -> None:
        """Remove one fault, or all of them."""
        with self._lock:
            self._faults = [f for f in self._faults if number is not None and f.number != number]

    def ordered(self) -> list[dict[str, Any]]:
        """Every ordered fault, spent ones included."""
        with self._lock:
            return [fault.public() for fault in self._faults]

    def _strikes(self, fault: Fault) -> bool:
        if fault.times is not None and fault.struck >= fault.times:
            return False
        if fault.until is not None and time.monotonic() >= fault.until:
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        fault.struck += 1
        return True

    def for_call(self, call: Call) -> list[Fault]:
        """The call faults that strike this call; each counts as struck by being returned."""
        with self._lock:
            return [
                fault
                for fault in self._faults
                if fault.kind not in (ROW_FAULT, "token_refused")
                # The token endpoint has refusals of its own, and a good refresh may bring a session
                # that the org does not take.
                and not (fault.kind == "unauthorized" and "/services/oauth2/" in call.path)
                and _concerns(fault.scope, call)
                and self._strikes(fault)
            ]

    def for_grant(self, grant_type: str, user: User | None) -> Fault | None:
        """The fault that refuses a token request, if one is ordered for it."""
        with self._lock:
            for fault in self._faults:
                wanted = fault.scope.user
                if fault.kind != "token_refused" or fault.options["grant_type"] != grant_type:
                    continue
                if wanted is not None and (user is None or not _is_user(user, wanted)):
                    continue
                if self._strikes(fault):
                    return fault
            return None

    def for_row(
        self,
        user: User,
        operation: str,
        object_name: str,
        record_id: str | None,
        text: str,
        *,
        together: int = 1,
    ) -> OrgError | None:
        """The refusal of one record's save, if one is ordered for it. ``together`` records travel
        in its call.

        ``more_than`` n refuses while more than n travel together, as a trigger's limits do.
        ``every`` 2 refuses every second row. ``tries`` n refuses each record n times (known by its
        id, or by what is sent when it has none) and lets it pass from then on.
        """
        with self._lock:
            for fault in self._faults:
                if fault.kind != ROW_FAULT or not _row_concerned(
                    fault, user, operation, object_name, text
                ):
                    continue
                if together <= int(fault.options["more_than"]):
                    continue
                if _row_passes(fault, record_id or text) or not self._strikes(fault):
                    continue
                option = fault.options
                message = str(option["message"]).replace("{id}", (record_id or "")[:15])
                return refuse(option["code"], message, option["fields"], status=option["status"])
            return None


def _row_concerned(fault: Fault, user: User, operation: str, object_name: str, text: str) -> bool:
    scope = fault.scope
    wanted: Iterable[bool] = (
        scope.object is None or scope.object.lower() == object_name.lower(),
        scope.user is None or _is_user(user, scope.user),
        scope.contains is None or scope.contains in text,
        fault.options["operation"] in (None, operation),
    )
    return all(wanted)


def _row_passes(fault: Fault, identity: str) -> bool:
    """Count this row; true when ``every`` or ``tries`` lets it pass."""
    fault.seen[identity] = fault.seen.get(identity, 0) + 1
    if fault.options["tries"] is not None:
        return fault.seen[identity] > int(fault.options["tries"])
    rows = sum(fault.seen.values())
    return rows % int(fault.options["every"]) != 0
