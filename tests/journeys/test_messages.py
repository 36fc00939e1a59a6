"""Journey 2: a message arrives, and is in Salesforce."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.conftest import House


def test_a_new_customer_becomes_a_contact_and_every_message_a_task(
    connected: House, somebody: Callable[[], str]
) -> None:
    address = somebody()
    first, conversation = connected.deliver(
        address, name="Sam Somebody", subject="Where is my boat?", text="It left on Monday."
    )
    entries = connected.entries(first)
    assert {action: entry.state for action, entry in entries.items()} == {
        "add_contact": "done",
        "log_task": "done",
    }
    (contact,) = connected.contacts(address)
    assert (contact["FirstName"], contact["LastName"]) == ("Sam", "Somebody")
    (task,) = connected.tasks(contact["Id"])
    assert "Where is my boat?" in str(task["Subject"])
    assert "It left on Monday." in str(task["Description"])
    assert task["Status"] == "Completed"

    page = connected.agent.get(f"/conversations/{conversation}")
    connected.agent.submit(page, page.form(action="/reply"), {"text": "It arrives on Friday."})
    assert connected.ledger.await_drained(seconds=60)
    tasks = connected.tasks(contact["Id"])
    assert len(tasks) == 2
    assert "It arrives on Friday." in str(tasks[1]["Description"])
    assert len(connected.contacts(address)) == 1


def test_a_message_delivered_again_doubles_nothing(
    connected: House, somebody: Callable[[], str]
) -> None:
    address = somebody()
    for _ in range(3):
        message, _ = connected.deliver(address, id="again")
    connected.entries(message)
    (contact,) = connected.contacts(address)
    assert len(connected.tasks(contact["Id"])) == 1


def test_a_known_customer_is_not_added_again_but_logged(connected: House) -> None:
    (anna,) = connected.contacts("anna.deboer@example.com")
    before = len(connected.tasks(anna["Id"]))
    message, _ = connected.deliver("anna.deboer@example.com", name="Anna de Boer")
    entries = connected.entries(message)
    assert entries["add_contact"].reason == "exists"
    assert entries["log_task"].contact_id == anna["Id"]
    assert len(connected.contacts("anna.deboer@example.com")) == 1
    assert len(connected.tasks(anna["Id"])) == before + 1


def test_a_lead_is_not_added_and_its_task_waits_for_a_contact(connected: House) -> None:
    message, _ = connected.deliver("nadia.rahimi@example.org")
    entries = connected.entries(message)
    assert (entries["add_contact"].state, entries["add_contact"].reason) == ("done", "exists")
    assert entries["log_task"].state == "waiting"
    assert connected.contacts("nadia.rahimi@example.org") == []


def test_machine_mail_and_mailboxes_that_are_off_are_decided_and_left_alone(
    connected: House, somebody: Callable[[], str]
) -> None:
    newsletter, _ = connected.deliver(somebody(), List_Id="<news.example.com>")
    elsewhere, _ = connected.deliver(somebody(), mailbox="billing@outdoor.example.com")
    assert "add_contact" not in connected.entries(newsletter)
    assert connected.entries(elsewhere) == {}
    decisions = connected.ledger.decisions()
    assert decisions[newsletter]["add_contact"]
    assert set(decisions[elsewhere]) == {"add_contact", "log_task"}
    assert all(decisions[elsewhere].values())


def test_many_messages_of_one_stranger_at_once_make_one_contact(
    connected: House, somebody: Callable[[], str]
) -> None:
    address = somebody()
    messages = [connected.deliver(address, subject=f"Number {n}")[0] for n in range(16)]
    for message in messages:
        assert connected.entries(message)["log_task"].state == "done"
    (contact,) = connected.contacts(address)
    assert len(connected.tasks(contact["Id"])) == 16
