"""Rich text is sanitised, and email fields take what the org's settings allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.process import RunningOrg
from salesforce_simulator.results import User
from tests.salesforce_simulator.conftest import Api


@pytest.fixture
def engine() -> Iterator[Org]:
    org = Org(database=":memory:", clock=OrgClock(), name="Acme", sandbox=False)
    yield org
    org.close()


@pytest.fixture
def ann(engine: Org) -> User:
    return engine.add_user(username="ann@example.com", email="ann@example.com", last_name="Agent")


def stored(org: Org, user: User, **fields: Any) -> dict[str, Any]:
    contact = org.create(user, "Contact", {"LastName": "Doe", **fields})
    return org.read(user, "Contact", contact)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<p>Hello <b>Jane</b></p>", "<p>Hello <b>Jane</b></p>"),
        ("line one\nline two", "line one line two"),
        ("line one<br>line two<br/>", "line one<br>line two<br>"),
        ("write to <jane@acme.example>", "write to"),
        ("<script>alert(1)</script>text", "text"),
        ("<style>p { color: red }</style><p>text</p>", "<p>text</p>"),
        ('<p onclick="x()" align="left">text</p>', '<p align="left">text</p>'),
        ('<a href="javascript:x()">text</a>', "<a>text</a>"),
        ('<a href=" java\nscript:x()">text</a>', "<a>text</a>"),
        ('<a href="https://acme.example?a=1&amp;b=2">text</a>',
         '<a href="https://acme.example?a=1&amp;b=2">text</a>'),
        ("<blink>text</blink>", "text"),
        ("<!-- gone -->text", "text"),
        ("1 &lt; 2 &amp; 3", "1 &lt; 2 &amp; 3"),
        ("a < b", "a &lt; b"),
    ],
)  # fmt: skip
def test_rich_text_keeps_the_html_the_service_lets_in(
    engine: Org, ann: User, written: str, kept: str
) -> None:
    assert stored(engine, ann, Profile__c=written)["Profile__c"] == kept


def test_rich_text_of_which_nothing_is_left_is_empty(engine: Org, ann: User) -> None:
    assert stored(engine, ann, Profile__c="<unknown@acme.example>")["Profile__c"] is None


def test_other_text_is_stored_as_it_is_written(engine: Org, ann: User) -> None:
    text = "<jane@acme.example>\n<b>not HTML</b>"
    assert stored(engine, ann, Description=text)["Description"] == text


def test_rich_text_is_described_as_such(engine: Org, ann: User) -> None:
    described = engine.describe(ann, "Contact")["fields"]
    [field] = [field for field in described if field["name"] == "Profile__c"]
    found = (field["type"], field["extraTypeInfo"], field["htmlFormatted"])
    assert found == ("textarea", "richtextarea", True)


JAPAN = ["a..b@docomo.example", "a.@docomo.example"]
BEYOND_ASCII = ["jürgen@acme.example", "太郎@acme.example"]


@pytest.mark.parametrize(
    "address", [*JAPAN, *BEYOND_ASCII, "a.b+c@acme.example", '"a b"@x.example']
)
def test_an_org_takes_every_address_at_first(engine: Org, ann: User, address: str) -> None:
    assert stored(engine, ann, Email=address)["Email"] == address


@pytest.mark.parametrize(
    ("settings", "refused", "taken"),
    [
        ({"japan": False, "international": True}, JAPAN, BEYOND_ASCII),
        ({"japan": True, "international": False}, BEYOND_ASCII, JAPAN),
    ],
)
def test_a_setting_that_is_off_refuses_its_addresses(
    engine: Org, ann: User, settings: dict[str, bool], refused: list[str], taken: list[str]
) -> None:
    engine.use_addresses(**settings)
    for address in [*taken, "a.b+c@acme.example"]:
        assert stored(engine, ann, Email=address)["Email"] == address
    for address in refused:
        with pytest.raises(OrgError, match="INVALID_EMAIL_ADDRESS: Email: invalid email address"):
            stored(engine, ann, Email=address)


@pytest.mark.parametrize("address", [".a@acme.example", "a@acme", "a@-x.example", "a b@x.example"])
def test_no_setting_takes_what_is_no_address(engine: Org, ann: User, address: str) -> None:
    with pytest.raises(OrgError, match="INVALID_EMAIL_ADDRESS"):
        stored(engine, ann, Email=address)


def test_the_settings_are_ordered_by_control_verb(org: RunningOrg, api: Api) -> None:
    org.control.use_addresses(japan=False)
    body = {"LastName": "Doe", "Email": JAPAN[0]}
    assert api.post("sobjects/Contact", body).json()[0]["errorCode"] == "INVALID_EMAIL_ADDRESS"
    org.control.use_addresses()
    assert api.post("sobjects/Contact", body).status_code == 201
