"""Rich text of Salesforce: shown formatted, and edited as text where nothing of it can get lost.

Its HTML is Salesforce's, and so hostile: only what nh3 lets pass is ever printed as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape

import nh3

# nh3 closes nested lists in time that grows with the square of their depth: 16,000 of them take two
# seconds. Nobody formats a text with so many tags.
_MAX_TAGS = 4_000
_TAGS = set(
    "a b blockquote br code em hr i li ol p pre s strike strong sub sup u ul "
    "table tbody td th thead tr".split()
)
_HEADING = re.compile(r"(</?)h[1-6](?=[\s>])", re.IGNORECASE)


def formatted(html: str) -> str:
    """Its HTML, safe to be printed: paragraphs, lists, tables, emphasis and links, which open in
    a new tab; no pictures, styles or headings. "" for more than anybody formats: show its text."""
    if html.count("<") > _MAX_TAGS:
        return ""
    return nh3.clean(
        _HEADING.sub(r"\1p", html),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def _paragraphs(escaped: str) -> str:
    return f"<p>{_lines(escaped.replace(_GAP, '</p><p>'))}</p>"


def _lines(escaped: str) -> str:
    return escaped.replace("\n", "<br>")


_GAP = "\n\n"
_NOTATIONS: tuple[Callable[[str], str], ...] = (_lines, _paragraphs)
# Salesforce's own editor, its API and other programs escape quotes or leave them.
_ESCAPES: tuple[Callable[[str], str], ...] = (
    lambda text: escape(text).replace("&#x27;", "&#39;"),
    lambda text: escape(text, quote=False).replace('"', "&quot;"),
    lambda text: escape(text, quote=False),
)


def as_text(html: str) -> str | None:
    """Its text, with a line for each break and an empty one between paragraphs, if `from_text`
    makes exactly this HTML of it; else None."""
    text = html.removeprefix("<p>").removesuffix("</p>") if html.startswith("<p>") else html
    text = unescape(text.replace("</p><p>", "\n\n").replace("<br>", "\n"))
    return text if from_text(text, like=html) == html else None


def from_text(text: str, *, like: str = "") -> str:
    """HTML of a text, written as `like` is: by paragraphs or by breaks, quotes escaped or not."""
    for notation in _NOTATIONS:
        for escaped in _ESCAPES:
            if notation(escaped(text)) == like:
                return like
    notation = _paragraphs if like.startswith("<p>") else _lines
    escaped = next((one for one in _ESCAPES if _written_by(one, like)), _ESCAPES[0])
    return notation(escaped(text))


def _written_by(escaped: Callable[[str], str], html: str) -> bool:
    """Whether the quotes of this HTML are written as this escapes them."""
    return all((quote in html) <= (escaped(quote) == quote) for quote in "\"'")
