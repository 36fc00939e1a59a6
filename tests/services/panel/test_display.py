"""Salesforce values in words; links only where they are safe."""

from __future__ import annotations

import pytest

from keeping_plugin.services.panel.display import age, of_value, shown
from keeping_plugin.types import FieldSpec, PicklistValue, Record, Value
from tests.forms.samples import of_fields, spec

_COLOURS = (PicklistValue("r", "Red"), PicklistValue("g", "Green", active=False))


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (spec("string"), None, ""),
        (spec("string"), "<b>", "<b>"),
        (spec("boolean"), True, "Yes"),
        (spec("boolean"), False, "No"),
        (spec("int"), 1234567, "1,234,567"),
        (spec("double"), 0.0, "0"),
        (spec("double"), 52.520008, "52.520008"),
        (spec("currency", scale=2), 12500.5, "12,500.50"),
        (spec("percent"), 12.5, "12.5 %"),
        (spec("date"), "2026-05-06", "6 May 2026"),
        (spec("date"), "someday", "someday"),
        (spec("datetime"), "2026-05-06T14:30:00.000+0000", "6 May 2026, 14:30 UTC"),
        (spec("time"), "14:30:00.000Z", "14:30"),
        (spec("picklist", picklist=_COLOURS), "g", "Green"),
        (spec("picklist", picklist=_COLOURS), "x", "x"),
        (spec("multipicklist", picklist=_COLOURS), "r;g;x", "Red, Green, x"),
        (spec("string", html_formatted=True), "<a href='x'>Me &amp; you</a>", "Me & you"),
        (spec("textarea", extra_type="richtextarea"), "<p>one</p><p>two</p>", "one\ntwo"),
        (spec("location"), {"latitude": 52.5, "longitude": 13.4}, "52.5, 13.4"),
        (
            spec("address"),
            {"street": "1 Main\nBack", "city": "X", "postalCode": "123", "country": None},
            "1 Main\nBack\n123 X",
        ),
    ],
)
def test_a_value_reads_as_people_write_it(field: FieldSpec, value: Value, text: str) -> None:
    assert of_value(field, value).text == text


@pytest.mark.parametrize(
    ("kind", "value", "href"),
    [
        ("url", "https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("url", "www.example.com", "https://www.example.com"),
        ("url", "javascript:alert(1)", ""),
        ("url", " JaVaScRiPt:alert(1)", ""),
        ("url", "data:text/html,x", ""),
        ("url", 'https://x" onclick="alert(1)', ""),
        ("url", "//evil.example", ""),
        ("email", "jane@example.com", "mailto:jane@example.com"),
        ("email", 'a"b@example.com', ""),
        ("email", "jane@example.com?bcc=x", "mailto:jane@example.com%3Fbcc%3Dx"),
        ("phone", "+49 (0) 30 / 12-3", "tel:+4930123"),
        ("phone", "ext", ""),
        ("string", "https://example.com", ""),
    ],
)
def test_only_safe_schemes_become_links(kind: str, value: str, href: str) -> None:
    assert of_value(spec(kind), value).href == href


def test_a_number_reads_in_the_words_that_its_type_has() -> None:
    rating = FieldSpec(
        name="F", label="F", type="picklist", picklist=(PicklistValue("1500", "Large"),)
    )
    assert of_value(rating, 1500).text == "Large"


def test_a_reference_reads_as_the_name_of_its_record() -> None:
    owner = spec("reference", name="OwnerId", relationship="Owner", reference_to=("Group", "User"))
    record = Record("Thing__c", "a00000000000001", {"OwnerId": "005x", "Owner.Name": "Olga"})
    assert shown(of_fields(owner), record, "OwnerId").text == "Olga"
    nameless = Record("Thing__c", "a00000000000001", {"OwnerId": "005x"})
    assert shown(of_fields(owner), nameless, "OwnerId").text == "005x"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "just now"), (60, "1 minute ago"), (7300, "2 hours ago"), (200_000, "2 days ago")],
)
def test_an_age_is_rounded_down(seconds: float, text: str) -> None:
    assert age(seconds) == text
