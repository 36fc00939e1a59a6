"""The delivery's judgement, one case per sentence of the protocol."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.services.delivery import plan as plan_module
from keeping_plugin.services.delivery.actions import ACTIONS, Look, Payload
from keeping_plugin.services.delivery.plan import PlanInput, plan
from keeping_plugin.types import Action, Found, PersonFound

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
JANE = "jane@acme.example"
USER = "005000000000001AAA"


def row(number: int, action: Action, *, message: str = "", **more: Any) -> SyncEntry:
    values = {
        "id": number,
        "message_id": message or f"m{number}",
        "action": action,
        "address": JANE,
        "state": EntryState.PENDING,
        "attempts": 0,
        "reason": "",
    }
    return SyncEntry(**{**values, **more})


def contact(number: int = 1) -> PersonFound:
    return PersonFound("Contact", f"00300000000000{number}AAA", JANE, NOW - timedelta(days=number))


NEW = replace(contact(), created_at=NOW)
LEAD = PersonFound("Lead", "00Q000000000001AAA", JANE, NOW)
SENT = {"state": EntryState.SENDING, "sent_at": NOW - timedelta(minutes=1), "sent_user_id": USER}


def facts(*people: PersonFound, tasks: dict[str, tuple[str, ...]] | None = None) -> PlanInput:
    return PlanInput(
        payloads={
            f"m{number}": {action: Payload({"LastName": "Doe"}) for action in Action}
            for number in range(9)
        },
        cancellations={},
        found=Found({JANE: people} if people else {}, tasks or {}),
        markers={number: f"[k-{number}]" for number in range(9)},
        picks={},
        user_id=USER,
        key_field=None,
        give_up_before=NOW - timedelta(days=1),
    )


def outcome(made: Any, number: int = 1) -> tuple[str, str]:
    return made.settled[number].state, made.settled[number].reason


def test_a_new_customer_is_created_once_and_its_messages_follow() -> None:
    rows = [
        row(1, Action.LOG_TASK, message="m1"),
        row(2, Action.ADD_CONTACT, message="m1"),
        row(3, Action.ADD_CONTACT, message="m3"),
    ]
    made = plan(rows, facts())
    assert [each.id for each in made.contacts.values()] == [2]
    assert [each.id for each in made.followers[JANE]] == [3, 1]
    assert not made.settled
    assert not made.related


def test_somebody_already_in_salesforce_is_not_added() -> None:
    assert outcome(plan([row(1, Action.ADD_CONTACT)], facts(contact()))) == ("done", "exists")


def test_a_lead_prevents_auto_add_and_the_task_waits() -> None:
    made = plan([row(1, Action.ADD_CONTACT), row(2, Action.LOG_TASK)], facts(LEAD))
    assert outcome(made) == ("done", "exists")
    assert outcome(made, 2) == ("waiting", "no_contact")
    assert made.known == set()


def test_a_task_without_a_contact_waits() -> None:
    assert outcome(plan([row(1, Action.LOG_TASK)], facts())) == ("waiting", "no_contact")


def test_a_task_goes_to_the_oldest_contact_and_says_how_many_there_were() -> None:
    made = plan([row(1, Action.LOG_TASK)], facts(contact(1), contact(2)))
    ((_, person, candidates),) = made.related
    assert (person.id, candidates) == (contact(1).id, 2)


def test_the_agents_pick_wins_while_it_still_has_the_address() -> None:
    circumstances = replace(facts(contact(1), contact(2)), picks={JANE: contact(2).id})
    assert plan([row(1, Action.LOG_TASK)], circumstances).related[0][1].id == contact(2).id
    gone = replace(circumstances, picks={JANE: contact(7).id})
    assert plan([row(1, Action.LOG_TASK)], gone).related[0][1].id == contact(1).id


def test_a_marked_task_that_is_there_is_done() -> None:
    found = facts(contact(), tasks={"[k-1]": ("00T000000000001AAA",)})
    made = plan([row(1, Action.LOG_TASK, **SENT)], found)
    assert outcome(made) == ("done", "logged")
    assert made.settled[1].record_id == "00T000000000001AAA"


def test_a_marked_task_that_is_missing_is_sent_again() -> None:
    made = plan([row(1, Action.LOG_TASK, **SENT)], facts(contact()))
    assert [each[0].id for each in made.related] == [1]


def test_a_marked_contact_that_is_there_counts_as_created() -> None:
    made = plan([row(1, Action.ADD_CONTACT, **SENT)], facts(NEW))
    assert outcome(made) == ("done", "created")


@pytest.mark.parametrize("sent_after", [None, NOW - timedelta(hours=1)], ids=["own", "its"])
@pytest.mark.parametrize(
    ("before", "reason"), [(timedelta(minutes=10), "created"), (timedelta(minutes=11), "exists")]
)
def test_only_a_person_made_since_the_send_is_the_outcome_of_it(
    sent_after: datetime | None, before: timedelta, reason: str
) -> None:
    """By Salesforce's time if it is known, with ten minutes for clocks that differ."""
    add = row(1, Action.ADD_CONTACT, **SENT, sent_after=sent_after)
    there = replace(NEW, created_at=(sent_after or add.sent_at) - before)
    made = plan([add], facts(contact(3), there))
    assert outcome(made) == ("done", reason)
    assert made.settled[1].record_id == (there if reason == "created" else contact(3)).id


def test_finding_nothing_as_another_user_is_unknown_not_missing() -> None:
    other = replace(facts(contact()), user_id="005000000000002AAA")
    made = plan([row(1, Action.LOG_TASK, **SENT)], other)
    assert outcome(made) == ("sending", "outcome_unclear")
    assert made.settled[1].marked
    assert not made.related


