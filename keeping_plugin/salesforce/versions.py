"""Which version of the REST API to speak with an org: the newest that both sides know.

Salesforce adds a version three times a year, to one org after the other, and takes old ones away.
`GET /services/data/` lists what an org serves; it needs no login and is not counted.
"""

from __future__ import annotations

import re

from keeping_plugin.salesforce.errors import complaints_of
from keeping_plugin.salesforce.wire.answer_sizes import MAX_BYTES
from keeping_plugin.salesforce.wire.client import Answer, parsed
from keeping_plugin.salesforce.wire.deadline import current_call
from keeping_plugin.salesforce.wire.transport import NoAnswer, Transport

_VERSION = re.compile(r"[0-9]{2,3}\.0", re.ASCII)
# Resources of every version: a 404 there says nothing of a record.
_EVERYWHERE = frozenset({"composite", "composite/sobjects", "limits"})
_CODES = frozenset({"GONE", "UNSUPPORTED_API_VERSION"})


def lower(ours: str, theirs: str | None) -> str:
    """The lower of two versions; ours where the other is not known."""
    return ours if theirs is None else min(ours, theirs, key=float)


def served(transport: Transport, instance_url: str) -> tuple[str, ...] | None:
    """The versions that an org serves; None when it does not say. Within the current call's
    deadline, and without a token."""
    call = current_call()
    try:
        with transport.call(
            seconds=call.remaining() if call else None, max_bytes=MAX_BYTES["versions"]
        ):
            response = transport.get(
                instance_url + "/services/data/", headers={"Accept": "application/json"}
            )
    except (NoAnswer, TimeoutError):
        return None
    body = parsed(response)
    if response.status_code != 200 or not isinstance(body, list):
        return None
    found = [entry.get("version") for entry in body if isinstance(entry, dict)]
    return tuple(one for one in found if isinstance(one, str) and _VERSION.fullmatch(one)) or None


def newest_common(ours: str, theirs: tuple[str, ...]) -> str | None:
    """The newest version of theirs that is not newer than ours; None when there is none."""
    return max((one for one in theirs if float(one) <= float(ours)), key=float, default=None)


def may_be_unserved(answer: Answer) -> bool:
    """Whether this answer can mean that the org does not serve the version it was asked in. A 404
    can as well mean a record or an object."""
    return answer.status in {404, 410} or _says_so(answer)


def is_unserved(answer: Answer, path: str) -> bool:
    """Whether it can mean nothing else."""
    return _says_so(answer) or (answer.status in {404, 410} and path in _EVERYWHERE)


def is_page(answer: Answer) -> bool:
    """A 404 or 410 that is none of the REST API's, which says why in JSON: nobody knows the org at
    this address."""
    return answer.status in {404, 410} and not complaints_of(answer.body)


def _says_so(answer: Answer) -> bool:
    return answer.status >= 400 and any(
        complaint.code in _CODES for complaint in complaints_of(answer.body)
    )
