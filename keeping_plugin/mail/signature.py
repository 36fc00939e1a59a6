"""Where a mail's signature begins: below "-- ", or below the words that close a letter.

What stands below such words is a signature only when every line of it is one that only signatures
have: a name, a title, a company, a telephone number, an address of the web or the post. A
postscript, a new number in a sentence or a list of goods is none, and then all of it stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SIGNS: Final = "-- "  # RFC 3676, section 4.3
LINES: Final = 15  # of a signature, at most
_WIDEST: Final = 80

_CLOSINGS: Final = frozenset(
    part.strip()
    for part in """
    best|best regards|best wishes|kind regards|kindest regards|warm regards|warmest regards|regards|
    many thanks and best regards|thanks and regards|thanks & regards|with best regards|
    with kind regards|yours sincerely|yours faithfully|yours truly|yours|sincerely|
    sincerely yours|respectfully|cordially|cheers|thanks|thank you|many thanks|thanks a lot|
    thanks again|thanks in advance|all the best|br|rgds|thx|
    mit freundlichen grüßen|mit freundlichen gruessen|mit freundlichem gruß|freundliche grüße|
    mit besten grüßen|mit besten grüssen|beste grüße|beste grüsse|viele grüße|viele grüsse|
    liebe grüße|liebe grüsse|herzliche grüße|herzliche grüsse|schöne grüße|mit freundlichen grüssen|
    freundliche grüsse|mfg|lg|vg|gruß|gruss|grüße|grüsse|danke|vielen dank|hochachtungsvoll|
    cordialement|bien cordialement|très cordialement|bien à vous|salutations|
    meilleures salutations|sincères salutations|amicalement|respectueusement|merci|
    merci d'avance|merci beaucoup|cdlt|
    saludos|saludos cordiales|un saludo|un cordial saludo|atentamente|cordialmente|
    muchas gracias|gracias|le saluda atentamente|
    cordiali saluti|distinti saluti|saluti|un saluto|cari saluti|grazie|grazie mille|
    in fede|buona giornata|
    met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|
    mvg|groeten|groet|hartelijke groet|hartelijke groeten|bedankt|alvast bedankt|
    atenciosamente|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|obrigado|
    obrigada|abraços|abs|
    med venlig hilsen|venlig hilsen|vennlig hilsen|med vennlig hilsen|bedste hilsner|
    bedste hilsen|de bedste hilsner|med bedste hilsen|beste hilsen|med beste hilsen|hilsen|mvh|
    med vänlig hälsning|med vänliga hälsningar|vänlig hälsning|vänliga hälsningar|
    bästa hälsningar|med bästa hälsningar|hälsningar|tack|takk|tak|
    ystävällisin terveisin|terveisin|parhain terveisin|kiitos|
    z poważaniem|pozdrawiam|pozdrawiam serdecznie|z wyrazami szacunku|dziękuję|
    s pozdravem|s přátelským pozdravem|děkuji|s pozdravom|üdvözlettel|tisztelettel|
    saygılarımla|iyi çalışmalar|teşekkürler|с уважением|спасибо|з повагою|με εκτίμηση|cu stimă
    """.replace("\n", "").split("|")
)
_PARTICLES: Final = frozenset(
    "of for and the de la le du des von van der den del di da do dos e y und & to ter ten zu zur "
    "i og och ja bin al el in at".split()
)
_TITLE: Final = re.compile(
    r"\b(?:manager|director|head|lead|chief|officer|president|ceo|cto|cfo|coo|founder|owner|"
    r"partner|engineer|developer|designer|architect|analyst|consultant|assistant|executive|"
    r"representative|specialist|coordinator|student|professor|teacher|sales|support|"
    r"marketing|operations|department|dept|team|\w{0,30}leiter|\w{0,30}leiterin|geschäftsführer|"
    r"geschäftsführerin|berater|beraterin|abteilung|einkauf|vertrieb|buchhaltung|directeur|"
    r"directrice|responsable|gérant|service|direttore|responsabile|gerente|hoofd|eigenaar|"
    r"kierownik|specjalista|direktør|konsulent|inköpare|chef)\b"
)
_FORMS: Final = frozenset(
    "ltd inc llc llp plc corp co limited gmbh mbh ag kg ug ohg se kgaa bv nv vof sa sas sarl srl "
    "spa sl slu lda ltda ab as asa aps oy oyj kft zrt sro doo".split()
)
# Without a word before it or a sign of one, a number may be that of an order or a day.
_PHONE: Final = re.compile(
    r"(?!\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\Z)(?:(?:tel|telefon|téléphone|tél|teléfono|telefono|phone|ph|mobile|mobil|mob|cell|handy|"
    r"fax|gsm|portable|tlf|telefax|direct|office|[tmfpdo])[.:]{0,2}\s{0,3}"
    r"\+?[\d(]|\+\d|\(\+?\d|0(?=[\d\s()/–-]{2}))[\d\s()/.–-]{5,30}|"
    r"\d{3}[ .-]\d{3}[ .-]\d{3,4}"
)
_LINK: Final = re.compile(
    r"(?:(?:e-?mail|mail|web|website|www|url|[ew])[.:]{0,2}\s{0,3})?<?(?:mailto:|https?://)?"
    r"[\w.+/@~-]{3,200}>?(?:<(?:mailto:|https?://)[^<>\s]{1,300}>)?"
)
_POST: Final = re.compile(
    r"street|road|avenue|\bave\b|\bst\.|straße|strasse|str\.|\brue\b|\bvia\b|\bweg\b|platz|"
    r"\bplaza\b|\bcalle\b|laan\b|straat\b|gate\b|vej\b|vägen\b|gatan\b|\bsuite\b|\bp\.? ?o\.? box"
)
# What phones and programs add below everything: "Sent from", whose or what, the device or program.
_DEVICE: Final = (
    r"(?:\w{1,20}[ -]){0,2}(?:iphone|ipad|ios|android|samsung|galaxy|huawei|xiaomi|nokia|"
    r"blackberry|pixel|outlook|yahoo|gmail|gmx|web\.de|windows|smartphone|mobile|mobil|mobilgerät|phone|tablet|"
    r"handy|téléphone|móvil|telefoon|cellulare|typeapp|bluemail|proton|protonmail|aquamail|k-9|mail)"
)
_SENT_FROM: Final = re.compile(
    r"(?:sent (?:from|via|with|using)|gesendet (?:von|mit|aus|über)|envoyé (?:de|depuis|avec|"
    r"à partir de)|enviad[oa] (?:desde|con|do|da|de|através do)|inviato (?:da|dal|con)|"
    r"(?:verzonden|verstuurd) (?:vanaf|met|vanuit|via)|skickat från|sendt (?:fra|med)|"
    r"lähetetty|wysłan[oe] z|odesláno z|отправлено с|von|diese nachricht wurde von)"
    r"(?: (?:my|the|meinem|meiner|der|mon|ma|mi|meu|minha|il mio|mio|mijn|min|mein|mého|моего))?"
    r"(?: l['’]application)? ?" + _DEVICE + r"\b[^,;:]{0,40}|"
    r"(?:get|download|holen sie sich|laden sie|téléchargez|obtenez|obtener|obtenga|scarica|ottieni|"
    r"télécharger|obtenir|baixe|hent|hämta) outlook (?:for|für|pour|para|per|voor|till?)\b.{0,30}|"
    r"(?:iphone|ipad|android)から送信|(?:发自|來自|来自|寄自)我的 ?\w{1,20}|나의 \w{1,20}에서 보냄"
)
_CONFIDENTIAL: Final = re.compile(
    r"confidential|intended recipient|privileged|vertraulich|confidentiel|confidencial|riservat|"
    r"destinatari|destinataire|vertrouwelijk|fortrolig|konfidentiell|poufn|geadresseerde|"
    r"luottamuksellinen|důvěrn"
)
_ANGLES: Final = re.compile(r"<[^<>]{0,300}>")


def signature_start(lines: Sequence[str]) -> int:
    """The line with which the signature begins, in a mail whose history is cut already; the number
    of lines when there is none that surely is one. `lines` are stripped."""
    end = len(lines)
    while end and not lines[end - 1]:
        end -= 1
    last = end
    while last > 1 and is_sent_from(lines[last - 1]) and not _goes_on(lines, last - 1):
        last -= 1
        while last > 1 and not lines[last - 1]:
            last -= 1
    below = last < end
    for number in range(last - 1, max(0, last - LINES) - 1, -1):
        line = lines[number]
        rest = lines[number + 1 : last]
        if line in (SIGNS, "--", "__"):
            # A name alone, or something that only signatures have: "Red Tent, Blue Tarp" is none.
            sure = (line == SIGNS and len(list(filter(None, rest))) < 2) or any(
                _is_contact(each, loose=False) for each in rest if each
            )
            if sure and _is_signature(rest, loose=True) and _above(lines, number):
                return number
        elif is_closing(line) and _is_signature(rest, loose=False) and _above(lines, number):
            return number
    return last if below and _above(lines, last) else len(lines)


def closing_line(lines: Sequence[str]) -> int:
    """Where a signature may begin, which is enough to guess a company from: the last closing words
    or "--" near the end; the number of lines when there are none."""
    for number in range(len(lines) - 1, max(0, len(lines) - LINES - 1), -1):
        if lines[number] in (SIGNS, "--", "__") or is_closing(lines[number]):
            below = lines[number:]
            return number if all(len(line) <= _WIDEST for line in below) else len(lines)
    return len(lines)


def is_closing(line: str) -> bool:
    """Whether a line is nothing but the words that close a letter."""
    return len(line) <= 50 and line.lower().rstrip(" ,.!;") in _CLOSINGS


def is_sent_from(line: str) -> bool:
    """ "Sent from my iPhone", in a line of its own."""
    if len(line) > 400:
        return False
    plain = _ANGLES.sub(" ", line).lower().strip(" *_.")
    return len(plain) <= _WIDEST and len(plain.split()) <= 12 and bool(_SENT_FROM.fullmatch(plain))


def is_legal_notice(lines: Sequence[str]) -> bool:
    """Whether these lines, below "--", are a company's notice about confidential mail."""
    return any(_CONFIDENTIAL.search(line.lower()) for line in lines[:40])


