"""Text made to take long: shapes that a program grows to any size, and everything that reads them.

Each shape is a unit that is repeated, with what stands before and after it. Every one of them is
given to every reader, whatever it was made for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from keeping_plugin import Address, Direction, MessageArrived
from keeping_plugin.mail.body import read_body
from keeping_plugin.mail.company_name import suggested_company
from keeping_plugin.mail.effort import Effort
from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.mail.task import subject, task_text
from keeping_plugin.rules import MACHINE_HEADERS, Facts, Policy
from keeping_plugin.services.panel.display import of_value
from keeping_plugin.types import FieldSpec, Message

_KIM: Final = Address("kim@customer.example", "Kim Lee")
_MARK: Final = "[k-aaaaaaaaaaaaaaaa]"
_RICH: Final = FieldSpec(name="Notes__c", label="Notes", type="textarea", html_formatted=True)
_LINK: Final = FieldSpec(name="Site__c", label="Site", type="url")
_MAILS: Final = FieldSpec(name="Mail__c", label="Mail", type="email")
_BLANKS: Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A unit, repeated to a size."""

    unit: str
    before: str = ""
    after: str = ""

    def text(self, size: int) -> str:
        """Some `size` characters of it."""
        count = (size - len(self.before) - len(self.after)) // len(self.unit)
        return self.before + self.unit * max(1, count) + self.after


_HEADER: Final = "On Mon, May 4, 2026 at 10:00 AM Bob <bob@acme.example> wrote:"
_BLOCK: Final = "From: Bob <b@acme.example>\nSent: Monday\nTo: Kim\nSubject: x\n"

SHAPES: Final[Mapping[str, Shape]] = {
    # Repeated lines, and one line, of every blank character.
    **{f"lines of U+{ord(blank):04X}": Shape(f"{blank}\n", "a", "b") for blank in _BLANKS},
    **{f"a line of U+{ord(blank):04X}": Shape(blank, "a", "b") for blank in _BLANKS},
    "empty lines": Shape("\n"),
    "lines of one letter": Shape("a\n"),
    "one word": Shape("a"),
    "words": Shape("word "),
    "combining marks": Shape("\u0301", "e"),
    "joined emoji": Shape("\N{WOMAN}\u200d"),
    "flags": Shape("\N{REGIONAL INDICATOR SYMBOL LETTER A}"),
    "lone surrogates": Shape("\ud800"),
    "right to left": Shape("\u202e\u202d"),
    "ligatures that grow": Shape("\ufdfa"),
    # Marks of quotations, rules and signatures.
    "quoted lines": Shape("> a\n", _HEADER + "\n"),
    "quoted and not": Shape("> a\nb\n", _HEADER + "\n"),
    "rules below a quotation": Shape("--\n", _HEADER + "\n> a\n"),
    "quoted deep": Shape(">", "a\n"),
    "underscores": Shape("_"),
    "hyphens": Shape("-"),
    "rules": Shape("_" * 40 + "\n"),
    "signature marks": Shape("-- \n", "a\n"),
    "closings": Shape("Thanks,\nBob\n", "a\n"),
    "sent from": Shape("Sent from my iPhone\n", "a\n"),
    "bars": Shape("a | ", "Hi\n\nBest regards,\nKim Lee\n"),
    "company forms": Shape("Ltd ", "Hi\n\nKim Lee\n"),
    "letters and dots": Shape("S.", "Hi\n\nKim Lee\n"),
    # Headers of replies.
    "who wrote": Shape(_HEADER.replace("wrote:", "wrote: x ") + "\n"),
    "who wrote, on one line": Shape(_HEADER[:-1] + " "),
    "who may have written": Shape("On 1 Jan 2020 10:24 <a@b.c\n"),
    "On": Shape("On "),
    "Am ... schrieb": Shape("Am x schrieb "),
    "skrev": Shape("Den 10:24 skrev @ "),
    "blocks": Shape(_BLOCK.replace("Sent: ", "Sant: ")),
    "From": Shape("From: "),
    "lines of From": Shape("From: a@b\n"),
    "lines of labels": Shape("de:\na:\n"),
    "separators": Shape("-----Original Message-----\n"),
    "forwarded": Shape("Forwarded message "),
    "colons": Shape(":"),
    "lines of colons": Shape("1:\n"),
    "mail headers": Shape("X-Header: value; name=x\n"),
    # Addresses, links, numbers and dates.
    "addresses": Shape("kim@customer.example, "),
    "addresses in brackets": Shape("<kim@customer.example>"),
    "at signs": Shape("@"),
    "dots": Shape("."),
    "labels of a domain": Shape("a.", "kim@", "example"),
    "a long local part": Shape("a", after="@customer.example"),
    "xn--": Shape("xn--", "kim@"),
    "links": Shape("https://a.example/?q=1 "),
    "digits": Shape("9"),
    "numbers": Shape("1,234.56 "),
    "telephone numbers": Shape("+1 (555) 0100-"),
    "dates": Shape("2026-05-04 10:00 "),
    "Japanese dates": Shape("2026年5月4日(月) 10:00 "),
    # Brackets and quotes.
    "angles": Shape("<"),
    "closing angles": Shape(">"),
    "brackets": Shape("[x] "),
    "opening brackets": Shape("["),
    "parentheses": Shape("("),
    "quotes": Shape("\"'"),
    "commas": Shape(", "),
    "backslashes": Shape("\\"),
    "encoded words": Shape("=?utf-8?B?4oKs?= "),
    "half an encoded word": Shape("=?utf-8?q?"),
    # HTML: nesting, attributes, entities, tags that never end.
    "nested div": Shape("<div>"),
    "closed div": Shape("<div>x</div>"),
    "nested b and p": Shape("<b><p>"),
    "crossed tags": Shape("<b><i></b></i>"),
    "nested tables": Shape("<table><tr><td>"),
    "cells": Shape("<td>x", "<table><tr>"),
    "nested lists": Shape("<ul><li>x"),
    "citations": Shape("<blockquote type=cite>x"),
    "closed citations": Shape("<blockquote type=cite>x</blockquote>y"),
    "attributes": Shape(" a=1", "<p", ">x"),
    "tags with attributes": Shape("<p a=1 b=2 c=3 d=4 e=5 f=6>x"),
    "different attributes": Shape("<p " + " ".join(f"a{number}=1" for number in range(400)) + ">x"),
    "a long attribute": Shape("A", "<img src='data:", "'>x"),
    "a quote that never ends": Shape('<a href="x'),
    "brackets in quotes": Shape(">", "<a title='", "'>x"),
    "styles": Shape("display :", "<p style='", "'>x"),
    "blanks in a style": Shape(" ", "<p style='display", "'>x"),
    "padding": Shape("<p style='padding-left:99999999em'>x</p>"),
    "entities": Shape("&amp;"),
    "ampersands": Shape("&"),
    "entities without an end": Shape("&notanentity"),
    "numbers of characters": Shape("&#x1F600;"),
    "a long number of a character": Shape("9", "&#", ";"),
    "the same, nested deep": Shape("9", "<div>" * 300 + "&#", ";"),
    "comments": Shape("<!--"),
    "CDATA": Shape("<![CDATA["),
    "scripts": Shape("<script></scrip"),
    "a processing instruction": Shape("<?x "),
    "line breaks": Shape("<br "),
    "preformatted": Shape("x\n ", "<pre>"),
    # What real mail holds much of.
    "letters with marks": Shape("e\u0301\u0323\u0307"),
    "mixed line ends": Shape("a\r\n\n\rb\r\r\n\x0b\x0c\x85"),
    "base64": Shape("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo\n"),
    "style sheets": Shape("a{color:red;display:none} "),
    "parts of a message": Shape("--=_x\nContent-Type: multipart/mixed; boundary=x\n\n"),
    "cells that span": Shape("<td rowspan=999999 colspan=99999>x", "<table><tr>"),
    "conditional comments": Shape("<!--[if mso]><table><![endif]-->x"),
    "formatting": Shape("<b><i><u><s><tt><em><big><font>"),
    "pictures": Shape('<img alt="x y z" src=a>'),
    "numbers below a closing": Shape("5 ", "Hi\n\nBest regards,\nKim\n+"),
    "prefixes of a Subject": Shape("Re: "),
    "numbered prefixes": Shape("[a] Re[2]: "),
}


