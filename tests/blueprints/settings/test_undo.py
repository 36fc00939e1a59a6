"""Undo without JavaScript: choose, read what would go, start, read what is left, allow again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import html
from lxml.html import HtmlElement

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import Connection, ConnectionStatus, UndoneAddress, UndoRun
from keeping_plugin.services.corrections import choice, items, undo
from keeping_plugin.types import Action
from tests.blueprints.inbox import ADMIN, INSTANCE, Inbox, token
from tests.blueprints.ledger import Ledger
from tests.blueprints.settings.test_backfill import switch

UNDO = "/salesforce/settings/activity/undo"
CONFIRM = f"{UNDO}/confirm"


@pytest.fixture
def ledger(inbox: Inbox) -> Ledger:
    return Ledger(inbox.database, inbox.connection_id)


def added(inbox: Inbox, ledger: Ledger, address: str = "jane@acme.example") -> tuple[int, str]:
    """A Contact that the automation made, and a Task on it; the Contact's entry and id."""
    contact = inbox.salesforce.add("Contact", LastName="Doe", Email=address)
    task = inbox.salesforce.add("Task", Subject="Hello", WhoId=contact)
    made = {"record_id": contact, "reason": "created", "address": address}
    entry = ledger.entry(Action.ADD_CONTACT, **made)
    ledger.entry(record_id=task, contact_id=contact, reason="logged", address=address)
    return entry, contact


def read(element: HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def page(inbox: Inbox, path: str = UNDO, status: int = 200) -> HtmlElement:
    answer = inbox.client(ADMIN).get(path)
    assert answer.status_code == status, answer.text
    return html.fromstring(answer.text)


def post(inbox: Inbox, path: str, **data: str) -> HtmlElement:
    client = inbox.client(ADMIN)
    answer = client.post(path, data={**data, "csrf_token": token(client)})
    assert answer.status_code == 303, answer.text
    return html.fromstring(client.get(answer.location).text)


def work(inbox: Inbox) -> int:
    """What a worker does with the job; the run's id."""
    [run_id] = [row_id for job, row_id in inbox.queue.jobs if job == "undo"]
    with inbox.app.app_context():
        undo.advance(inbox.app.extensions["keeping"], run_id)
    return run_id


def test_an_action_is_undone_from_the_activity_page(inbox: Inbox, ledger: Ledger) -> None:
    entry, contact = added(inbox, ledger)
    activity = page(inbox, "/salesforce/settings/activity")
    path = f"{CONFIRM}?entry={entry}"
    assert path in activity.xpath("//a/@href")
    before = inbox.salesforce.used
    confirmation = page(inbox, path)
    assert inbox.salesforce.used == before + 1
    assert "Undo one action?" in read(confirmation)
    assert "may add or change something between the check and" in read(confirmation)
    assert "records that the connected user cannot see are not checked" in read(confirmation)
    assert "Delete 1 record" in read(confirmation)
    begun = post(inbox, path)
    assert "0 deleted, 0 kept, of 1 record" in read(begun)
    run_id = work(inbox)
    after = read(page(inbox, f"{UNDO}/{run_id}"))
    assert "1 deleted, 0 kept, of 1 record" in after
    assert "Finished" in after
    assert inbox.salesforce.fields("Contact", contact)["IsDeleted"]
    lines = page(inbox, "/salesforce/settings/activity?outcome=undone").find_class("ks-line")
    sentence = "An admin undid this: the record was deleted"
    assert [read(line).count(sentence) for line in lines] == [1, 1]
    audit = page(inbox, "/salesforce/settings/audit").find_class("ks-activity__who")
    assert sorted(map(read, audit)) == [
        "Deleted a record in Salesforce (undo): Contact",
        "Deleted a record in Salesforce (undo): Task",
        "Started an undo",
    ]


def test_what_is_left_is_listed_with_its_reason(inbox: Inbox, ledger: Ledger) -> None:
    _, contact = added(inbox, ledger)
    inbox.salesforce.add("Case", ContactId=contact)
    ledger.entry(reason="logged", address="joe@acme.example")
    confirmation = read(page(inbox, f"{CONFIRM}?domain=acme.example"))
    assert "Undo people and mail of acme.example?" in confirmation
    assert "Contacts 1 Tasks 1" in confirmation
    assert "1 further record cannot be undone" in confirmation
    post(inbox, f"{CONFIRM}?domain=acme.example")
    run_id = work(inbox)
    after = page(inbox, f"{UNDO}/{run_id}")
    assert "Other records in Salesforce refer to it. (Case)" in read(after)
    assert "Its Salesforce id is not known" in read(after)
    assert f"{INSTANCE}/lightning/r/Contact/{contact}/view" in html.tostring(after).decode()
    assert "1 deleted, 2 kept" in read(page(inbox))


def test_of_very_many_records_only_ten_thousand_are_counted(
    inbox: Inbox, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "MAX_COUNTED", 2)
    monkeypatch.setattr(items, "CHUNK", 2)
    for name in ("jane", "joe"):
        added(inbox, ledger, f"{name}@acme.example")
    confirmation = page(inbox, f"{CONFIRM}?domain=acme.example")
    assert "There are more than 10,000 records" in read(confirmation)
    assert "Delete more than 10,000 records" in read(confirmation)
    begun = read(post(inbox, f"{CONFIRM}?domain=acme.example"))
    assert "of 2 records counted so far; deleting begins once all are counted" in begun
    run_id = work(inbox)
    assert "4 deleted, 0 kept, of 4 records" in read(page(inbox, f"{UNDO}/{run_id}"))
    audit = read(page(inbox, "/salesforce/settings/audit"))
    assert "one domain, more than 10,000 records chosen" in audit


def test_without_the_right_to_delete_it_is_not_offered(inbox: Inbox, ledger: Ledger) -> None:
    entry, _ = added(inbox, ledger)
    schemas = inbox.salesforce.org.schemas
    schemas["Contact"] = replace(schemas["Contact"], deletable=False)
    found = page(inbox, f"{CONFIRM}?entry={entry}")
    assert "may not delete Contact records in Salesforce, so nothing can be undone" in read(found)
    assert not found.xpath("//button[contains(., 'Delete')]")
    some = page(inbox, f"{CONFIRM}?domain=acme.example")
    assert "may not delete Contact records in Salesforce, so those are kept" in read(some)
    assert "Delete 1 record" in read(some)
    assert "Automations do not add these people again" not in read(some)


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("silent", "It could not be checked whether"),
        ("nothing", "There is nothing to undo"),
        ("under way", "Another undo is still under way."),
    ],
)
def test_it_is_not_offered_where_it_cannot_begin(
    inbox: Inbox, ledger: Ledger, case: str, sentence: str
) -> None:
    entry, _ = added(inbox, ledger)
    if case == "silent":
        inbox.salesforce.fail("describe", SalesforceUnavailable())
    elif case == "nothing":
        entry = ledger.entry(Action.ADD_CONTACT, reason="exists")
    else:
        post(inbox, f"{CONFIRM}?entry={entry}")
    found = page(inbox, f"{CONFIRM}?entry={entry}")
    assert sentence in read(found)
    assert not found.xpath("//button[contains(., 'Delete')]")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?domain=acme", "Enter a domain, such as acme.com."),
        ("?hour=soon", "Enter a day and an hour."),
        ("", "Choose an hour, a domain or an import."),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(inbox: Inbox, query: str, sentence: str) -> None:
    found = page(inbox, f"{CONFIRM}{query}", 422)
    assert sentence in [read(each) for each in found.find_class("k-problem")]


