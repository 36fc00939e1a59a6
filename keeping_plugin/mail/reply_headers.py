"""Where the history below a reply begins: the lines that mail programs write above it.

Three kinds, in the languages in which Outlook, Gmail, Apple Mail, Thunderbird and the usual web
mailers write them: who wrote when ("On 4 May 2026 at 10:00 Bob <bob@acme.example> wrote:"), a block
of From, Sent, To and Subject, and a separator such as "-----Original Message-----" above such a
block. A person writes sentences that look alike ("On Friday your colleague wrote:"), so a line
counts only with what programs add and people do not: an address, a time of day, quoted lines below.

Every line is looked at once, up to 400 characters of it, by patterns without nested repeats: the
time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from keeping_plugin.mail.effort import Effort

MAX_LENGTH: Final = 400  # characters of a header, on up to three lines
_BLOCK: Final = 10  # lines of From, Sent, To and Subject, wrapped ones among them


class History(NamedTuple):
    """Lines `start` and below are history, or so it seems; its own text begins at `body`."""

    start: int
    body: int
    subject: str = ""  # what a block's Subject says
    sent: bool = False  # the block says "Sent", as mail programs do and forms do not


# One word or more a language, as the programs write them: lower-case, without their colon.
_LABELS: Final = {
    "from": """from|von|de|van|da|fra|från|od|lähettäjä|gönderen|kimden|от|від|от кого|από|feladó|
        de la|expéditeur|remitente|mittente|afzender|odesílatel|отправитель|差出人|送信者|发件人|
        寄件者|寄件人|보낸 사람|보낸사람|מאת|من""",
    "sent": """sent|gesendet|envoyé|envoyé le|enviado|enviado el|enviado em|enviada|enviada em|
        enviada el|inviato|inviato il|verzonden|sendt|skickat|wysłano|lähetetty|odesláno|odoslané|
        gönderildi|gönderme tarihi|gönderim tarihi|отправлено|надіслано|εστάλη|στάλθηκε|elküldve|
        trimis|送信日時|发送时间|寄件日期|傳送時間|보낸 날짜|보낸날짜|נשלח|تم الإرسال""",
    "date": """date|datum|fecha|data|dato|päivä|päiväys|päivämäärä|tarih|дата|ημερομηνία|dátum|
        日付|日時|日期|时间|날짜|message du|תאריך|تاريخ""",
    "to": """to|an|à|a|aan|para|til|till|do|komu|vastaanottaja|kime|alıcı|кому|προς|címzett|către|
        destinataire|destinatario|宛先|收件人|收件者|받는 사람|받는사람|אל|إلى""",
    "cc": """cc|bcc|kopie|copie|copie à|kopi|kopia|kopio|копия|抄送|副本|참조|reply-to|
        antwort an|répondre à|importance|priority|wichtigkeit|priorität|attachments|anlagen""",
    "subject": """subject|betreff|objet|sujet|asunto|oggetto|onderwerp|assunto|emne|ämne|temat|
        aihe|předmět|predmet|konu|тема|θέμα|tárgy|subiect|件名|主题|主旨|主題|제목|נושא|الموضوع""",
}
_KIND: Final = {
    "".join(word.split("\n")).strip(): kind
    for kind, words in _LABELS.items()
    for word in words.split("|")
}
_LABEL_LENGTH: Final = max(map(len, _KIND)) + 8

# "wrote", wherever in the line it stands (schrieb Bob:, skrev Bob:, Bob wrote:).
_VERBS: Final = re.compile(
    r"\b(?:wrote|writes|schrieb|schreibt|geschrieben|a écrit|écrit|escribió|escribio|ha scritto|"
    r"scrive|schreef|geschreven|skrev|kirjoitti|napisał|napisała|nadesłał|pisze|napsal|napsala|"
    r"napísal|napísala|escreveu|написал|написала|написав|написала|пише|пишет|yazdı|yazmış|έγραψε|"
    r"írta|a scris|a scritto|viết)\b|写道|寫道|書きました|のメール|작성|님이|כתב|كتب"
)
_RULES: Final = ("-", "_", "=", "*")
_WIDE_COLON: Final = "\N{FULLWIDTH COLON}"
_COLONS: Final = (":", _WIDE_COLON)
_ENDS: Final = (
    *_COLONS,
    "wrote",
    "writes",
    "écrit",
    "escribió",
    "scritto",
    "escreveu",
    "kirjoitti",
)
_CLOCK: Final = re.compile(r"(?<![\d.])\d{1,2}[:.h]\d{2}(?![.:/-]?\d)|[时時시]\s?\d{1,2}[分분]")
_DATE: Final = re.compile(
    r"(?<!\d)(?:19|20)\d{2}(?!\d)|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2}|\d{1,2}[月월]"
)
_ADDRESS: Final = re.compile(r"[<(\[:]\s?[^\s<>()\[\]@:]{1,100}@[^\s<>()\[\]@]{1,200}")

_SEPARATOR: Final = re.compile(
    r"[-_=* ]{2,60}(?:original message|original email|original appointment|ursprüngliche nachricht|"
    r"originalnachricht|original-nachricht|message d['’]origine|message original|"
    r"mensaje original|messaggio originale|oorspronkelijk bericht|oorspronkelijke bericht|"
    r"oprindelig meddelelse|oprindelig besked|opprinnelig melding|ursprungligt meddelande|"
    r"ursprungligt mail|wiadomość oryginalna|oryginalna wiadomość|alkuperäinen viesti|"
    r"mensagem original|původní zpráva|původní e-mail|pôvodná správa|исходное сообщение|"
    r"пересылаемое сообщение|orijinal ileti|orijinal mesaj|eredeti üzenet|mesaj original|"
    r"αρχικό μήνυμα|元のメッセージ|原始邮件|原始郵件|原邮件|원본 메시지|original mail)[-_=* ]{0,60}"
)
_FORWARDED: Final = re.compile(
    r"forwarded (?:message|mail|by|conversation|email)|"
    r"begin forwarded|weitergeleitete|anfang der weitergeleiteten|"
    r"doorgestuurd|begin doorgestuurd|(?:message|mail|courriel) transf[eé]r[eé]|"
    r"début du message|réexpédi|"
    r"mensaje reenviado|messaggio inoltrato|"
    r"転送|转发|轉寄|전달된|videresendt|videresendte|vidarebefordra|przekazan|"
    r"välitetty|edelleenlähetetty|mensagem encaminhada|přeposlan|preposlan|"
    r"пересланн|пересылаем|переслане|letilen|továbbított|προωθημένο|mesaj redirecționat"
)


def find_history(lines: Sequence[str], effort: Effort) -> History | None:
    """The first line of the history quoted below the new part; None when there is none that surely
    is. `lines` are stripped and cut to MAX_LENGTH characters. Raises TextTooSlow."""
    for number, line in enumerate(lines):
        if number % 256 == 0:
            effort.check()
        if not line:
            continue
        found = None
        if line[0] in _RULES or ":" in line or _WIDE_COLON in line:
            found = _block(lines, number)
        if found is None and line.endswith(_ENDS):
            found = _who_wrote(lines, number)
        if found is not None:
            return found
    return None


def tells_forward(lines: Sequence[str]) -> bool:
    """Whether one of these lines says that a forwarded mail follows."""
    return any(_FORWARDED.search(line.lower()) for line in lines)


def is_separator(line: str) -> bool:
    """ "-----Original Message-----", which counts only with a header below it."""
    return len(line) < 200 and line[:1] in _RULES and bool(_SEPARATOR.fullmatch(line.lower()))


def is_quoted(line: str) -> bool:
    """Whether a stripped line carries the mark of quoted text. ">From" is how mailbox files write
    a line of somebody's own that begins with "From"."""
    return line.startswith(">") and not line.startswith(">From ")