def _message(*, text: str | None = None, html: str | None = None) -> Message:
    return Message(
        company_id="acme",
        mailbox_id="sales",
        conversation_id="c",
        message_id="m",
        direction=Direction.INBOUND,
        opens_conversation=True,
        customer=_KIM,
        sender=_KIM,
        recipients=(),
        sent_at=datetime(2026, 5, 4, tzinfo=UTC),
        subject=text or html,
        text=text,
        html=html,
    )


def _task(message: Message) -> object:
    return task_text(message, conversation=None, marker=_MARK).fields


def _company(text: str) -> object:
    body = read_body(_message(text=text), Effort.unlimited())
    return suggested_company(_KIM, body.reply)


def _facts(text: str) -> object:
    address = Address(text, text)
    arrived = MessageArrived(
        company_id="acme",
        mailbox_id="sales",
        conversation_id="c",
        message_id="m",
        direction=Direction.INBOUND,
        opens_conversation=True,
        customer=address,
        sender=address,
        recipients=(address,),
        sent_at=datetime(2026, 5, 4, tzinfo=UTC),
        headers=dict.fromkeys(MACHINE_HEADERS, text),
    )
    return Facts.of(arrived, Policy(connected=True))


# Everything in a web process or a worker that reads what a stranger wrote.
READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "plain text": lambda text: _task(_message(text=text)),
    "HTML": lambda text: _task(_message(html=text)),
    "company name": _company,
    "Subject": lambda text: subject(text, direction=Direction.INBOUND, marker=_MARK),
    "person": lambda text: contact_fields(Address(text, text), not_names=[text[:100]]),
    "rules": _facts,
    "fields on the panel": lambda text: [of_value(each, text) for each in (_RICH, _LINK, _MAILS)],
}
