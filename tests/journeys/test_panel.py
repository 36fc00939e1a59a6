"""Journey 3: an agent opens a conversation, and adds or edits who is behind it."""

from __future__ import annotations

from collections.abc import Callable

import requests

from demo.headless import Page
from tests.journeys.conftest import House


def conversation_with(house: House, address: str, **more: str) -> str:
    return house.deliver(address, mailbox="sales@outdoor.example.com", **more)[1]


def test_the_panel_shows_a_contact_with_what_stands_around_it(connected: House) -> None:
    connected.org.reset_log()
    page = connected.panel("1")
    for shown in ("Anna de Boer", "Northwind Paddles", "Paddle arrived with a crack"):
        assert shown in page.text, shown
    hers = ("Spring paddles", "Shop-in-shop Utrecht", "Winter clearance", "Rain covers 2,000 pcs")
    deals, cases = (
        page.document.xpath(
            f"//section[@aria-labelledby='k-{key}']"
            "//div[@class='k-record-row'][not(ancestor::details)]"
        )
        for key in ("opportunities", "cases")
    )
    shown = [next(name for name in hers if name in row.text_content()) for row in deals]
    assert shown[0] == "Spring paddles", "the open one comes first"
    assert len(shown) == 3
    used = connected.org.counters()
    assert (used["data_round_trips"], used["api_requests"]) == (1, 1)
    assert len({row.xpath("./a/@href")[0] for row in cases}) == 5  # of her six
    assert "/lightning/r/Case/" in cases[0].xpath("./a/@href")[0]
    (opened,) = page.document.xpath("(//a[starts-with(@aria-label, 'Open in Salesforce')])[1]")
    assert requests.get(opened.get("href"), timeout=30).ok


def test_a_lead_is_shown_as_a_lead(connected: House) -> None:
    page = connected.panel(conversation_with(connected, "owen.clarke@example.net"))
    assert "Lead" in page.text
    assert "Clarke Canoes" in page.text


def test_several_people_with_one_address_are_offered_and_the_pick_is_kept(
    connected: House,
) -> None:
    number = conversation_with(connected, "family.vermeer@example.com")
    page = connected.panel(number)
    assert "Iris Vermeer" in page.text
    assert "Joost Vermeer" in page.text
    forms = page.document.xpath("//form[contains(@action, '/pick')]")
    assert forms
    buttons = [button for form in forms for button in form.xpath(".//button[@name='record']")]
    joost = next(one for one in buttons if "Joost" in one.getparent().getparent().text_content())
    form = next(one for one in forms if joost in one.xpath(".//button"))
    token = form.xpath(".//input[@type='hidden']")[0]
    connected.agent.http.post(
        f"{connected.demo.url}{form.get('action')}",
        data={token.get("name"): token.get("value"), "record": joost.get("value")},
        timeout=30,
    )
    again = connected.panel(number).text
    assert "Joost Vermeer" in again
    assert "Chosen from 2" in again


def add(house: House, number: str, label: str, **fields: str) -> Page:
    page = house.panel(number)
    page = house.agent.submit(page, page.form(button=f"Add as {label}"))
    form = page.form(button="Save")
    named = {f"sf_{name}": value for name, value in fields.items()}
    return house.agent.submit(page, form, named)


def test_add_as_contact_turns_the_panel_into_the_match(
    connected: House, somebody: Callable[[], str]
) -> None:
    address = somebody()
    number = conversation_with(connected, address, name="Robin Castell")
    assert "Not in Salesforce" in connected.panel(number).text
    page = add(connected, number, "Contact", LastName="Castell-Rey")
    assert "Robin Castell-Rey" in page.text
    (contact,) = connected.contacts(address)
    assert (contact["FirstName"], contact["LastName"]) == ("Robin", "Castell-Rey")
    further = conversation_with(connected, address)
    assert "Robin Castell-Rey" in connected.panel(further).text


def test_add_as_lead_turns_the_panel_into_the_match(
    connected: House, somebody: Callable[[], str]
) -> None:
    address = somebody()
    number = conversation_with(connected, address, name="Lea Lang")
    page = add(connected, number, "Lead", Company="Lang & Co")
    assert "Lang & Co" in page.text
    (lead,) = connected.org.query(f"SELECT Company, LastName FROM Lead WHERE Email = '{address}'")
    assert (lead["Company"], lead["LastName"]) == ("Lang & Co", "Lang")


def test_a_task_that_waited_is_logged_once_an_agent_adds_the_contact(
    connected: House, somebody: Callable[[], str]
) -> None:
    """Auto-add asks for a conversation that the customer opened; this one we opened."""
    address = somebody()
    page = connected.agent.get("/compose")
    values = {"mailbox": "support", "to": address, "subject": "Hello", "text": "A word from us"}
    page = connected.agent.submit(page, page.form(button="Send"), values)
    number = page.url.rpartition("/")[2]
    assert connected.ledger.await_drained(seconds=60)
    (entry,) = [one for one in connected.ledger.entries() if one.address == address]
    assert (entry.action, entry.state) == ("log_task", "waiting")
    add(connected, number, "Contact", LastName="Latecomer")
    assert connected.ledger.await_drained(seconds=60)
    (contact,) = connected.contacts(address)
    (task,) = connected.tasks(contact["Id"])
    assert "A word from us" in str(task["Description"])


def test_what_salesforce_refuses_stands_in_its_words_and_nothing_typed_is_lost(
    connected: House, somebody: Callable[[], str]
) -> None:
    connected.org.validation_rule(
        "Contact", "LastName = 'Forbidden'", "That name is taken by a king.", "LastName"
    )
    try:
        number = conversation_with(connected, somebody())
        page = connected.panel(number)
        page = connected.agent.submit(page, page.form(button="Add as Contact"))
        typed = {"sf_FirstName": "Typed", "sf_LastName": "Forbidden"}
        page = connected.agent.submit(page, page.form(button="Save"), typed, expect=422)
    finally:
        connected.org.clear_rules()
    assert "That name is taken by a king." in page.text
    form = page.form(button="Save")
    assert form.fields["sf_FirstName"] == "Typed"
    assert form.fields["sf_LastName"] == "Forbidden"


def test_an_agent_edits_a_field_in_place(connected: House) -> None:
    (anna,) = connected.contacts("anna.deboer@example.com")
    path = f"/salesforce/conversations/1/Contact/{anna['Id']}/edit/Phone"
    page = connected.agent.get(path)
    page = connected.agent.submit(page, page.form(button="Save"), {"sf_Phone": "+31 20 555 0199"})
    assert "+31 20 555 0199" in page.text
    (saved,) = connected.org.query(f"SELECT Phone FROM Contact WHERE Id = '{anna['Id']}'")
    assert saved["Phone"] == "+31 20 555 0199"


def test_a_salesforce_that_is_away_is_not_a_customer_who_is_unknown(connected: House) -> None:
    number = conversation_with(connected, "emily.hart@example.org")
    fault = connected.org.fault("unavailable", times=None)
    try:
        page = connected.agent.get(f"/salesforce/conversations/{number}", expect=503)
    finally:
        connected.org.clear_faults(fault)
    assert "Not in Salesforce" not in page.text
    assert connected.agent.get(f"/conversations/{number}").status == 200