def is_rule(line: str) -> bool:
    """A line of nothing but underscores, hyphens, equals signs or asterisks."""
    return len(line) > 1 and not line.strip("_-=*\N{EM DASH}\N{BOX DRAWINGS LIGHT HORIZONTAL} ")


def _block(lines: Sequence[str], number: int) -> History | None:
    """From, Sent, To and Subject, one below the other, or a separator above such lines."""
    head = lines[number]
    # Outlook's rule is of 32 underscores; those that people type are shorter.
    if is_separator(head) or (is_rule(head) and len(head) >= 20):
        first = _next_line(lines, number + 1)
        if first is None:
            return None
        if lines[first].startswith(">"):
            return History(number, first) if is_separator(head) else None
        return _block_from(lines, first, number, rule=True)
    if _kind(head) not in ("from", "date", "sent"):  # what stands first, in one program or another
        return None
    return _block_from(lines, number, number, rule=False)


def _block_from(lines: Sequence[str], first: int, start: int, *, rule: bool) -> History | None:
    told: dict[str, str] = {}
    wrapped, end = 0, first
    for end in range(first, min(first + _BLOCK, len(lines))):
        line = lines[end]
        kind = _kind(line)
        if not kind:
            if not line or not told or wrapped == 2 or line.startswith(">"):
                break
            wrapped += 1  # a long address on a line of its own
            last = next(reversed(told))
            told[last] = f"{told[last]} {line}"
            continue
        if kind in told:
            break
        wrapped = 0
        told[kind] = _value(line)
    else:
        end += 1
    if not _is_history(told, rule=rule):
        return None
    return History(start, end, told.get("subject", ""), "sent" in told)


