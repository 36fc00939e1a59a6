"""Rich text: HTML as it is stored, without what the service does not let in.

Text that was not meant as HTML loses what stands in angle brackets, and its lines.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_TAGS = frozenset(
    {"a", "abbr", "acronym", "address", "b", "bdo", "big", "blockquote", "br", "caption", "cite",
     "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "font", "h1", "h2",
     "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s",
     "samp", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot",
     "th", "thead", "tr", "tt", "u", "ul", "var"}
)  # fmt: skip
_ATTRIBUTES = frozenset(
    {"align", "alt", "border", "cellpadding", "cellspacing", "color", "colspan", "dir", "face",
     "height", "href", "rowspan", "size", "src", "target", "title", "valign", "width"}
)  # fmt: skip
#: Their content goes, too.
_DROPPED = frozenset({"script", "style", "iframe", "object", "embed", "applet", "head", "title"})
_EMPTY = frozenset({"br", "col", "hr", "img"})
_ADDRESSES = frozenset({"href", "src"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
#: Browsers read addresses without them.
_IGNORED = re.compile(r"[\s\x00-\x1f]+")
_SCHEMES = frozenset({"http", "https", "mailto", "tel", "ftp"})
_LINE = re.compile(r"\s*[\r\n]+\s*")


class _Sanitiser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._inside.append(tag)
        elif tag in _TAGS and not self._inside:
            kept = "".join(
                f' {name}="{html.escape(value or "")}"'
                for name, value in attrs
                if name in _ATTRIBUTES and not (name in _ADDRESSES and _unsafe(value or ""))
            )
            self.parts.append(f"<{tag}{kept}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)
            if tag not in _EMPTY:
                self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside:
            if tag == self._inside[-1]:
                self._inside.pop()
        elif tag in _TAGS - _EMPTY:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._inside:
            text = data.replace("<", "&lt;").replace(">", "&gt;")
            self.parts.append(_LINE.sub(" ", text))

    def handle_entityref(self, name: str) -> None:
        if not self._inside:
            self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        if not self._inside:
            self.parts.append(f"&#{name};")


def _unsafe(address: str) -> bool:
    scheme = _SCHEME.match(_IGNORED.sub("", address))
    return scheme is not None and scheme[1].lower() not in _SCHEMES


def sanitised(text: str) -> str:
    """The HTML that is stored of what was written."""
    parser = _Sanitiser()
    parser.feed(text)
    parser.close()
    return "".join(parser.parts).strip()