def test_an_undo_is_stopped_and_says_so(inbox: Inbox, ledger: Ledger) -> None:
    entry, contact = added(inbox, ledger)
    post(inbox, f"{CONFIRM}?entry={entry}")
    with inbox.database.read() as session:
        [run] = session.query(UndoRun).all()
    stopped = read(post(inbox, f"{UNDO}/{run.id}/stop"))
    assert "The undo was stopped before it was deleted." in stopped
    assert "This undo has ended." in read(post(inbox, f"{UNDO}/{run.id}/stop"))
    assert not inbox.salesforce.fields("Contact", contact)["IsDeleted"]


def test_addresses_are_allowed_again_a_page_at_a_time(inbox: Inbox) -> None:
    with inbox.database.write() as session:
        for number in range(51):
            session.add(
                UndoneAddress(
                    company_id="acme",
                    address=f"p{number:02}@acme.example",
                    undone_at=inbox.clock.now(),
                )
            )
    first = page(inbox)
    assert "p49@acme.example" in read(first)
    [following] = first.xpath("//a[@rel='next']/@href")
    assert "p50@acme.example" in read(page(inbox, following.partition("#")[0]))
    allowed = read(post(inbox, f"{UNDO}/allow", address="p00@acme.example"))
    assert "Automations may add this address again." in allowed
    assert "p00@acme.example" not in allowed
    again = read(post(inbox, f"{UNDO}/allow", address="p00@acme.example"))
    assert "This address can be added already." in again


def test_trying_an_address_says_that_it_is_not_added_again(inbox: Inbox) -> None:
    switch(inbox)
    tried = "/salesforce/settings/automation/try?mailbox=support&address=jane@acme.example"
    sentence = "so they are not added again"
    assert sentence not in read(page(inbox, tried))
    with inbox.database.write() as session:
        at = inbox.clock.now()
        session.add(UndoneAddress(company_id="acme", address="jane@acme.example", undone_at=at))
    told = read(page(inbox, tried))
    assert sentence in told
    assert "would own it" not in told
    inbox.salesforce.add("Contact", LastName="Doe", Email="jane@acme.example")
    assert sentence not in read(page(inbox, tried))


def test_without_a_connection_nothing_is_offered(inbox: Inbox, ledger: Ledger) -> None:
    entry, _ = added(inbox, ledger)
    with inbox.database.write() as session:
        connection = session.get_one(Connection, inbox.connection_id)
        connection.current, connection.status = False, ConnectionStatus.DISCONNECTED
    assert "Salesforce is not connected." in read(page(inbox))
    answer = inbox.client(ADMIN).get(f"{CONFIRM}?entry={entry}")
    assert answer.status_code == 303
