"""Which hosts may ever see a token: Salesforce's own, by https, and nothing else.

`instance_url` arrives in the token response and every later call goes there with a bearer token, so
an address is compared whole with one strict pattern instead of being taken apart: no user
information, no port, no IP literal, no path, no blanks. The loopback address of a simulated org
passes only when the configuration says so. The configured login hosts keep the same rule.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SALESFORCE = re.compile(
    rf"https://(?:{_LABEL}\.){{1,8}}(?:salesforce\.com|salesforce\.mil|sfcrmproducts\.cn)",
    re.ASCII,
)
_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?", re.ASCII)
_IDENTITY = re.compile(
    r"(?P<origin>https?://[^/]+)"
    r"/id/(?P<org>00D[a-zA-Z0-9]{12}(?:[a-zA-Z0-9]{3})?)"
    r"/(?P<user>005[a-zA-Z0-9]{12}(?:[a-zA-Z0-9]{3})?)",
    re.ASCII,
)
_PATH = re.compile(r"(?P<origin>https?://[^/?#]+)(?P<path>/services/[!-~]*)", re.ASCII)


MAX_LENGTH = 255  # of an origin, and of an identity URL


class Identity(NamedTuple):
    """The ids in an identity URL, 15 or 18 characters as they stood there."""

    org_id: str
    user_id: str


def origin_allowed(origin: str, *, allow_loopback: bool) -> bool:
    """Whether `scheme://host` is a Salesforce host, or the simulated one where that is allowed. No
    name in the DNS is longer than the column that keeps it."""
    if len(origin) > MAX_LENGTH:
        return False
    if _SALESFORCE.fullmatch(origin):
        return True
    return allow_loopback and _LOOPBACK.fullmatch(origin) is not None


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's, as far as `origin_allowed` would let it be."""
    return re.match(rf"{_LOOPBACK.pattern}(?:/|$)", url, re.ASCII) is not None


def url_allowed(url: str, *, allow_loopback: bool) -> bool:
    """Whether a call may go to this address: an allowed host and a path below /services/."""
    parts = _PATH.fullmatch(url)
    return (
        parts is not None
        and origin_allowed(parts["origin"], allow_loopback=allow_loopback)
        and "/../" not in parts["path"]
        and "//" not in parts["path"].partition("?")[0]
    )


def identity(url: str, *, allow_loopback: bool) -> Identity | None:
    """The org and user of an identity URL (`https://login.salesforce.com/id/00D…/005…`), or None
    when it is no such URL of an allowed host."""
    parts = _IDENTITY.fullmatch(url)
    if (
        parts is None
        or len(url) > MAX_LENGTH
        or not origin_allowed(parts["origin"], allow_loopback=allow_loopback)
    ):
        return None
    return Identity(parts["org"], parts["user"])
