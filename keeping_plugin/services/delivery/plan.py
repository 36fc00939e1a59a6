"""What to do with each row of a batch: pure, from the rows and what Salesforce was found to hold.

This is the whole of the delivery's judgement. Reading, sending and writing down stand elsewhere.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from keeping_plugin.addresses import salesforce_key
from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.objects import CONTACT, LEAD
from keeping_plugin.services.delivery.actions import Payload, spec_of
from keeping_plugin.services.delivery.look import made_since
from keeping_plugin.services.delivery.outcomes import backoff
from keeping_plugin.services.ledger.batch import ASK_AGAIN
from keeping_plugin.services.ledger.outcome import Outcome, cancelled, done, later, unknown
from keeping_plugin.services.people.address_fields import undecided
from keeping_plugin.services.people.owners import OWNER_FIELD
from keeping_plugin.times import ATTEMPTS
from keeping_plugin.types import Action, Found, NewRecord, PersonFound

# The inbox does not show the message; whether it is gone is not sure yet.
MESSAGE_MISSING = "message_missing"

WAITS = Outcome(EntryState.WAITING, "no_contact")
WAITS_FOR_A_CHOICE = Outcome(EntryState.WAITING, "several_contacts")
NOBODY = cancelled("nobody_to_find")
GIVEN_UP = Outcome(EntryState.FAILED, "outcome_unknown", marked=True)


@dataclass(frozen=True, slots=True)
class PlanInput:
    """All that `plan` judges by, besides the rows."""

    payloads: Mapping[str, Mapping[Action, Payload]]  # by message: what its records hold
    cancellations: Mapping[int, str]  # rows not to be sent any more, and why
    found: Found
    markers: Mapping[int, str]  # of rows that are looked for by one
    picks: Mapping[str, str]  # address -> the Contact or Lead that an agent chose for it
    user_id: str  # behind the connection now
    key_field: str | None  # the org's unique field that Tasks carry their marker in
    give_up_before: datetime | None  # unknown marks older than this are a person's to settle
    unlooked: Container[int] = frozenset()  # marked rows of which no look was answered
    unasked: Container[str] = frozenset()  # addresses whose other fields were not answered for
    unfindable: Container[str] = frozenset()  # messages whose customer nobody will ever add
    missing: Mapping[int, Outcome] = field(default_factory=dict)  # marked rows, their messages gone
    changed: Container[str] = frozenset()  # messages with another customer by now

    def payload(self, row: SyncEntry) -> Payload:
        """Raises KeyError when the message is gone."""
        return self.payloads[row.message_id][Action(row.action)]


@dataclass(slots=True)
class Plan:
    """`settled` needs no call. `contacts` are created first (one per address as Salesforce compares
    them), together with what is `related` to people already there; `followers`, by the same key,
    wait for their address's Contact."""

    settled: dict[int, Outcome] = field(default_factory=dict)
    contacts: dict[str, SyncEntry] = field(default_factory=dict)
    followers: dict[str, list[SyncEntry]] = field(default_factory=dict)
    related: list[tuple[SyncEntry, PersonFound, int]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)  # addresses of which a Contact was found


def plan(rows: Sequence[SyncEntry], facts: PlanInput) -> Plan:
    """Judge every row. Those that add a person come first, because the others need that person."""
    made = Plan()
    for row in rows:
        if spec_of(row).adds_person:
            _add_person(row, facts, made)
    for row in rows:
        if not spec_of(row).adds_person:
            _relate(row, facts, made)
    return made


def contacts_of(found: Found, address: str) -> list[PersonFound]:
    """The Contacts among those found on which mail is logged, oldest first."""
    contacts = _all_contacts(found, address)
    return [] if undecided(contacts) else contacts


def _all_contacts(found: Found, address: str) -> list[PersonFound]:
    return [person for person in found.people.get(address, ()) if person.object == CONTACT.name]


def _unsettled(row: SyncEntry, facts: PlanInput) -> Outcome | None:
    """For a marked row whose effect was not found: what is in the way of believing that it is
    missing. None: it is missing."""
    if row.sent_at is None:
        return None
    # Another user may not see what the first one made.
    if row.sent_user_id == facts.user_id and row.id not in facts.unlooked:
        return None
    if facts.give_up_before is not None and row.sent_at < facts.give_up_before:
        return GIVEN_UP
    return unknown(ASK_AGAIN)


def _ending(row: SyncEntry, facts: PlanInput) -> Outcome | None:
    reason = facts.cancellations.get(row.id)
    if reason is not None:
        return cancelled(reason)
    if row.id in facts.missing:
        return facts.missing[row.id]
    if row.message_id in facts.changed:
        return Outcome(EntryState.PENDING, "", 0.0, looked_up=True)  # it is judged again
    if row.attempts >= ATTEMPTS:
        return Outcome(EntryState.FAILED, "no_outcome", looked_up=True)
    return None


