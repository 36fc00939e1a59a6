"""Where quoted history and signatures begin in Danish, Finnish, Norwegian, Polish, Portuguese and
Swedish mail.

mail-parser-reply has no pattern for some of these, and those for the others take too much of
everybody's mail for a header. Here a line counts only when nothing but a mail program writes it so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST = 300  # of a header, on one line or two
_WROTE = re.compile(
    r"\b(?:skrev|kirjoitti|napisał(?:a|\(a\))?|nadesłał|pisze|escreveu)(?=$|[\s:])", re.IGNORECASE
)
_DATED = re.compile(r"\b\d{4}\b|\b\d{1,2}[.:]\d{2}\b")
_SEPARATOR = re.compile(
    r"-{3,} ?(?:oprindelig meddelelse|opprinnelig melding|ursprungligt meddelande|"
    r"wiadomość oryginalna|alkuperäinen viesti|mensagem original) ?-{3,}",
    re.IGNORECASE,
)
# As Outlook writes them: from, sent, subject, one below the other.
_FROM = re.compile(r"[* ]*(?:fra|från|od|lähettäjä|de)[* ]*:", re.IGNORECASE)
_SENT = re.compile(
    r"[* ]*(?:sendt|skickat|wysłano|lähetetty|enviad[ao]|dato|datum|data|päivä)[* ]*:",
    re.IGNORECASE,
)
_SUBJECT = re.compile(r"[* ]*(?:emne|ämne|temat|aihe|assunto)[* ]*:", re.IGNORECASE)
_BLOCK = 7  # lines
_CLOSING = re.compile(
    r"(?:(?:med )?(?:venlig|vennlig|bedste|beste) hils(?:en|ner)|(?:de )?bedste hilsner|mvh|"
    r"(?:med )?(?:vänliga?|bästa) hälsning(?:ar)?|hälsningar|"
    r"z poważaniem|pozdrawiam(?: serdecznie)?|ystävällisin terveisin|terveisin|"
    r"atenciosamente|(?:com os melhores )?cumprimentos)[,.!]?",
    re.IGNORECASE,
)
_SIGNATURE = 8  # lines at most, the closing words among them


def history_start(lines: Sequence[str]) -> int:
    """The line with which quoted history begins; the number of lines when there is none."""
    plain = [line.strip() for line in lines]
    for number, line in enumerate(plain):
        following = plain[number + 1] if number + 1 < len(plain) else ""
        quoted = _next(plain, number + 1).startswith(">")
        if (
            _SEPARATOR.fullmatch(line)
            or _is_block(plain, number)
            or _says_who_wrote(line, quoted=quoted)
            or _is_wrapped(line, following, quoted=_next(plain, number + 2).startswith(">"))
        ):
            return number
    return len(lines)


def _next(plain: Sequence[str], start: int) -> str:
    return next((line for line in plain[start : start + 3] if line), "")


def _says_who_wrote(line: str, *, quoted: bool) -> bool:
    # "Den 3. maj 2026 skrev jeg til jer:" is somebody's own: no address stands in it, nothing is
    # quoted below.
    return (
        line.endswith(":")
        and len(line) <= _LONGEST
        and ("@" in line or quoted)
        and _WROTE.search(line) is not None
        and _DATED.search(line) is not None
    )


def _is_wrapped(line: str, following: str, *, quoted: bool) -> bool:
    return (
        following.endswith(":")
        and len(line) <= _LONGEST
        and not line.endswith((".", "!", "?"))
        and _DATED.search(line) is not None
        and not _says_who_wrote(following, quoted=quoted)
        and _says_who_wrote(f"{line} {following}", quoted=quoted)
    )


def _is_block(plain: Sequence[str], number: int) -> bool:
    if not _FROM.match(plain[number]):
        return False
    below = plain[number + 1 : number + _BLOCK]
    return any(map(_SENT.match, below)) and any(map(_SUBJECT.match, below))


def signature_start(lines: Sequence[str]) -> int:
    """The line with the words that close the letter, near its end; the number of lines when there
    are none."""
    earliest = max(1, len(lines) - _SIGNATURE)
    for number in range(len(lines) - 1, earliest - 1, -1):
        below = lines[number:]
        if _CLOSING.fullmatch(lines[number].strip()) and all(len(line) <= 80 for line in below):
            return number
    return len(lines)
