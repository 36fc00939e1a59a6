"""The company a new person may work for: read from a mail's signature, else from the domain.

Always a guess, and in the panel shown as one; so a line that may be anything else is left.
A signature tells a company by a legal form, by the name the address's domain has, or, right below
the person's name, by a word that only organisations carry.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from keeping_plugin.addresses import address_key, domain_of
from keeping_plugin.mail.body import read_body
from keeping_plugin.mail.clean import one_line
from keeping_plugin.mail.domains import may_be_a_company, registered
from keeping_plugin.mail.effort import Effort, TextTooSlow
from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.mail.reply import Reply
from keeping_plugin.types import Address, Direction, Message

COMPANY: Final = 80  # as much as is shown; Lead.Company holds 255
_LINES = 15
_END = 8 * 1024  # characters at a mail's end in which its writer's name is looked for

# What ends a company's name in its country. Letters as they are written there: "as" is a word.
_ENDS = re.compile(
    r"\S.*?[\s,]+(?:(?:Inc|INC|Corp|CORP|Ltd|LTD|Limited|Co\.,? Ltd|Pty\.? Ltd|Pte\.? Ltd|"
    r"Pvt\.? Ltd|Sdn\.? Bhd|LLC|L\.L\.C|LLP|LP|PLC|plc|GmbH|mbH|gGmbH|UG|AG|KG|OHG|SE|"
    r"e\.\s?K|e\.\s?V|KGaA|GesmbH|B\.V|BV|N\.V|NV|VOF|V\.O\.F|S\.A|SA|SAS|S\.A\.S|SASU|SARL|S\.A\.R\.L|Sàrl|EURL|"
    r"S\.L|SL|S\.L\.U|SLU|S\.p\.A|SpA|S\.r\.l|Srl|SRL|S\.R\.L|Lda|Ltda|LTDA|"
    r"AB|A/S|ApS|AS|ASA|Oy|OY|Oyj|Sp\. z o\.\s?o|S\.C|s\.r\.o|a\.s|Kft|Zrt|d\.o\.o|A\.Ş|Ltd\. Şti|"
    r"S\.A\. de C\.V|S\. de R\.L\. de C\.V)\.?|GmbH & Co\. (?:KG|OHG|KGaA))"
)
_BEGINS = re.compile(r"(?:ООО|ОАО|ЗАО|АО|ПАО|ТОВ|PT\.?)\s+\S.*")
# Joined to the name, before or after it.
_JOINED = re.compile(
    r"(?:株式会社|有限会社|合同会社|주식회사|\(주\)|㈜|㈱)\s*[\w&・ー·\- ]{2,40}"
    r"|[\w&・ー·\-]{2,40}\s*(?:株式会社|有限会社|合同会社|주식회사|\(주\)|㈜|㈱)"
    r"|[\w（）()]{2,40}(?:有限公司|有限責任公司|有限责任公司)"
)
# Words that only organisations carry, in their names' first or last place.
_ORGANISATIONS = frozenset(
    """academy agency architects associates association bakery bank brewery church clinic college
    company consulting council foundation gallery group holding holdings hospital hotel industries
    institute labs logistics ministry museum partners restaurant school solutions studio studios
    technologies university
    universität hochschule klinikum stiftung verein verlag praxis gymnasium stadtwerke bäckerei
    université école lycée hôpital fondation mairie cabinet boulangerie
    universidad colegio escuela fundación ayuntamiento grupo clínica
    università scuola ospedale fondazione comune studio gruppo
    universiteit hogeschool gemeente ziekenhuis stichting bakkerij
    universidade universitet universitetet universitesi uniwersytet univerzita""".split()
)
# Words of what a person does: "Hotel Manager" is nobody's employer.
_OFFICES = re.compile(
    r"(?i)\b(?:manager|director|head|lead|chief|officer|president|vice|vp|ceo|cto|cfo|coo|founder|"
    r"owner|partner|engineer|developer|designer|architect|analyst|consultant|assistant|executive|"
    r"representative|specialist|coordinator|student|professor|teacher|doctor|nurse|sales|support|"
    r"service|team|department|dept|leiter\w*|geschäftsführer\w*|berater\w*|abteilung|assistent\w*|"
    r"directeur|directrice|responsable|gérant|service|direttore|responsabile|gerente|jefe|"
    r"manage\w*|hoofd|eigenaar|your|my|our|the|ihre?|unsere?|sehr|votre|notre|su|tu)\b"
)
# What stands in a footer rather than in a signature: "Registered in England", "Sent via".
_FOOTER = re.compile(
    r"(?i)@|://|\bwww\.|[:;?!{}<>=_*\\]|\d{5}|\b(?:sent|powered|via|by|registered|confidential|"
    r"gesendet|envoyé|enviado|inviato|verzonden|trademark|subsidiary|part of|thanks?|regards|"
    r"grüße[n]?|cordialement|saludos)\b"
)
_PARTS = re.compile(
    r"\s+[|•·–—/-]\s+|\s*[|•·]\s*|\t+|\s{3,}|,\s+(?!(?:Inc|Ltd|LLC|L\.L\.C|Corp|S\.|Co\b))"
)
_AT = re.compile(r"^.*\s(?:at|bei|chez|bij|hos|@)\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class SuggestedCompany:
    """A company's name, and where it was read."""

    name: str
    source: Literal["account", "signature", "address"]


