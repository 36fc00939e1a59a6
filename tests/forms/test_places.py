"""State and country picklists: one pair of dependent lists, whose codes alone are written."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from keeping_plugin.errors import Complaint
from keeping_plugin.forms.record import record_form
from keeping_plugin.services.panel.cards import asked
from keeping_plugin.services.panel.display import shown
from keeping_plugin.services.schema import selection
from keeping_plugin.services.schema.fields import in_use, label_in, parts
from keeping_plugin.types import ObjectSchema, Record
from tests.forms.places import with_places
from tests.forms.samples import schema

ADDRESSES = [
    ("Contact", "MailingAddress", "Mailing"),
    ("Contact", "OtherAddress", "Other"),
    ("Account", "BillingAddress", "Billing"),
    ("Account", "ShippingAddress", "Shipping"),
    ("Lead", "Address", ""),
]
every_address = pytest.mark.parametrize(("object", "compound", "prefix"), ADDRESSES)


def listed(name: str) -> ObjectSchema:
    return with_places(schema(name))


@pytest.mark.field_case("A12")
@every_address
def test_an_address_is_written_by_one_pair_of_lists_the_country_first(
    object: str, compound: str, prefix: str
) -> None:
    form = record_form(listed(object), (compound,))
    names = form.field_names()
    assert not {f"{prefix}State", f"{prefix}Country"} & set(names)
    assert [name for name in names if name.endswith("Code") and "Postal" not in name] == [
        f"{prefix}CountryCode",
        f"{prefix}StateCode",
    ]
    assert f"{prefix}Street" in names


@pytest.mark.field_case("A12")
@every_address
def test_the_text_boxes_go_from_the_fields_that_can_be_chosen(
    object: str, compound: str, prefix: str
) -> None:
    offered = {spec.name: spec for spec in selection.offered(listed(object))}
    assert not {f"{prefix}State", f"{prefix}Country"} & offered.keys()
    assert {f"{prefix}StateCode", f"{prefix}CountryCode", compound} <= offered.keys()
    text = schema(object).fields[f"{prefix}State"]
    assert label_in(listed(object), offered[f"{prefix}StateCode"]) == text.label


@pytest.mark.field_case("A12")
@every_address
def test_a_choice_of_the_text_saved_by_an_earlier_version_means_the_state(
    object: str, compound: str, prefix: str
) -> None:
    chosen = ("Phone", f"{prefix}State", f"{prefix}Country")
    kept = selection.choice(listed(object), chosen)
    assert kept.missing == ()
    codes = [f"{prefix}StateCode", f"{prefix}CountryCode"]
    assert [name for name in kept.shown if name.startswith((*codes, f"{prefix}State"))][:2] == codes
    assert f"{prefix}State" not in kept.shown
    # And back, where the org gives its picklists up again.
    back = selection.choice(schema(object), ("Phone", *codes))
    assert back.missing == ()
    assert {f"{prefix}State", f"{prefix}Country"} <= set(back.shown)


@pytest.mark.field_case("A12")
def test_a_choice_of_both_is_shown_once() -> None:
    chosen = ("MailingState", "MailingStateCode", "MailingState")
    kept = selection.choice(listed("Contact"), chosen).shown
    assert kept.count("MailingStateCode") == 1
    assert "MailingState" not in kept
    saved = selection.ordered(listed("Contact"), ("MailingState", "Phone"), ("MailingState",))
    assert saved[0] == "MailingStateCode"


@pytest.mark.field_case("A12")
def test_a_change_of_the_code_is_of_interest_where_the_text_was_chosen() -> None:
    for chosen in (("MailingState",), ("MailingStateCode",)):
        assert selection.is_wanted("Contact", "MailingStateCode", chosen)
        assert selection.is_wanted("Contact", "MailingState", chosen)
        assert not selection.is_wanted("Contact", "OtherState", chosen)
        assert not selection.is_wanted("Contact", "MailingCountryCode", chosen)


def test_an_org_without_the_lists_keeps_its_text_boxes() -> None:
    contact = schema("Contact")
    assert in_use(contact, "MailingState") == "MailingState"
    assert [spec.name for spec in parts(contact, "MailingAddress")] == [
        spec.name for spec in contact.fields.values() if spec.compound == "MailingAddress"
    ]


@pytest.mark.field_case("A12")
def test_codes_alone_are_sent_the_country_before_the_state_whatever_the_order_chosen() -> None:
    for names in (("MailingAddress",), ("MailingStateCode", "MailingCountryCode")):
        form = record_form(listed("Contact"), names)
        sent = MultiDict({"sf_MailingStateCode": "NSW", "sf_MailingCountryCode": "AU"})
        before = {"MailingCountryCode": "US", "MailingStateCode": "CA"}
        made = form(sent, values=before)
        assert made.validate(), made.problems()
        assert list(made.changes().items()) == [
            ("MailingCountryCode", "AU"),
            ("MailingStateCode", "NSW"),
        ]


@pytest.mark.field_case("A12")
@pytest.mark.parametrize("country", ["DE", ""])
def test_a_state_of_another_country_is_refused_beside_its_field(country: str) -> None:
    form = record_form(listed("Contact"), ("MailingAddress",))
    before = {"MailingCountryCode": "US", "MailingStateCode": "CA"}
    made = form(MultiDict({"sf_MailingCountryCode": country}), values=before)
    assert not made.validate()
    (problem,) = made.problems()["MailingStateCode"]
    assert "“California” is not available for Mailing Country" in problem


@pytest.mark.field_case("A12")
def test_salesforces_words_about_the_text_stand_beside_the_code() -> None:
    made = record_form(listed("Contact"), ("MailingAddress",))(None, values={})
    words = "There's a problem with this state, even though it may appear correct."
    complaint = Complaint("FIELD_INTEGRITY_EXCEPTION", words, ("MailingState",))
    assert made.complain([complaint]) == ()
    assert made.problems() == {"MailingStateCode": [words]}


@pytest.mark.field_case("A12")
def test_what_is_shown_is_the_lists_label_never_the_text_beside_it() -> None:
    contact = listed("Contact")
    address = {
        "street": "1 George St",
        "city": "Sydney",
        "postalCode": "2000",
        "state": "Integration value of NSW",
        "stateCode": "NSW",
        "country": "AUS",
        "countryCode": "AU",
    }
    record = Record("Contact", "003", {"MailingAddress": address, "MailingStateCode": "NSW"})
    text = shown(contact, record, "MailingAddress").text
    assert text == "1 George St\n2000 Sydney\nNew South Wales\nAustralia"
    assert shown(contact, record, "MailingStateCode").text == "New South Wales"
    # A code of an entry that the org no longer has, and an address that never had one.
    odd = {**address, "stateCode": "XX", "countryCode": None}
    record = Record("Contact", "003", {"MailingAddress": odd})
    assert shown(contact, record, "MailingAddress").text.endswith("Integration value of NSW\nAUS")


@pytest.mark.field_case("A12")
def test_the_panel_asks_for_codes_and_never_for_the_texts() -> None:
    for chosen in (("MailingAddress",), ("MailingStateCode",)):
        names = asked(listed("Contact"), chosen)
        assert {"MailingStateCode", "MailingCountryCode"} <= set(names)
        assert not {"MailingState", "MailingCountry"} & set(names)
