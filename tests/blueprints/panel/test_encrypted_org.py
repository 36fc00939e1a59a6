"""The panel of an org that keeps addresses encrypted does not take "not found" for "not there"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.blueprints.inbox import CUSTOMER, Inbox, post, url
from tests.fake_salesforce import FakeSalesforce


@pytest.fixture
def encrypted(inbox: Inbox) -> FakeSalesforce:
    schemas = inbox.salesforce.org.schemas
    contact = schemas["Contact"]
    email = replace(contact.fields["Email"], filterable=False)
    schemas["Contact"] = replace(contact, fields={**contact.fields, "Email": email})
    inbox.describe(schemas)
    return inbox.salesforce


@pytest.mark.field_case("A10")
def test_the_panel_says_that_somebody_new_may_not_be_found_yet(
    inbox: Inbox, encrypted: FakeSalesforce
) -> None:
    page = inbox.client().get(url())
    assert "No Contact or Lead was found with the address" in page.text
    assert "encrypts email addresses" in page.text
    assert "Add as Contact" in page.text


@pytest.mark.field_case("A10")
def test_an_agent_can_add_a_person_by_hand_and_finds_who_is_there(
    inbox: Inbox, encrypted: FakeSalesforce
) -> None:
    client = inbox.client()
    fields = {"sf_LastName": "Doe", "sf_Email": CUSTOMER.email}
    assert post(client, "/new/Contact", fields).status_code == 303
    assert [row["LastName"] for row in encrypted.rows("Contact")] == ["Doe"]
    # Found by now: nobody is added a second time.
    assert post(client, "/new/Contact", fields).status_code != 500
    assert len(encrypted.rows("Contact")) == 1
