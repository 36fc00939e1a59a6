"""A company is suggested when a signature or a domain surely tells one, and else it is not."""

from __future__ import annotations

import time

import pytest

from keeping_plugin.mail.company_name import (
    SuggestedCompany,
    in_domain,
    in_signature,
    suggested_company,
)
from keeping_plugin.mail.reply import read_reply
from keeping_plugin.types import Address

JANE = Address("jane@mail.example", "Jane Doe")
AT_HOME = Address("jane.doe@gmail.com", "Jane Doe")
WROTE = "On Mon, May 4, 2026 at 10:00 AM Bob Jones <bob@rival.example> wrote:"
FORWARDED = "FYI\n\n---------- Forwarded message ---------\nFrom: Bob\nTo: Jane\n\n"

TOLD = [
    # A legal form, in a signature that its closing words announce.
    (JANE, "Hi\n\nBest regards,\nJane Doe\nHead of Sales\nAcme Ltd.\n+31 20 555 0100", "Acme Ltd."),
    (JANE, "Hi\n\nBest regards,\nJane Doe\nHead of Sales | Acme, Inc.", "Acme, Inc."),
    (JANE, "Hi\n\nKind regards\n\nJane Doe\n\nBuyer at Acme Tools LLC\n", "Acme Tools LLC"),
    (JANE, "Hi\n\n-- \nJane\n*Smith & Sons Limited*\nwww.smith.example", "Smith & Sons Limited"),
    (JANE, "Hallo\n\nMit freundlichen Grüßen\n\nJane Doe\nMuster GmbH & Co. KG\nHauptstr. 1",
     "Muster GmbH & Co. KG"),
    (JANE, "Hallo\n\nMit freundlichen Grüßen\nJane Doe\nEinkauf\nMüller Söhne AG",
     "Müller Söhne AG"),
    (JANE, "Bonjour\n\nCordialement,\nJane Doe\nSociété Martin SARL", "Société Martin SARL"),
    (JANE, "Hoi\n\nMet vriendelijke groet,\nJane Doe\nDe Boer B.V.", "De Boer B.V."),
    # ... or that only the whole name announces.
    (JANE, "Hola\n\nSaludos cordiales,\nJane Doe\nTalleres García S.L.", "Talleres García S.L."),
    (JANE, "Hej\n\nMed vänliga hälsningar\nJane Doe\nBerg Bygg AB", "Berg Bygg AB"),
    (JANE, "Hei\n\nJane Doe\nFjord AS\n", "Fjord AS"),
    (JANE, "Cześć\n\nJane Doe\nKowalski Sp. z o.o.", "Kowalski Sp. z o.o."),
    (Address("t@mail.example", "山田太郎"), "お世話になります。\n\n株式会社アクメ\n山田太郎",
     "株式会社アクメ"),
    (Address("k@mail.example", "김민수"), "안녕하세요.\n\n김민수\n(주)아크메", "(주)아크메"),
    (Address("w@mail.example", "王小明"), "您好\n\n王小明\n上海阿克米有限公司",
     "上海阿克米有限公司"),
    (Address("i@mail.example", "Иван Петров"), "Добрый день\n\nИван Петров\nООО «Ромашка»",
     "ООО «Ромашка»"),
    # The domain's name as its people write it.
    (Address("jane@acme-tools.example", "Jane Doe"), "Hi\n\nThanks,\nJane\nACME Tools",
     "ACME Tools"),
    (Address("jane@bmw.example", "Jane Doe"), "Hi\n\nJane Doe\nEngineer, BMW", "BMW"),
    # A word of organisations, right below the name.
    (AT_HOME, "Hi\n\nRegards,\nJane Doe\nBlue Bakery", "Blue Bakery"),
    (AT_HOME, "Hi\n\nJane Doe\nUniversity of Utrecht", "University of Utrecht"),
    (AT_HOME, "Hi\n\nBest,\nJane\nPhotographer\nHarbour Studios", "Harbour Studios"),
    (AT_HOME, "Guten Tag\n\nJane Doe\nUniversität Wien", "Universität Wien"),
]  # fmt: skip

