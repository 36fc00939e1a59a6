"""The host's own lists of addresses and domains, in the form in which they are compared."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import lru_cache

from keeping_plugin.addresses import address_key, domain_key

_log = logging.getLogger(__name__)


def internal_keys(entries: Collection[str]) -> frozenset[str]:
    """Address keys and domain keys of `HelpDesk.internal_addresses`."""
    return _keys(frozenset(entries))


def domain_keys(entries: Collection[str]) -> frozenset[str]:
    """Domain keys of `HelpDesk.skipped_domains`."""
    return _keys(frozenset(entries))


# A host that hands out the same frozenset each time pays for a long list once; for others building
# one to look it up costs far less than reading each entry.
@lru_cache(maxsize=128)
def _keys(entries: frozenset[str]) -> frozenset[str]:
    keys = [_key(entry) for entry in entries]
    unread = keys.count(None)
    if unread:
        # Their text stays out of the log: addresses are personal data.
        _log.warning("host_list_unread entries=%d of=%d", unread, len(keys))
    return frozenset(key for key in keys if key is not None)


def _key(entry: str) -> str | None:
    entry = entry.strip()
    if entry.rfind("@") > 0:
        return address_key(entry)
    return domain_key(entry.removeprefix("@").removeprefix("*."))
