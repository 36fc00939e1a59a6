"""When and from where users may log in, and from where the app may redeem codes and refresh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from salesforce_simulator.store import Store

MAX_RANGES = 128
MAX_ADDRESSES = 256


def within_hours(hours: str, moment: datetime) -> bool:
    """Whether a moment lies in ``HH:MM-HH:MM`` of its own zone, which may cross midnight.

    "" is never and "always" is always; ValueError for anything else.
    """
    if hours in ("", "always"):
        return bool(hours)
    start, dash, end = hours.partition("-")
    if not dash:
        raise ValueError(f"hours are written HH:MM-HH:MM, not {hours!r}")
    first, last = time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    now = moment.time()
    return first <= now < last if first <= last else not last <= now < first


def check_hours(hours: str) -> None:
    """ValueError for hours that cannot be read."""
    within_hours(hours, datetime.min.replace(tzinfo=UTC))


def within_ranges(ranges: Sequence[str], address: str) -> bool:
    """Whether an address lies in one of these: an address, a network, or ``first-last``."""
    wanted = ip_address(address)
    return any(
        first.version == wanted.version and int(first) <= int(wanted) <= int(last)
        for first, last in map(_ends, ranges)
    )


def _ends(text: str) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    first, dash, last = text.partition("-")
    if dash:
        return ip_address(first.strip()), ip_address(last.strip())
    network = ip_network(text.strip(), strict=False)
    return network[0], network[-1]


def checked_ranges(ranges: Sequence[str]) -> list[str]:
    """An allowlist of the app: at most 128 ranges of at most 256 addresses; ValueError."""
    if len(ranges) > MAX_RANGES:
        raise ValueError(f"at most {MAX_RANGES} ranges of addresses")
    for text in ranges:
        first, last = _ends(text)
        if int(last) - int(first) >= MAX_ADDRESSES:
            raise ValueError(f"{text}: a range has at most {MAX_ADDRESSES} addresses")
    return list(ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a user's profile allows: "" and no ranges mean at any time and from anywhere."""

    hours: str = ""
    addresses: tuple[str, ...] = ()

    def refusal(self, moment: datetime, address: str) -> str | None:
        """The words of the token endpoint when a login falls outside; None when it may go on."""
        if self.addresses and not within_ranges(self.addresses, address):
            return "ip restricted"
        if self.hours and not within_hours(self.hours, moment):
            return "Invalid login hours"
        return None


class LoginBounds:
    """The bounds of each user, kept in the org's settings."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, user_id: str) -> Bounds:
        """A user's bounds."""
        kept = self._store.settings("login bounds").get(user_id, {})
        return Bounds(hours=kept.get("hours", ""), addresses=tuple(kept.get("addresses", ())))

    def set(self, user_id: str, *, hours: str = "", addresses: Sequence[str] = ()) -> None:
        """Replace a user's bounds; ValueError for hours or addresses that are none."""
        check_hours(hours)
        for text in addresses:
            _ends(text)
        kept = {"hours": hours, "addresses": list(addresses)}
        self._store.set_setting("login bounds", user_id, kept)
