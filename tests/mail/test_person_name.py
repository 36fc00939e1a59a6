"""The name under which a customer is added."""

from __future__ import annotations

import pytest

from keeping_plugin.mail.clean import length
from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.types import Address

EMAIL = "anna.smith@customer.example"

NAMES = [
    # display name, first, last
    ("Anna Smith", "Anna", "Smith"),
    ("  Anna   Smith ", "Anna", "Smith"),
    ("Smith, Anna", "Anna", "Smith"),
    ('"Smith, Anna"', "Anna", "Smith"),
    ("'Anna Smith'", "Anna", "Smith"),
    ("“Anna Smith”", "Anna", "Smith"),
    ("Anna", "", "Anna"),
    ("Smith,", "", "Smith"),
    ("Anna Maria Smith", "Anna Maria", "Smith"),
    ("J. R. R. Tolkien", "J. R. R.", "Tolkien"),
    ("Maria van der Berg", "Maria", "van der Berg"),
    ("Juan de la Cruz", "Juan", "de la Cruz"),
    ("von Trapp, Maria", "Maria", "von Trapp"),
    ("Van Morrison", "Van", "Morrison"),
    ("O’Neil, Shaun", "Shaun", "O’Neil"),
    ("O'Brien", "", "O'Brien"),
    ("Müller-Lüdenscheidt, Hans-Peter", "Hans-Peter", "Müller-Lüdenscheidt"),
    ("DUPONT Jean", "Jean", "DUPONT"),
    ("Jean DUPONT", "Jean", "DUPONT"),
    ("ANNA SMITH", "ANNA", "SMITH"),
    ("Dr. Anna Smith, PhD", "Anna", "Smith"),
    ("Mr Smith", "", "Smith"),
    ("Martin Luther King Jr.", "Martin Luther", "King"),
    ("Anna Smith, Acme Inc.", "Anna", "Smith"),
    ("Anna Smith (Acme)", "Anna", "Smith"),
    ("Anna Smith [extern]", "Anna", "Smith"),
    ("Anna Smith via Acme Support", "Anna", "Smith"),
    ("Anna & Tom Smith", "Anna & Tom", "Smith"),
    ("Anna 🌸 Smith", "Anna", "Smith"),
    ("Анна Петрова", "Анна", "Петрова"),
    ("Петрова, Анна", "Анна", "Петрова"),
    ("محمد علي", "محمد", "علي"),
    ("\u200fאבי כהן", "אבי", "כהן"),
    ("山田 太郎", "太郎", "山田"),
    ("山田，太郎", "太郎", "山田"),
    ("김 철수", "철수", "김"),
    ("王小明", "", "王小明"),
    ("Anna\0 Smith\x1b", "Anna", "Smith"),
    ("Anna\u202e Smith", "Anna", "Smith"),
    ("Anna\nSmith", "Anna", "Smith"),
]


@pytest.mark.parametrize(("shown", "first", "last"), NAMES)
def test_a_real_name_is_taken_apart(shown: str, first: str, last: str) -> None:
    wanted = {"LastName": last, "Email": EMAIL} | ({"FirstName": first} if first else {})
    assert contact_fields(Address(EMAIL, shown)) == wanted


@pytest.mark.parametrize(
    "shown",
    [
        "", "  ", "'", "🌸", "12345", "-", "\ud800", "\0",
        EMAIL, "<anna@x.example>", "Anna <anna@x.example>", "=HYPERLINK(1)", "+1+1", "@SUM(A1)",
        "<script>alert(1)</script>", "Pete (of (his) host)", "https://x.example", "{{ name }}",
        "=?utf-8?Q?Anna?=",
    ],
)  # fmt: skip
def test_otherwise_the_local_part_is_the_last_name(shown: str) -> None:
    assert contact_fields(Address(EMAIL, shown)) == {"LastName": "anna.smith", "Email": EMAIL}


def test_the_mailboxes_own_words_are_nobodys_name() -> None:
    customer = Address(EMAIL, "Acme  SUPPORT")
    assert contact_fields(customer, not_names=["Acme Support"])["LastName"] == "anna.smith"


def test_a_name_that_is_also_the_local_part_is_a_name() -> None:
    assert contact_fields(Address("anna@x.example", "Anna"))["LastName"] == "Anna"


def test_the_address_is_given_in_the_form_in_which_it_is_compared() -> None:
    fields = contact_fields(Address(" Anna+News@MÜLLER.example. "))
    assert fields["Email"] == "anna+news@xn--mller-kva.example"
    assert fields["LastName"] == "Anna+News"


def test_names_fit_salesforces_fields() -> None:
    names = ["x" * 81, "x" * 5_000_000, "🌸a" * 200, "y" * 50 + " " + "x" * 90, "é" * 200, "=" * 9]
    names += [" ".join(["word"] * 50), "x" * 90 + ", " + "y" * 60, "e\u0301" * 200]
    for name in names:
        fields = contact_fields(Address("z" * 64 + "@x.example", name))
        assert 1 <= length(str(fields["LastName"])) <= 80, name[:20]
        assert length(str(fields.get("FirstName", ""))) <= 40, name[:20]
        assert str(fields["LastName"]).strip() == fields["LastName"]