def test_an_unknown_outcome_is_a_persons_after_a_day() -> None:
    old = {**SENT, "sent_at": NOW - timedelta(days=2)}
    other = replace(facts(contact()), user_id="005000000000002AAA")
    made = plan([row(1, Action.LOG_TASK, **old)], other)
    assert outcome(made) == ("failed", "outcome_unknown")
    assert made.settled[1].marked


def test_a_day_in_which_the_connection_was_not_live_does_not_count() -> None:
    old = {**SENT, "sent_at": NOW - timedelta(days=2)}
    other = replace(facts(), user_id="005000000000002AAA", give_up_before=None)
    assert outcome(plan([row(1, Action.ADD_CONTACT, **old)], other))[0] == "sending"


def test_a_row_that_is_not_to_be_sent_is_cancelled_with_its_reason() -> None:
    off = replace(facts(contact()), cancellations={1: "switched_off"})
    assert outcome(plan([row(1, Action.LOG_TASK)], off)) == ("cancelled", "switched_off")


def test_a_marked_row_that_is_not_to_be_sent_is_looked_up_first() -> None:
    there = facts(contact(), tasks={"[k-1]": ("00T000000000001AAA",)})
    off = replace(there, cancellations={1: "disconnected"})
    assert outcome(plan([row(1, Action.LOG_TASK, **SENT)], off)) == ("done", "logged")
    missing = replace(facts(contact()), cancellations={1: "disconnected"})
    made = plan([row(1, Action.LOG_TASK, **SENT)], missing)
    assert outcome(made) == ("cancelled", "disconnected")


def test_with_the_key_field_a_marked_task_is_simply_sent_again() -> None:
    keyed = replace(facts(contact()), key_field="Key__c", user_id="005000000000002AAA")
    sent = {**SENT, "sent_key_field": "Key__c", "sent_key_at": SENT["sent_at"]}
    assert plan([row(1, Action.LOG_TASK, **sent)], keyed).related
    ending = replace(keyed, cancellations={1: "switched_off"})
    made = plan([row(1, Action.LOG_TASK, **sent)], ending)
    assert outcome(made) == ("sending", "outcome_unclear")


@pytest.mark.field_case("A17")
@pytest.mark.parametrize(
    "carried",
    [
        {},  # a worker of 0.1.0 marked it
        {"sent_key_field": "", "sent_key_at": SENT["sent_at"]},
        {"sent_key_field": "Old__c", "sent_key_at": SENT["sent_at"]},
        {"sent_key_field": "Key__c", "sent_key_at": NOW - timedelta(hours=1)},  # an older mark's
    ],
    ids=["not known", "none", "another", "an older mark's"],
)
def test_a_task_sent_without_the_key_field_is_not_sent_again_by_another_user(
    carried: dict[str, Any],
) -> None:
    keyed = replace(facts(contact()), key_field="Key__c", user_id="005000000000002AAA")
    made = plan([row(1, Action.LOG_TASK, **SENT, **carried)], keyed)
    assert outcome(made) == ("sending", "outcome_unclear")
    assert made.settled[1].marked


def test_a_task_in_doubt_that_has_to_wait_keeps_its_mark() -> None:
    keyed = replace(facts(), key_field="Key__c", user_id="005000000000002AAA")
    sent = {**SENT, "sent_key_field": "Key__c", "sent_key_at": SENT["sent_at"]}
    made = plan([row(1, Action.LOG_TASK, **sent)], keyed)
    assert outcome(made) == ("waiting", "no_contact")
    assert made.settled[1].marked


@pytest.mark.field_case("A18")
def test_a_task_that_could_not_be_looked_for_is_asked_about_again() -> None:
    there = replace(facts(contact()), unlooked=frozenset({1}))
    made = plan([row(1, Action.LOG_TASK, **SENT), row(2, Action.LOG_TASK, message="m2")], there)
    assert outcome(made) == ("sending", "outcome_unclear")
    assert [row.id for row, *_ in made.related] == [2]
    old = {**SENT, "sent_at": NOW - timedelta(days=2)}
    made = plan([row(1, Action.LOG_TASK, **old)], there)
    assert outcome(made) == ("failed", "outcome_unknown")


def test_after_three_attempts_alone_a_row_fails() -> None:
    made = plan([row(1, Action.LOG_TASK, attempts=3)], facts(contact()))
    assert outcome(made) == ("failed", "no_outcome")


def test_the_delivery_names_no_action_but_in_its_table() -> None:
    folder = Path(plan_module.__file__).parent
    naming = {
        file.name
        for file in folder.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in Action.__members__
    }
    assert naming == {"actions.py"}
    assert set(ACTIONS) == set(Action)


def test_no_two_actions_have_the_same_marker() -> None:
    """The Task of one would be taken for the other's, and its own never be sent again."""
    kinds = [spec.marker_kind for spec in ACTIONS.values() if spec.look is Look.MARKER]
    assert len(set(kinds)) == len(kinds)
    assert ACTIONS[Action.LOG_TASK].marker_kind == ""  # Tasks of earlier releases are found by it


def test_a_chosen_record_is_never_taken_for_the_outcome_of_an_earlier_creation() -> None:
    chosen = replace(contact(2), email="old@acme.example")
    picks = {JANE: chosen.id}
    add = row(1, Action.ADD_CONTACT, **SENT)
    judged = plan([add], replace(facts(chosen), picks=picks))
    assert outcome(judged) == ("done", "exists"), "the look says that nothing of ours is there"
    elsewhere = replace(facts(chosen), picks=picks, user_id="005000000000002AAA")
    assert outcome(plan([add], elsewhere)) == ("sending", "outcome_unclear")
    both = plan([add], replace(facts(NEW, chosen), picks=picks))
    assert (outcome(both), both.settled[1].record_id) == (("done", "created"), NEW.id)
