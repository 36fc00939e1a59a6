"""What the rules know of a message: read from the message and the company's policy alone.

Live mail, a backfill, a dry run and `flask keeping explain` all build their Facts here, so they
agree. Facts are plain JSON values: a Decision keeps them, and deciding them again gives the same
verdict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from keeping_plugin.addresses import (
    address_key,
    domain_of,
    known_to_0_1_0,
    parent_domains,
)
from keeping_plugin.types import Direction, MessageArrived

_INBOUND = Direction.INBOUND  # an enum's members take their time to look up

# Long enough for the longest address there can be; of anything longer the beginning tells enough.
_SHOWN = 320


class Policy(NamedTuple):
    """What a company's admins and its host decided, as it concerns one mailbox.

    `connected` is true while a connection is live or lost. `internal` holds address keys and
    domain keys, `skipped` and `unlogged` domain keys (`keeping_plugin.addresses`); a domain covers
    its subdomains. `unlogged` are the skipped domains with "do not log either". `as_0_1_0` is true
    while processes of 0.1.0 may run beside us: what is no address to them is none. `kept_out` names
    the agents who chose not to log a conversation ("" as the message) or a message, by the ids of
    both; `asked_by` the agent who now logs one by hand.
    """

    connected: bool = False
    add_contacts: bool = False
    log_tasks: bool = False
    internal: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    unlogged: frozenset[str] = frozenset()
    as_0_1_0: bool = False
    kept_out: Mapping[tuple[str, str], str] = MappingProxyType({})
    asked_by: str = ""


class Facts(NamedTuple):
    """One message as the rules see it. A text is "" where there is nothing to tell.

    A named tuple rather than a dataclass: it is made for every message, and is as frozen.
    """

    connected: bool
    add_contacts: bool
    log_tasks: bool
    inbound: bool
    opens_conversation: bool
    customer: str  # the address as it was written, made printable; for people to read
    address: str  # its address_key; "" when it is no address
    internal: str  # the internal address or domain that covers it
    skipped: str  # the skipped domain that covers it
    unlogged: str  # the same, where mail is not to be logged either
    auto_submitted: str  # what tells that a program answered or wrote by itself
    delivery_report: str  # ... a bounce, delivery report or read receipt
    mailing_list: str  # ... a mailing list or bulk mail
    calendar_reply: str  # ... an answer to an invitation
    no_reply: str  # the local part, when nobody reads the customer's address
    asked_by: str  # the agent who logs it by hand
    kept_out_by: str  # the agent who chose not to log it, or its conversation

    @classmethod
    def of(cls, message: MessageArrived, policy: Policy) -> Facts:
        """Read a message in the light of a policy. Total: it answers whatever is *in* a message."""
        written = message.customer.email if message.customer is not None else ""
        # One character more than any address has: a cut one is as invalid as it was whole.
        customer = _read(written[: _SHOWN + 1])
        if policy.as_0_1_0 and customer.address and not known_to_0_1_0(customer.address):
            customer = _Customer(customer.shown, "", (), "")
        address, domains = customer.address, customer.domains
        by_itself, report, mailing_list, calendar = (
            _machine_signs(_machine_headers(message.headers)) if message.headers else _NO_SIGNS
        )
        return cls(
            policy.connected,
            policy.add_contacts,
            policy.log_tasks,
            message.direction == _INBOUND,
            message.opens_conversation,
            customer.shown,
            address,
            address if address in policy.internal else _covering(domains, policy.internal),
            _covering(domains, policy.skipped),
            _covering(domains, policy.unlogged),
            by_itself,
            report,
            mailing_list,
            calendar,
            customer.no_reply,
            printable(policy.asked_by),
            printable(_kept_out_by(message, policy.kept_out)) if policy.kept_out else "",
        )

    @property
    def nobody_to_find(self) -> bool:
        """Whether this customer is a mail server, a program that reports or an address that nobody
        reads: whoever is not in Salesforce yet will never be. A read receipt and an empty return
        path come from people's addresses, too."""
        if self.no_reply:
            return True
        report = self.delivery_report
        return report not in ("", NULL_PATH) and _RECEIPT not in report

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> Facts | None:
        """Facts as a Decision kept them; None when a release with other facts wrote them."""
        return cls(**kept) if kept.keys() == frozenset(cls._fields) else None

    def kept(self) -> dict[str, Any]:
        """These facts as JSON values."""
        return self._asdict()