def _goes_on(lines: Sequence[str], number: int) -> bool:
    """Whether a line goes on with a sentence that began above it."""
    above = lines[number - 1]
    return lines[number][:1].islower() and above[-1:].isalnum() and not is_closing(above)


def _above(lines: Sequence[str], number: int) -> bool:
    return any(lines[max(0, number - 200) : number])


def _is_signature(lines: Sequence[str], *, loose: bool) -> bool:
    written = [line for line in lines if line]
    if not written:
        return True
    if len(written) > LINES - 1 or any(len(line) > _WIDEST for line in written):
        return False
    if not loose and not _is_name(written[0]):
        return False
    rest = written if loose else written[1:]
    return all(_is_contact(line, loose=loose) for line in rest)


def _is_contact(line: str, *, loose: bool) -> bool:
    parts = [part.strip() for part in re.split(r"\s[|•·–-]\s|[|•·]", line)]
    return all(not part or _is_one(part, loose=loose) for part in parts)


def _is_one(part: str, *, loose: bool) -> bool:
    lower = part.lower()
    if _PHONE.fullmatch(lower) or is_sent_from(part):
        return True
    if ("@" in part or "://" in lower or "www." in lower) and _LINK.fullmatch(lower):
        return True
    words = part.split()
    if part.endswith(("?", "!", ":")) or len(words) > 8:
        return False
    if words[-1].strip(".,").replace(".", "").lower() in _FORMS and len(words) > 1:
        return part[0].isupper() or part[0].isdigit()
    if any(c.isdigit() for c in part):
        return bool(_POST.search(lower)) and _is_capitalised(words)
    if _TITLE.search(lower):
        return _is_capitalised(words)
    return loose and _is_name(part)


def _is_name(line: str) -> bool:
    words = line.strip(" *_.").split()
    if not 1 <= len(words) <= 5 or any(c.isdigit() for c in line):
        return False
    sentence = line.endswith(("?", "!", ":")) or (line.endswith(".") and len(words) > 2)
    return not sentence and _is_capitalised(words)


def _is_capitalised(words: Sequence[str]) -> bool:
    for word in words:
        bare = word.strip("()[].,'\"&/-*_")
        if bare and not bare[0].isupper() and not bare[0].isdigit():
            if bare.lower() not in _PARTICLES:
                return False
    return True