NOT_TOLD = [
    (JANE, ""),
    (JANE, "Hello"),
    (JANE, "Hi\n\nBest regards,\nJane Doe"),
    # What a person does, where she lives, how to call her.
    (AT_HOME, "Hi\n\nJane Doe\nHead of Sales"),
    (AT_HOME, "Hi\n\nJane Doe\nHotel Manager"),
    (AT_HOME, "Hi\n\nJane Doe\nPartner at the Bank"),
    (AT_HOME, "Hi\n\nJane Doe\nAmsterdam"),
    (AT_HOME, "Hi\n\nJane Doe\n+31 20 555 0100\n1 Bank Street, London"),
    (AT_HOME, "Hi\n\nJane Doe\nPhotographer"),
    # What programs and lawyers add.
    (JANE, "Hi\n\nJane Doe\nSent from Outlook for Acme Inc"),
    (JANE, "Hi\n\nJane Doe\nRegistered in England as Acme Ltd"),
    (JANE, "Hi\n\nJane Doe\nThis mail is confidential. Acme Ltd"),
    (JANE, "Hi\n\nBest regards,\nJane\njane@acme.example\nhttps://acme.example/ Acme Ltd"),
    # A company that the letter is about, or that somebody else works for.
    (JANE, "Hi,\n\nwe bought it from Rival Ltd\nand it broke.\n\nJane Doe"),
    (JANE, "Please write to Rival GmbH\n\nThanks,\nJane"),
    (JANE, f"Yes.\n\nJane Doe\n\n{WROTE}\n\nBest regards,\nBob Jones\nRival Ltd."),
    (JANE, FORWARDED + "Jane Doe\nBob\nthe news\nof today\nis this\nor\nthat\nor\nRival Ltd."),
    # Words that only look like a legal form.
    (JANE, "Hi\n\nJane Doe\nas good AS"),
    (JANE, "Hi\n\nBest regards,\nJane Doe\nnice to meet you SE"),
    (Address("jane@mail.example"), "Hi\n\nJane Doe\nAcme Ltd"),
]  # fmt: skip


@pytest.mark.parametrize(("customer", "text", "company"), TOLD)
def test_a_company_that_the_signature_names(customer: Address, text: str, company: str) -> None:
    assert in_signature(read_reply(text), customer) == company


@pytest.mark.parametrize(("customer", "text"), NOT_TOLD)
def test_what_may_be_anything_else_is_left(customer: Address, text: str) -> None:
    assert in_signature(read_reply(text), customer) == ""


@pytest.mark.parametrize(
    ("email", "company"),
    [
        ("jane@acme-tools.example", "Acme Tools"),
        ("jane@mail.acme.co.uk", "Acme"),
        ("jane@xn--mnchen-3ya.de", "München"),
        ("jane@gmail.com", ""),
        ("not an address", ""),
    ],
)
def test_a_company_that_the_domain_names(email: str, company: str) -> None:
    assert in_domain(Address(email, "Jane Doe")) == company


def test_the_signature_counts_for_more_than_the_domain() -> None:
    jane = Address("jane@acme.example", "Jane Doe")
    text = "Hi\n\nJane Doe\nAcme Holdings Ltd"
    assert suggested_company(jane, read_reply(text)) == SuggestedCompany(
        "Acme Holdings Ltd", "signature"
    )
    assert suggested_company(jane, read_reply("Hi")) == SuggestedCompany("Acme", "address")
    assert suggested_company(AT_HOME, read_reply("Hi")) is None


@pytest.mark.parametrize("unit", ["a ", "Ltd ", "A, ", "| ", "有限公司", "S. ", "Jane Doe\n", "\t"])
def test_no_text_takes_long(unit: str) -> None:
    """A line, a signature's line of a usual length, and many of them."""
    for text in (unit * 20_000, "Hi\n\nJane Doe\n" + "\n".join([(unit * 200)[:199]] * 14)):
        started = time.process_time()
        in_signature(read_reply(text), JANE)
        assert time.process_time() - started < 3