def _kept_out_by(message: MessageArrived, kept_out: Mapping[tuple[str, str], str]) -> str:
    conversation_id = message.conversation_id
    alone = kept_out.get((conversation_id, message.message_id))
    return alone or kept_out.get((conversation_id, ""), "")


def printable(text: str) -> str:
    """At most 320 characters, with U+FFFD for what no screen or database column takes."""
    text = text[:_SHOWN]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class _Customer(NamedTuple):
    shown: str
    address: str
    domains: tuple[str, ...]
    no_reply: str


@lru_cache(maxsize=16_384)
def _read(written: str) -> _Customer:
    address = address_key(written) or ""
    domains = parent_domains(domain_of(address)) if address else ()
    return _Customer(printable(written), address, domains, _no_reply(address))


def _covering(domains: tuple[str, ...], listed: frozenset[str]) -> str:
    if listed.isdisjoint(domains):  # as good as always
        return ""
    return next(domain for domain in domains if domain in listed)


# RFC 2369, 2919 and 8058.
_LIST_HEADERS = (
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-post",
    "list-help",
    "list-subscribe",
    "list-owner",
    "list-archive",
)
_ANY_LIST_HEADER = frozenset(_LIST_HEADERS)

# Older than RFC 3834, and still sent: their presence tells, unless the value says no.
_AUTO_HEADERS = (
    "x-auto-reply",
    "x-autogenerated",
    "x-autoreply",
    "x-autoreply-from",
    "x-autorespond",
    "x-autoresponder",
    "x-fc-machinegenerated",
    "x-mail-autoreply",
    "x-mdautoresponse",
)
_ANY_AUTO_HEADER = frozenset(_AUTO_HEADERS)

# All that is ever read of a message's headers; a host need pass no others.
MACHINE_HEADERS = frozenset(
    {
        "auto-submitted",
        "content-class",
        "content-type",
        "in-reply-to",
        "precedence",
        "return-path",
        "x-apple-action",
        "x-arf",
        "x-auto-response-suppress",
        "x-failed-recipients",
        *_AUTO_HEADERS,
        *_LIST_HEADERS,
    }
)


NULL_PATH = "Return-Path: <>"
_NULL_PATHS = re.compile(r"\s*(?:<\s*>|<?mailer-daemon(?:@[^\s<>@]{0,255})?>?)?\s*")
_RECEIPT = "disposition-notification"
_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?([a-z-]{1,40})")
_REPORTS = (
    "multipart/report",
    "message/delivery-status",
    "message/global-delivery-status",
    "message/global-disposition-notification",
    "message/disposition-notification",
    "message/feedback-report",
)

# What every mail has; people's carries no other of MACHINE_HEADERS.
_COMMON = frozenset({"content-type", "in-reply-to", "return-path"})
_UNCOMMON = MACHINE_HEADERS - _COMMON
_NO_SIGNS = ("", "", "", "")


def _machine_signs(headers: Mapping[str, str]) -> tuple[str, str, str, str]:
    """What tells of an automatic answer, a delivery report, a mailing list, a calendar's reply."""
    content_type = headers.get("content-type", "").strip().lower()
    report = _delivery_report(headers, content_type)
    if _UNCOMMON.isdisjoint(headers) and not content_type.startswith("text/calendar"):
        return "", report, "", ""
    return (
        _auto_submitted(headers),
        report,
        _mailing_list(headers),
        _calendar_reply(headers, content_type),
    )


def _machine_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    if MACHINE_HEADERS.issuperset(headers):
        return headers
    # Lower-cased again here: a host that forgot to would make Contacts of bounces, silently.
    return {
        name: value for raw, value in headers.items() if (name := raw.lower()) in MACHINE_HEADERS
    }


# A comment may stand before the word (RFC 5322, section 3.2.2), and some programs quote it.
_KEYWORD = re.compile(r"\s*(?:\([^()]{0,200}\)\s*)?[\"']?([a-z][a-z-]{0,40})")


def _keyword(value: str) -> str:
    """The first word of a header's value, lower-case; "" when it begins with none."""
    found = _KEYWORD.match(value[:400].lower())
    return found[1] if found else ""