def suggested_company(customer: Address, reply: Reply | None = None) -> SuggestedCompany | None:
    """From one mail that the customer wrote, else from the domain of the address; None when
    neither tells."""
    name = in_signature(reply, customer) if reply is not None else ""
    if name:
        return SuggestedCompany(name, "signature")
    name = in_domain(customer)
    return SuggestedCompany(name, "address") if name else None


def company_of(customer: Address, message: Message | None) -> SuggestedCompany | None:
    """The company to suggest, from this message when the customer wrote it, else from the address
    alone."""
    wrote = message is not None and message.direction == Direction.INBOUND and message.sender
    if message is None or not wrote or not wrote.email:
        return suggested_company(customer)
    key = address_key(wrote.email)
    if key is None or key != address_key(customer.email):
        return suggested_company(customer)
    try:
        body = read_body(message, Effort.begun())
    except TextTooSlow:
        return suggested_company(customer)
    return suggested_company(customer, body.reply)


def lead_company(customer: Address, message: Message | None) -> str:
    """What stands in the Company of somebody who is added as a Lead, where no Account tells it: the
    company to suggest, else their own name. Salesforce requires one on every Lead."""
    suggested = company_of(customer, message)
    return suggested.name if suggested is not None else full_name(customer)


def full_name(customer: Address) -> str:
    """The customer's name as their record has it: first name, last name."""
    fields = contact_fields(customer)
    return " ".join(str(fields[name]) for name in ("FirstName", "LastName") if name in fields)


def in_domain(customer: Address) -> str:
    """A company's name as the address's domain spells it, "" when it tells none."""
    key = address_key(customer.email)
    domain = domain_of(key) if key else ""
    if not may_be_a_company(domain):
        return ""
    label = registered(domain).partition(".")[0]
    if label.startswith("xn--"):
        label = label.encode("ascii").decode("idna")
    return " ".join(word.capitalize() for word in label.split("-") if word)


def in_signature(reply: Reply, customer: Address) -> str:
    """The company that a mail's signature names, "" when no line of it surely does."""
    full, first = _names(customer)
    lines, named = _block(reply, full, first)
    for line in lines:
        for part in _parts(line):
            if _has_legal_form(part):
                return part
    domain = _squashed(in_domain(customer))
    for line in lines:
        for part in _parts(line):
            if len(domain) > 2 and _squashed(part) == domain and part != part.lower():
                return part
    for line in lines[named + 1 : named + 3] if named >= 0 else ():
        if _is_organisation(line):
            return line
    return ""


def _names(customer: Address) -> tuple[str, str]:
    """The customer's whole name and first name, squashed; "" where none is known."""
    fields = contact_fields(customer)
    first, last = str(fields.get("FirstName", "")), str(fields["LastName"])
    return (_squashed(first + last) if customer.name.strip() else ""), _squashed(first)


def _block(reply: Reply, full: str, first: str) -> tuple[list[str], int]:
    """The signature's lines without empty ones, and which of them is the person's name (-1 for
    none). Where nothing announces a signature, the whole name near the mail's end does."""
    lines = _lines(reply.signature)[:_LINES]
    named = _line_of(lines, {full, first})
    if lines:
        return lines, named
    lines = _lines(reply.text[-_END:].split("\n"))[-8:]
    named = _line_of(lines, {full})
    # Some write their company above their name.
    start = max(named - 1, 0)
    return (lines[start:], named - start) if named >= 0 else ([], -1)


def _lines(raw: Sequence[str]) -> list[str]:
    lines = (one_line(line, 200).strip("*_-–— ") for line in raw if len(line) <= 200)
    return [line for line in lines if line]


def _line_of(lines: Sequence[str], names: set[str]) -> int:
    for place, line in enumerate(lines):
        parts = [_squashed(line), *map(_squashed, _PARTS.split(line)[:1])]
        if any(part and part in names for part in parts):
            return place
    return -1


def _parts(line: str) -> Iterator[str]:
    """What of a line may be a name: "Sales | Acme Ltd", "Buyer at Acme Ltd"."""
    if _FOOTER.search(line):
        return
    for part in _PARTS.split(line):
        part = _AT.sub("", part).strip(" ,")
        if 2 < len(part) <= COMPANY and len(part.split()) <= 8:
            yield part


def _has_legal_form(part: str) -> bool:
    if _JOINED.fullmatch(part) or _BEGINS.fullmatch(part):
        return True
    # A name begins with a capital or a digit; a sentence that ends in "SE" seldom does twice.
    starts = part[0].isupper() or part[0].isdigit()
    return starts and bool(_ENDS.fullmatch(part)) and not _OFFICES.search(part)


def _is_organisation(line: str) -> bool:
    words = line.split()
    if not 2 <= len(words) <= 6 or _FOOTER.search(line) or _OFFICES.search(line):
        return False
    if not words[0][0].isupper() or not any(c.isalpha() for c in line) or "," in line:
        return False
    return not {words[0].lower(), words[-1].lower()}.isdisjoint(_ORGANISATIONS)


def _squashed(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(c for c in plain if c.isalnum())
