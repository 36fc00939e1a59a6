"""The panel in an org with several currencies and with state and country picklists."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from tests.blueprints.inbox import ADMIN, CUSTOMER, Inbox, post, url
from tests.blueprints.panel.test_edit import marks
from tests.forms.places import with_currencies, with_places

CODES = ("JPY", "USD", "EUR")


def deals(inbox: Inbox) -> list[str]:
    """Three Opportunities of 1,200,000, one in each currency."""
    schemas = inbox.salesforce.org.schemas
    schemas["Opportunity"] = with_currencies(schemas["Opportunity"], "USD", "EUR", "JPY")
    inbox.describe(schemas)
    contact = inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email)
    made = []
    for code in CODES:
        deal = inbox.salesforce.add(
            "Opportunity", Name=f"In {code}", Amount=1_200_000, CurrencyIsoCode=code
        )
        inbox.salesforce.add("OpportunityContactRole", OpportunityId=deal, ContactId=contact)
        made.append(deal)
    return made


@pytest.mark.field_case("A11")
def test_three_amounts_of_one_number_say_three_currencies(inbox: Inbox) -> None:
    deals(inbox)
    text = html.fromstring(inbox.client().get(url()).text).text_content()
    for amount in ("JPY 1,200,000", "USD 1,200,000.00", "EUR 1,200,000.00"):
        # In the one line of the record and in its field.
        assert text.count(amount) == 2, amount
    assert "JPY 1,200,000." not in text


@pytest.mark.field_case("A11")
def test_the_code_stands_beside_the_box_where_an_amount_is_edited(inbox: Inbox) -> None:
    yen, *_ = deals(inbox)
    client = inbox.client()
    client.get(url())
    form = html.fromstring(client.get(url(f"/Opportunity/{yen}/edit/Amount")).text)
    (box,) = form.xpath("//input[@name='sf_Amount']")
    assert box.get("value") == "1200000"
    told = [
        form.get_element_by_id(one).text_content() for one in box.get("aria-describedby").split()
    ]
    assert "JPY" in told


def place(inbox: Inbox, *chosen: str) -> str:
    schemas = inbox.salesforce.org.schemas
    schemas["Contact"] = with_places(schemas["Contact"])
    inbox.describe(schemas)
    inbox.choose("Contact", *chosen)
    return inbox.salesforce.add(
        "Contact",
        LastName="Doe",
        Email=CUSTOMER.email,
        MailingState="Calif.",
        MailingCountry="USA",
        MailingStateCode="CA",
        MailingCountryCode="US",
    )


def shown_on(page: Any) -> dict[str, str]:
    terms = [one.text_content().strip() for one in page.xpath("//dl[@class='k-fields']//dt")]
    values = [
        " ".join(one.xpath("(.//bdi)[1]")[0].text_content().split())
        for one in page.xpath("//dl[@class='k-fields']//dd")
    ]
    return dict(zip(terms, values, strict=True))


@pytest.mark.field_case("A12")
def test_a_choice_saved_by_an_earlier_version_shows_the_state_of_the_list(inbox: Inbox) -> None:
    place(inbox, "Email", "MailingState", "MailingCountry")
    found = shown_on(html.fromstring(inbox.client().get(url()).text))
    assert found["Mailing State/Province"] == "California"
    assert found["Mailing Country"] == "United States"


@pytest.mark.field_case("A12")
def test_an_address_is_edited_by_two_dependent_lists_and_codes_are_written(inbox: Inbox) -> None:
    jane = place(inbox, "Email", "MailingAddress")
    client = inbox.client()
    client.get(url())
    path = f"/Contact/{jane}/edit/MailingAddress"
    page = client.get(url(path)).text
    form = html.fromstring(page)
    assert not form.xpath("//*[@name='sf_MailingState' or @name='sf_MailingCountry']")
    (country,) = form.xpath("//select[@name='sf_MailingCountryCode']")
    (state,) = form.xpath("//select[@name='sf_MailingStateCode']")
    assert state.get("id") in country.get("data-k-controls").split()
    assert [group.get("label") for group in state.xpath("./optgroup")] == [
        "United States",
        "Australia",
    ]
    inputs = [one.get("name") for one in form.xpath("//form//*[@name]")]
    assert inputs.index("sf_MailingCountryCode") < inputs.index("sf_MailingStateCode")

    sent = {"sf_MailingCountryCode": "AU", "sf_MailingStateCode": "NSW"}
    assert post(client, path, {**marks(page), **sent}).status_code == 200
    record = inbox.salesforce.fields("Contact", jane)
    assert (record["MailingCountryCode"], record["MailingStateCode"]) == ("AU", "NSW")
    assert (record["MailingState"], record["MailingCountry"]) == ("Calif.", "USA")


@pytest.mark.field_case("A12")
def test_the_fields_tab_offers_the_lists_once_and_ticks_what_was_chosen_as_text(
    inbox: Inbox,
) -> None:
    place(inbox, "Email", "LastName", "MailingState")
    page = html.fromstring(inbox.client(ADMIN).get("/salesforce/settings/fields/Contact").text)
    offered = page.xpath("//input[@name='fields']/@value")
    assert offered.count("MailingStateCode") == 1
    assert not {"MailingState", "MailingCountry"} & set(offered)
    (box,) = page.xpath("//input[@name='fields'][@value='MailingStateCode']")
    assert box.get("checked") is not None