def _is_history(told: dict[str, str], *, rule: bool) -> bool:
    when = told.get("sent", told.get("date"))
    if "from" not in told or when is None:
        return False
    if rule:  # a form that somebody filled in has rules, too
        return bool(told.keys() & {"sent", "subject"}) or "@" in told["from"]
    if len(told.keys() & {"to", "subject"}) == 0 or "@" not in told["from"]:
        return False
    # A web site's form says From, Date and Subject too, but no time of day.
    return "sent" in told or _CLOCK.search(when) is not None


def _kind(line: str) -> str:
    """Which of _LABELS a line begins with, "" for none."""
    label, colon, _ = line[:_LABEL_LENGTH].replace(_WIDE_COLON, ":").partition(":")
    return _KIND.get(label.strip("*_ \t\xa0").lower(), "") if colon else ""


def _value(line: str) -> str:
    return line.replace(_WIDE_COLON, ":", 1).partition(":")[2].strip("*_ \t\xa0")


def _next_line(lines: Sequence[str], start: int) -> int | None:
    """The first line that is not empty, among the next four."""
    return next((at for at in range(start, min(start + 4, len(lines))) if lines[at]), None)


def _who_wrote(lines: Sequence[str], end: int) -> History | None:
    """Whether the line `end`, or up to three lines that end with it and were one, say who wrote
    when."""
    below = _next_line(lines, end + 1)
    marked = below is not None and lines[below].startswith(">")
    if not marked and not any("@" in line for line in lines[max(0, end - 2) : end + 1]):
        return None
    quoted = lines[end].startswith(">")  # some programs quote this line, too
    joined = ""
    for start in range(end, max(-1, end - 3), -1):
        line = lines[start]
        if not line or len(line) + len(joined) >= MAX_LENGTH:
            return None
        if start < end:
            if (line.startswith(">") and not quoted) or line.endswith((".", "!", "?", *_COLONS)):
                return None
            if not _has_begun(line):  # a header that goes on below begins with its date
                continue
        joined = " ".join(part.lstrip("> ") if quoted else part for part in lines[start : end + 1])
        if _says_who_wrote(joined, quoted=marked):
            return History(_dated_above(lines, start, joined), end + 1)
    return None


def _has_begun(line: str) -> bool:
    return "<" in line or any(c.isdigit() for c in line)


def _says_who_wrote(line: str, *, quoted: bool) -> bool:
    """Whether a line ends as such a line does, and says what only programs say: an address and a
    date, or a date, a time of day and quoted lines below."""
    if "@" not in line and not quoted:
        return False
    dated, timed = _DATE.search(line) is not None, _CLOCK.search(line) is not None
    verb = _VERBS.search(line.lower()) is not None
    if _ADDRESS.search(line):
        if verb:
            return dated or timed or quoted
        return timed and dated and line.endswith(_COLONS)
    return verb and timed and dated


def _dated_above(lines: Sequence[str], number: int, line: str) -> int:
    """The line "On Mon, May 4, 2026" may stand above "Bob <bob@acme.example> wrote:"."""
    above = lines[number - 1] if number else ""
    if _DATE.search(line) or not _DATE.search(above) or len(above) > 60:
        return number
    return number if above.endswith((".", "!", "?", ":")) else number - 1
