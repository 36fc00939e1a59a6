"""The new part of a mail: without the history quoted below it and without its signature.

When in doubt, text stays: history too much is read over, an answer too little is lost. The time is
linear in the text: lines are looked at one by one, 400 characters of each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from keeping_plugin.mail.effort import Effort
from keeping_plugin.mail.reply_headers import (
    MAX_LENGTH,
    History,
    find_history,
    is_quoted,
    is_rule,
    is_separator,
    tells_forward,
)
from keeping_plugin.mail.signature import (
    LINES,
    SIGNS,
    closing_line,
    is_legal_notice,
    is_sent_from,
    signature_start,
)

# What begins the Subject of a mail that is passed on, and what of one that is answered.
_FORWARD: Final = frozenset(
    "fw fwd wg tr trs rv i vb vl vs enc pd doorst fs vid tov ilt yön přep prep πρθ пересл "
    "转发 轉寄 転送 전달".split()
)
_FINNISH: Final = ("Lähettäjä", "lähettäjä", "kirjoitti")
_ANSWER: Final = frozenset(
    "re aw sv vs antw odp rif r ref res resp rép ynt yan vá ad atb απ σχετ отв 回复 答复 回覆 返信 "
    "답장".split()
)
_PREFIX: Final = re.compile(
    r"\s*(?:\[[^\[\]]{0,80}\]\s*)*([^\W\d_]{1,6})\s?(?:\[\d{1,3}\])?\s?[:：]"
)
# A customer who answers below, within text that no program marked as quoted.
_ANSWERS_BELOW: Final = re.compile(
    r"below|beneath|underneath|inline|in-line|in line|between the lines|in caps|capital letters|"
    r"answers|replies|comments|see my|in the text|"
    r"in your (?:mail|e-mail|email|message)|embedded|"
    r"highlighted|antworten|kommentare|anmerkungen|in ihrer mail|réponses|commentaires|respuestas|"
    r"comentarios|risposte|commenti|antwoorden|opmerkingen|mine svar|mina svar|svarene|vastaukse|"
    r"odpowiedzi|respostas|odpovědi|ответы|回答|答复|回复如下|"
    r"in (?:red|blue|green|bold|italics|purple|color|colour)|interspersed|"
    r"unten|darunter|im text|zwischen den zeilen|in (?:rot|blau|grün|fett)\b|großbuchstaben|"
    r"ci-dessous|plus bas|dans le texte|en (?:rouge|bleu|vert|gras|majuscules)|ci-après|"
    r"abajo|debajo|a continuación|en (?:rojo|azul|verde|negrita|mayúsculas)|entre líneas|"
    r"sotto|di seguito|nel testo|in (?:rosso|blu|verde|grassetto|maiuscolo)|"
    r"onder|in (?:het )?(?:rood|blauw|groen)|hoofdletters|tussen de regels|"
    r"nedenfor|nedenunder|under her|nedan|här under|med (?:rødt|rött|blåt|blått)|i (?:rødt|rött)|"
    r"poniżej|na (?:czerwono|niebiesko|zielono)|w tekście|abaixo|em (?:vermelho|azul|negrito)|"
    r"níže|červeně|alla\b|alempana|punaisella|aşağıda|ниже|красным|нижче|以下|下記|下面|红色|"
    r"赤字|아래|빨간|"
    r"filled|between your|zwischen ihren|into your (?:text|mail|message)|"
    r"eingefügt|ausgefüllt|eingetragen|complété|rempli|rellen|compilat|ingevuld|udfyldt|utfylt|"
    r"ifyllt|wypełni|preench|vyplni|заполн|記入|填写|"
    r"this (?:mail|e-mail|email|message|answer|reply)|diese (?:e-)?(?:mail|nachricht|antwort)|"
    r"ce (?:mail|message|courriel)|este (?:correo|mensaje)|questa (?:mail|e-mail|risposta)|"
    r"deze (?:mail|e-mail)|"
    r"my (?:notes|remarks|feedback)|after each|(?:each|every) (?:question|point|item)|"
    r"nach jeder|zu jeder|nach jedem|zu jedem|à chaque|après chaque|"
    r"cada (?:pregunta|punto|pergunta)"
)
# A customer whose signature is what he wants to tell.
_MEANS_SIGNATURE: Final = re.compile(
    r"here (?:it is|you are|you go|they are)|under my name|as follows|"
    r"(?:another|other|different|new|following) (?:e-?mail|address|number|page|link|site)|"
    r"andere (?:adresse|nummer|e-?mail)|autre (?:adresse|numéro)|otr[ao] (?:dirección|número)|"
    r"\b(?:moved|renamed|changed)\b|new (?:name|job|company|office)|umgezogen|umbenannt|geändert|"
    r"(?:call|phone|ring|reach|text) me|(?:number|address|e-?mail|site|website) is|"
    r"my (?:new |current )?(?:phone|number|mobile|address|e-?mail|website|company|title|details)|"
    r"rufen sie mich|ruf mich|erreich|rückruf|meine (?:neue )?(?:nummer|adresse|anschrift)|"
    r"hier (?:ist|sind)|wie folgt|"
    r"appele[rz]|rappele[rz]|(?:mon|mes|ma) (?:nouveau |nouvelle )?"
    r"(?:numéro|adresse|coordonnées)|voici|"
    r"llám|llame|mi (?:nuevo |nueva )?(?:número|teléfono|dirección)|aquí (?:está|tiene)|"
    r"chiam|il mio (?:nuovo )?numero|il mio indirizzo|ecco|"
    r"bel me|mijn (?:nieuwe )?(?:nummer|adres)|hier is|ring mig|ring meg|mit (?:nye )?nummer|"
    r"mitt (?:nya |nye )?nummer|ligue|meu (?:novo )?(?:número|endereço)|zadzwo|mój numer|"
    r"позвон|мой (?:номер|адрес)"
)
_HINTS_IN: Final = 4_000  # characters of the new part
_FORM: Final = re.compile(
    r"enquiry|inquiry|contact form|web ?site|website|web form|submission|submitted|"
    r"new message from|anfrage|formular|webseite|formulaire|site web|demande de contact|"
    r"formulario|sitio web|consulta|modulo|sito web|richiesta|formulier|aanvraag|formulär|"
    r"skjema|förfrågan|forespørsel|formularz|zapytanie|formulário|お問い合わせ|フォーム|表单|表單"
)
_GREETINGS: Final = frozenset(
    "hello hi hey dear good hallo guten sehr liebe lieber moin servus bonjour madame monsieur "
    "salut cher chère hola buenos buenas estimado estimada ciao buongiorno gentile salve beste "
    "geachte goedemorgen dag hej hei goddag olá bom prezado prezada dobrý dobry dzień cześć "
    "здравствуйте привет merhaba sayın szia tisztelt "
    "您好 你好 こんにちは 안녕하세요".split()
)
_INTRODUCTION: Final = 300  # characters above a form, or above what was passed on by hand


@dataclass(frozen=True, slots=True)
class Reply:
    """What a mail adds to its conversation. `left_out`: something other than quoted history was
    left out, such as a signature. `signature` are the lines from the words that close the letter
    on, none where none is announced: good enough to guess from, and often more than is left out."""

    text: str
    left_out: bool = False
    signature: Sequence[str] = ()


def read_reply(text: str, *, subject: str = "", effort: Effort | None = None) -> Reply:
    """The new part of a mail whose own Subject is known ("" for not known); all of the text when
    that would leave nothing, and for a mail that was passed on (FW:, WG:, TR:)."""
    effort = effort or Effort.unlimited()
    parts = _divided(text, subject, effort)
    kept = _joined(parts.own)
    signature = parts.signature or _announced(parts.own)
    if kept:
        return Reply(kept, any(map(str.strip, (*parts.signature, *parts.notice))), signature)
    return Reply(_joined(parts.lines), signature=signature)


def is_forward(subject: str, text: str = "") -> bool:
    """Whether a mail's own Subject says that it was passed on."""
    found = _PREFIX.match(subject[:400])
    if found is None or found[1].lower() not in _FORWARD:
        return False
    # "VS:" passes on in Danish and Norwegian, and answers in Finnish.
    return found[1].lower() != "vs" or not any(word in text for word in _FINNISH)


