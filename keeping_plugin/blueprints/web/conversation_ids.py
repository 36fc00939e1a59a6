"""A conversation's id in an address, whatever stands in it.

An id of the host's may hold slashes, dots, question marks or anything else. Servers, proxies and
browsers decode, shorten and cut such addresses before a route sees them, percent-encoded or not. So
an id that is not plain stands there as `~` and its UTF-8 in URL-safe base64 without padding. Plain
ids stand there as they are, and addresses of old that hold another one percent-encoded still work
where the server passes them on.

Behind the id, after another `~`, may stand which person on the conversation is meant, if not its
customer: a digest of their address, since addresses do not belong into the logs of web servers. It
stays in every address that a page for that person links to.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from flask import Blueprint, g

_PLAIN = re.compile(r"(?!.*\.\.)[A-Za-z0-9_-](?:[A-Za-z0-9_.:@-]*[A-Za-z0-9_-])?")
_MARK = "~"
_NAME = "conversation_id"
_PERSON = re.compile(r"(.+)~([0-9a-f]{16})")


def register(bp: Blueprint) -> None:
    """Let `url_for` write the ids of the blueprint's routes, and their views read them."""
    bp.url_defaults(_write)
    bp.url_value_preprocessor(_read)


def written(conversation_id: str) -> str:
    """The id as a segment of a path."""
    if _PLAIN.fullmatch(conversation_id):
        return conversation_id
    data = conversation_id.encode("utf-8", "surrogatepass")
    return _MARK + urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def read(segment: str) -> str:
    """The id that a segment of a path stands for."""
    if not segment.startswith(_MARK):
        return segment
    text = segment.removeprefix(_MARK)
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found = data.decode("utf-8", "surrogatepass")
    except ValueError:
        return segment
    # Only what we would write ourselves: an id has one address.
    return found if found and written(found) == segment else segment


def digest(key: str) -> str:
    """A person on a conversation, by `addresses.salesforce_key`, as addresses name them."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def person() -> str:
    """The `digest` of the person that this request is about; "" for the customer."""
    found: str = g.get("keeping_person", "")
    return found


def _write(_: str, values: dict[str, Any]) -> None:
    """`card_of`: the digest of whose card it is, if not of the person of this request."""
    meant = values.pop("card_of", None)
    if values.get(_NAME) is not None:
        tail = person() if meant is None else meant
        values[_NAME] = written(str(values[_NAME])) + (_MARK + tail if tail else "")


def _read(_: str | None, values: dict[str, Any] | None) -> None:
    if values and _NAME in values:
        found = _PERSON.fullmatch(values[_NAME])
        segment, g.keeping_person = found.groups() if found else (values[_NAME], "")
        values[_NAME] = read(segment)