def _unasked(row: SyncEntry, facts: PlanInput) -> Outcome | None:
    """For a row whose person Salesforce was asked about without answering."""
    asked = row.address not in facts.unasked
    return None if asked else later("unavailable", backoff(row.retries))


def _add_person(row: SyncEntry, facts: PlanInput, made: Plan) -> None:
    people = facts.found.people.get(row.address, ())
    contacts = contacts_of(facts.found, row.address)
    if contacts:
        made.known.add(row.address)
    # An earlier send of ours made somebody with the address, never a record that was chosen, nor
    # one that was there before the send: an undo would delete it.
    key = salesforce_key(row.address)
    own = [one for one in people if salesforce_key(one.email) == key]
    if row.sent_at is not None:
        new = [one for one in own if one.created_at >= made_since(row)]
        ours = [one for one in new if one in contacts] or (new if _as_lead(row, facts) else [])
        if ours:
            made.settled[row.id] = done(spec_of(row).made, ours[0].id)
            return
    outcome = None if own else _unsettled(row, facts)
    if people and outcome is None:
        first = _choose(contacts or people, facts.picks.get(row.address))
        made.settled[row.id] = done("exists", first.id)
        return
    outcome = outcome or _ending(row, facts) or _unasked(row, facts)
    if outcome is not None:
        made.settled[row.id] = outcome
    elif _same(row) in made.contacts:
        made.followers.setdefault(_same(row), []).append(row)
    else:
        made.contacts[_same(row)] = row


def _as_lead(row: SyncEntry, facts: PlanInput) -> bool:
    payload = facts.payloads.get(row.message_id, {}).get(Action(row.action))
    return payload is not None and payload.object == LEAD.name


def _relate(row: SyncEntry, facts: PlanInput, made: Plan) -> None:
    contacts = contacts_of(facts.found, row.address)
    if contacts:
        made.known.add(row.address)
    if row.sent_at is not None:
        there = facts.found.tasks.get(facts.markers[row.id], ())
        if there:
            made.settled[row.id] = done(spec_of(row).made, there[0], contact_id=row.contact_id)
            return
        outcome = _unsettled(row, facts)
        if outcome is not None and not settles_itself(row, facts):
            made.settled[row.id] = outcome
            return
    in_doubt = _in_doubt(row, facts)
    outcome = _ending(row, facts)
    if outcome is not None:
        made.settled[row.id] = replace(outcome, marked=in_doubt)
    elif contacts:
        chosen = _choose(contacts, facts.picks.get(row.address))
        made.related.append((row, chosen, len(contacts)))
    elif _same(row) in made.contacts:
        made.followers.setdefault(_same(row), []).append(row)
    else:
        several = WAITS_FOR_A_CHOICE if _all_contacts(facts.found, row.address) else None
        waits = _unasked(row, facts) or several
        if waits is None and row.message_id in facts.unfindable and not in_doubt:
            made.settled[row.id] = NOBODY
        else:
            made.settled[row.id] = replace(waits or WAITS, marked=in_doubt)


def settles_itself(row: SyncEntry, facts: PlanInput) -> bool:
    """Whether sending this marked row again cannot double its record: the first send carried the
    marker in the same unique field, so that Salesforce refuses the second one if the first
    arrived."""
    return (
        facts.key_field is not None
        and row.key_field_sent == facts.key_field
        and row.id not in facts.cancellations
        and row.id not in facts.missing
        and row.message_id not in facts.changed
    )


def _in_doubt(row: SyncEntry, facts: PlanInput) -> bool:
    """A send of this row may have arrived, and the look cannot tell."""
    return _unsettled(row, facts) is not None


def follows(row: SyncEntry, outcome: Outcome, facts: PlanInput) -> Outcome:
    """What the outcome of its Contact means for a row that waited for it. A mark stays on while an
    earlier send of the row is in doubt."""
    return replace(outcome, marked=True) if _in_doubt(row, facts) else outcome


def _same(row: SyncEntry) -> str:
    """What is equal for two rows of whose addresses Salesforce would make one person."""
    return salesforce_key(row.address) or row.address


def _choose(contacts: Sequence[PersonFound], pick: str | None) -> PersonFound:
    return next((person for person in contacts if person.id == pick), contacts[0])


def record(
    row: SyncEntry,
    payload: Payload,
    contact_id: str | None = None,
    *,
    owner_id: str | None = None,
) -> NewRecord:
    """What to create for a row; for one that needs a person, on this Contact. Without an owner it
    is the connecting user's."""
    spec = spec_of(row)
    person = {} if spec.person_field is None else {spec.person_field: contact_id}
    owner = {OWNER_FIELD: owner_id} if owner_id else {}
    return NewRecord(payload.object or spec.object, {**payload.fields, **person, **owner})