def answers_below(text: str) -> bool:
    """Whether these words of a mail say that more of them stand in the history below."""
    return _ANSWERS_BELOW.search(text[:_HINTS_IN].lower()) is not None


def _means_signature(words: str) -> bool:
    return _MEANS_SIGNATURE.search(words[-_HINTS_IN:].lower()) is not None


@dataclass(frozen=True, slots=True)
class _Parts:
    lines: Sequence[str]
    own: Sequence[str]
    signature: Sequence[str] = ()
    notice: Sequence[str] = ()  # below the history, and not quoted


def _announced(own: Sequence[str]) -> Sequence[str]:
    near = max(0, len(own) - 2 * LINES)
    start = near + closing_line([_plain(line) for line in own[near:]])
    return own[start:] if start else ()


def _divided(text: str, subject: str, effort: Effort) -> _Parts:
    lines = text.split("\n")
    if is_forward(subject, text):
        return _Parts(lines, lines)
    plain = [_plain(line) for line in lines]
    history = find_history(plain, effort)
    if history is None:
        return _signed(lines, lines, plain)
    effort.check()
    own = plain[: history.start]
    while own and (not own[-1] or is_rule(own[-1]) or is_separator(own[-1])):
        own.pop()
    near = [*own, *plain[history.start : history.body + 3]]
    first = next((line for line in plain[history.body :] if line), "")
    quoted = is_quoted(first)
    if (
        tells_forward(near)
        or _leads_on(own, quoted=quoted)
        or _is_content(history, plain, own, subject)
    ):
        return _Parts(lines, lines)
    answers, notice = _answers(lines, plain, history.body)
    if answers:
        return _Parts(lines, [*lines[: history.body], *answers], notice=notice)
    above = lines[: len(own)]
    if not own or answers_below("\n".join(above)):
        return _Parts(lines, lines)
    return _signed(lines, above, own, notice=notice)


