"""From a mail's HTML to plain text, whatever the HTML.

inscriptis renders it, after the tree was tamed: it aligns table cells with blanks (a few hundred
kilobytes of HTML then make gigabytes of text), believes any padding a style asks for, and recurses
once per level.
"""

from __future__ import annotations

import re

import lxml.html
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree

from keeping_plugin.mail.clean import clean
from keeping_plugin.mail.effort import Effort
from keeping_plugin.mail.reply_headers import tells_forward
from keeping_plugin.mail.tags import without_tags

HTML_LIMIT = 512 * 1024
# Beyond these only bare text is taken; newsletters reach forty levels and three thousand elements.
_DEEPEST = 100
_ELEMENTS = 10_000
_DEEPEST_LIST = 8

_ROWS = {"table", "tbody", "thead", "tfoot", "tr", "caption"}
_CELLS = {"td", "th"}
_LISTS = {"ul", "ol", "dl"}
# Not <noscript> and <object>: mail programs run neither, and show what stands in them.
_DROPPED = {"script", "style", "head", "title", "template", "svg", "select"}
_HIDDEN = re.compile(r"(?:^|;)\s*display\s*:\s*none", re.IGNORECASE)


def html_to_text(html: str, *, citations: bool = False, effort: Effort | None = None) -> str:
    """The text a person would read; replies that a mail program cites are a single line ">", unless
    `citations` are asked for.

    Of HTML beyond 512 KB only that much is read. Never raises for what stands in it, but for
    TextTooSlow.
    """
    effort = effort or Effort.unlimited()
    source = _LONG_TAG.sub("", clean(html[:HTML_LIMIT]))
    effort.check()
    # Bytes, because lxml refuses a str with an encoding of its own in an XML declaration.
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True)
    try:
        tree = lxml.html.document_fromstring(source.encode(), parser=parser)
    except etree.ParserError:  # nothing in it but comments and blanks
        return ""
    effort.check()
    if not _tame(tree, citations=citations):
        return bare_text(source)
    effort.check()
    try:
        # "strict": the other profile indents every div, and mails are made of those.
        rendered = Inscriptis(tree, ParserConfig(css=CSS_PROFILES["strict"]))
        return str(rendered.get_text())
    except RecursionError:  # called from deep down already
        return bare_text(source)


# Pictures written into the mail; libxml2 also takes quadratic time on thousands of attributes.
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{4096,}>?")
_BLANKS = re.compile(r"\s+")


def bare_text(source: str) -> str:
    """What stands between the tags of some HTML, however malformed, in linear time."""
    # lxml itself drops what lies below some 250 levels, so the tree is of no use; and the standard
    # library's parser takes quadratic time on what such mail is made of.
    return _BLANKS.sub(_one_blank, without_tags(source, " "))


def _one_blank(blanks: re.Match[str]) -> str:
    return "\n" if "\n" in blanks[0] else " "


def _tame(tree: lxml.html.HtmlElement, *, citations: bool) -> bool:
    """Take out what is not read, and what blows up; false when the tree is too large to render."""
    depth = elements = lists = 0
    unread = []
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if not isinstance(element.tag, str):  # a processing instruction
            continue
        step = 1 if event == "start" else -1
        depth += step
        elements += event == "start"
        if depth > _DEEPEST or elements > _ELEMENTS:
            return False
        is_list = element.tag in _LISTS or element.get("data-list") is not None
        lists += step * is_list
        if event == "end":
            continue
        style = element.attrib.pop("style", "")
        unseen = element.tag in _DROPPED or _HIDDEN.search(style) is not None
        if unseen or (not citations and _is_citation(element)):
            unread.append(element)
        elif element.tag in _ROWS:
            element.tag = "div"
        elif element.tag in _CELLS:
            element.tag = "span"
            element.tail = " " + (element.tail or "")
        elif is_list and lists > _DEEPEST_LIST:
            element.tag = "div"
            element.set("data-list", "")
    for element in unread:
        if element.getparent() is None:
            continue
        if element.tag == "blockquote":
            citation = lxml.html.Element("div")
            citation.text = ">"
            element.addprevious(citation)
        element.drop_tree()
    return True


def _is_citation(element: lxml.html.HtmlElement) -> bool:
    if element.tag != "blockquote":
        return False
    cited = element.get("type") == "cite" or "gmail_quote" in element.get("class", "")
    # A forwarded mail is what its sender wants to show, though programs cite it too.
    return cited and not tells_forward([_beginning(element)])


def _beginning(element: lxml.html.HtmlElement) -> str:
    """Some 500 characters; all of an element's text would be read anew for each one around it."""
    found, size = [], 0
    for text in element.itertext():
        found.append(text[:500])
        size += len(found[-1])
        if size >= 500:
            break
    return " ".join(found)
