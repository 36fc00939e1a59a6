"""The new part of a mail: without the history quoted below it and without its signature.

mail-parser-reply finds where replies and signatures begin. It sees a copy of the text with every
line stripped and cut to 200 characters, line for line the original (its patterns take cubic time
on a long line; no header of a quoted reply is as long), and the original lines are kept. When in
doubt, text stays: history too much is read over, an answer too little is lost.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from mailparser_reply.parser import EmailMessage

from keeping_plugin.mail.reply_headers import history_start, signature_start

_LINE = 200
# Without da, pl and sv: their patterns take "Take ...", "Data: ..." or "/path" for a signature or
# a header in everybody else's mail. They and some others are read by services/reply_headers.
_LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "cs", "ja", "ko", "zh"]
_RULE = re.compile(r"[_-]{32,}")
_BLANK_LINES = re.compile(r"\n[ \t\xa0]*(?:\n[ \t\xa0]*)+\n")
_FORWARDED = re.compile(
    r"forwarded message|weitergeleitete|doorgestuurd bericht|message transf[eé]r[eé]|"
    r"mensaje reenviado|messaggio inoltrato|転送|转发|videresendt (?:meddelelse|melding)|"
    r"vidarebefordrat meddelande|przekazana wiadomość|wiadomość przekazana|välitetty viesti|"
    r"mensagem encaminhada",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"[^,]{1,60},?|[^,]{1,40},\s*[A-Z]\S{0,30}(?:\s[A-Z]\S{0,30})?")


def new_part(text: str) -> str:
    """What this mail adds to its conversation; the whole text when that would leave nothing."""
    new, _ = _divided(text)
    kept = [line for line in new if not line.lstrip().startswith(">")]
    while kept and not kept[-1].strip("_- \t"):
        kept.pop()
    return "\n".join(kept).strip() or _BLANK_LINES.sub("\n\n", text).strip()


def signature(text: str) -> list[str]:
    """The lines of this mail's signature, from the words that close the letter on; none when there
    is none that is surely one."""
    return _divided(text)[1]


def _divided(text: str) -> tuple[list[str], list[str]]:
    """The lines of the new part, quoted ones among them, and those of the signature below."""
    text = _BLANK_LINES.sub("\n\n", text).strip("\n")
    lines = text.split("\n")
    plain = "\n".join(_RULE.sub("-" * 31, line.strip()[:_LINE]) for line in lines)
    found = replace(_reader(), text=plain, replies=[]).read()
    end = min(_end(found.text, found.replies[0].content), history_start(lines))
    own, rest = lines[:end], lines[end:]
    if _is_forwarded(own, rest) or _has_answers(rest):
        return lines, []
    start = min(_signature_start(own, found.replies[0].signatures), signature_start(own))
    return own[:start], own[start:]


@cache
def _reader() -> EmailMessage:
    """A message that was read already, because reading builds the patterns of all languages; its
    copies have them at hand."""
    return EmailMessage(
        text="",
        languages=list(_LANGUAGES),
        keep_hyphen_lists=True,  # or every list with hyphens would be a signature
    ).read()


def _end(text: str, reply: str) -> int:
    """How many lines the text has up to the end of its first reply."""
    return text[: text.find(reply) + len(reply)].count("\n") + 1


def _is_forwarded(own: list[str], rest: list[str]) -> bool:
    last = next((line for line in reversed(own) if line.strip()), "")
    first = "\n".join(rest[:3])
    return bool(_FORWARDED.search(last) or _FORWARDED.search(first))


def _has_answers(rest: list[str]) -> bool:
    """Whether somebody wrote between or below quoted lines."""
    quoted = False
    for line in rest:
        plain = line.strip()
        if plain.startswith(">"):
            quoted = True
        elif plain in ("--", "__"):
            return False
        elif plain and quoted:
            return True
    return False


def _signature_start(lines: list[str], signature: str) -> int:
    """Where the signature begins; the end when there is none that is surely one.

    The library takes all below a line that *begins* with "Thanks," for a signature.
    """
    below = signature.split("\n") if signature else []
    if not below or len(below) > 15 or len(below) >= len(lines):
        return len(lines)
    is_rule = below[0].strip() in ("--", "__")
    is_short = len(below[0].split()) <= 5 and all(len(line) <= 80 for line in below)
    if is_rule or (is_short and _CLOSING.fullmatch(below[0].strip())):
        return len(lines) - len(below)
    return len(lines)