def _auto_submitted(headers: Mapping[str, str]) -> str:
    # RFC 3834, section 5: "no" is a person, every other keyword a program.
    if "auto-submitted" in headers:
        keyword = _keyword(headers["auto-submitted"])
        if keyword not in ("", "no"):
            return f"Auto-Submitted: {keyword}"
    if not _ANY_AUTO_HEADER.isdisjoint(headers):
        for name in _AUTO_HEADERS:
            if name in headers and _keyword(headers[name]) not in ("no", "false", "off"):
                if headers[name].strip() != "0":
                    return name.title()
    if "x-apple-action" in headers and _keyword(headers["x-apple-action"]) == "vacation":
        return "X-Apple-Action: vacation"
    if "x-auto-response-suppress" in headers:
        if _asks_for_silence(headers["x-auto-response-suppress"][:200].lower()):
            return "X-Auto-Response-Suppress"
    if "precedence" in headers:
        keyword = _keyword(headers["precedence"].replace("_", "-"))
        if keyword == "auto-reply":
            return f"Precedence: {keyword}"
    return ""


_FLAG = re.compile(r"[a-z]+")


def _asks_for_silence(flags: str) -> bool:
    # MS-OXCMAIL, 2.1.3.2.20: which answers of its own the receiver is asked to hold back. Programs
    # ask for "All", or for no out-of-office and automatic replies. With RN or NRN in the list it is
    # how Exchange marks what people write to a distribution list.
    asked = set(_FLAG.findall(flags))
    return "all" in asked or (bool(asked & {"oof", "autoreply"}) and not asked & {"rn", "nrn"})


def _delivery_report(headers: Mapping[str, str], content_type: str) -> str:
    # RFC 3462 and its kinds: delivery-status, disposition-notification, feedback-report.
    if content_type.startswith(_REPORTS):
        kind = content_type.partition(";")[0].strip()[:40]
        told = _REPORT_TYPE.search(content_type[:1000])
        return f"Content-Type: {kind}" + (f"; report-type={told[1]}" if told else "")
    # RFC 5321, section 4.5.5: mail about mail comes from the null reverse-path, for which some
    # programs write the name of the one that delivers (Postfix's null_sender).
    if "return-path" in headers and _NULL_PATHS.fullmatch(headers["return-path"][:400].lower()):
        return NULL_PATH
    for name in ("x-failed-recipients", "x-arf"):
        if name in headers:
            return name.title()
    return ""


def _mailing_list(headers: Mapping[str, str]) -> str:
    if not _ANY_LIST_HEADER.isdisjoint(headers):
        return next(name for name in _LIST_HEADERS if name in headers).title()
    keyword = _keyword(headers["precedence"]) if "precedence" in headers else ""
    return f"Precedence: {keyword}" if keyword in ("bulk", "junk", "list") else ""


_METHOD = re.compile(r"method\s{0,9}=\s{0,9}\"?([a-z-]+)")


def _calendar_reply(headers: Mapping[str, str], content_type: str) -> str:
    if content_type.startswith("text/calendar"):
        # An invitation (RFC 5546 REQUEST, PUBLISH) is a person's; the rest are answers to one.
        method = _METHOD.search(content_type[:1000])
        if method is None or method[1] not in ("request", "publish"):
            return "Content-Type: text/calendar"
    # Exchange wraps its answers in another type, and names the class beside it.
    if "content-class" in headers and "in-reply-to" in headers:
        if "calendarmessage" in headers["content-class"].lower():
            return "Content-Class: calendarmessage"
    return ""


# Local parts without their punctuation: no-reply, accounts-noreply, do_not_reply, bounces+tag.
_UNREAD = re.compile(
    r"no-?reply|do-?not-?reply|dont-?reply|"
    r"nicht-?antworten|keine-?antwort|ne-?pas-?repondre|niet-?beantwoorden|"
    r"no-?respond[ae]r?|non-?rispondere|nao-?responda|"
    r"^mail(?:er)?-?daemon\d*$|^post-?master\d*$|^(?:double-?)?bounces?\d*(?:-|$)|"
    r"^mail-?delivery-?(?:sub)?-?system$|^undeliver(?:able|ed)(?:-|$)|"
    r"^auto-?(?:reply|responder)(?:-|$)|^microsoftexchange[0-9a-f]{32}$"
)
_PUNCTUATION = str.maketrans("._+=", "----")


def _no_reply(address: str) -> str:
    local = address.rpartition("@")[0]
    return local if _UNREAD.search(local.translate(_PUNCTUATION)) else ""