def _plain(line: str) -> str:
    # The blank after "-- " is what tells a signature from a line that somebody drew.
    return line if line == SIGNS else line[: 2 * MAX_LENGTH].strip()[:MAX_LENGTH]


def _leads_on(own: Sequence[str], *, quoted: bool) -> bool:
    """Whether these words lead on to what follows: "What does this mean:", or a greeting alone.
    That is then what their writer wants to show, and more of theirs may stand below it."""
    written = [line for line in own if line]
    if not written:
        return False
    words = written[0].lower().rstrip("!.,").split()
    hello = words[0] in _GREETINGS and len(words) <= 4 and not quoted if words else False
    greeting = len(written) == 1 and (written[0].endswith(",") or hello)
    nothing = all(is_sent_from(line) for line in written[:10])
    return greeting or nothing or written[-1].endswith((":", "\N{FULLWIDTH COLON}"))


def _signed(
    lines: Sequence[str], above: Sequence[str], own: Sequence[str], *, notice: Sequence[str] = ()
) -> _Parts:
    start = signature_start(own)
    words = "\n".join(above[:start]).rstrip()
    leads_on = words.endswith((":", "\N{FULLWIDTH COLON}"))
    if start < len(own) and (leads_on or answers_below(words) or _means_signature(words)):
        start = len(above)
    return _Parts(lines, above[:start], above[start:], notice)


def _answers(
    lines: Sequence[str], plain: Sequence[str], body: int
) -> tuple[Sequence[str], Sequence[str]]:
    """What somebody wrote between or below quoted lines, and the company's notice below it all."""
    first = next((at for at in range(body, len(plain)) if plain[at]), len(plain))
    if first == len(plain) or not is_quoted(plain[first]):
        return (), ()
    last = max(at for at in range(first, len(plain)) if plain[at].startswith(">"))
    end = _notice(plain, last + 1)
    # Among them may be the end of a quoted line that some program broke. An answer in small letters
    # looks no different, so it stays.
    answers = [lines[at] for at in range(first, end) if not is_quoted(plain[at])]
    return answers if any(line.strip() for line in answers) else (), lines[end:]


def _notice(plain: Sequence[str], start: int) -> int:
    """The line at or below `start` where a signature or a company's notice begins."""
    marks = (at for at in range(start, len(plain)) if plain[at] in (SIGNS, "--", "__"))
    at = next(marks, len(plain))
    below = plain[at:]
    ends = is_legal_notice(below) or signature_start(["x", *below]) == 1
    return at if ends else len(plain)


def _is_content(history: History, plain: Sequence[str], own: Sequence[str], subject: str) -> bool:
    """Whether a block of From, Date and Subject is what this mail is about: filled in on a web
    site, or passed on by hand under a few words."""
    if not history.subject or is_rule(plain[history.start]):
        return False
    words = "\n".join(own)
    if len(words) > _INTRODUCTION:
        return False
    if _FORM.search(words.lower()):
        return True
    if subject.strip():
        return not _answers_a_mail(subject, history)
    return not history.sent and not _PREFIX.match(history.subject[:400])


def _answers_a_mail(subject: str, history: History) -> bool:
    """Whether a mail with this Subject answers the one in the block: Re: before it where a mail
    program wrote the block, else the same words."""
    found = _PREFIX.match(subject[:400])
    answers = found is not None and found[1].lower() in _ANSWER
    bare = _bare(history.subject)
    # "Date" instead of "Sent" is what people copy, too: another Subject is then another mail's.
    if answers and (history.sent or not bare):
        return True
    return bool(bare) and bare in " ".join(subject.lower().split())


def _bare(subject: str) -> str:
    """A Subject without what programs put before it, in lower case."""
    text = subject[:400]
    while found := _PREFIX.match(text):
        text = text[found.end() :]
    return " ".join(text.lower().split())


def _joined(lines: Sequence[str]) -> str:
    """These lines without blank ones at either end, and never two blank ones in a row."""
    kept: list[str] = []
    for line in lines:
        if line.strip() or (kept and kept[-1]):
            kept.append(line if line.strip() else "")
    return "\n".join(kept).strip()
