"""An agent saves: only records that the conversation shows, only what they changed, and nothing of
somebody else's unseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keeping_plugin.errors import ConnectionLost, NotFound, OutcomeUnclear, RecordChanged
from keeping_plugin.mail.numbers import record_numbers
from keeping_plugin.objects import ACCOUNT, PERSON_ACCOUNT, row_of
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.panel import cards
from keeping_plugin.services.panel import open as panel
from keeping_plugin.services.panel.view import Linked, PanelState, PanelView
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Address, Agent, ObjectSchema, Record, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A record that an agent may edit in this conversation: what it held when it was last read,
    and the fields they may see."""

    link: Linked
    address: str
    record: Record
    schema: ObjectSchema
    shown: Sequence[str]

    def names(self) -> dict[str, str]:
        """Names of the records it refers to, by field."""
        found = {}
        for name in self.schema.fields:
            path = cards.name_path(self.schema, name)
            if path and isinstance(self.record.fields.get(path), str):
                found[name] = str(self.record.fields[path])
        return found


@dataclass(frozen=True, slots=True)
class Saved:
    """What these fields held before they were saved; empty when Salesforce held it all already."""

    before: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Changed:
    """Somebody saved these fields after they were shown: what Salesforce holds now."""

    theirs: Mapping[str, Value]


Conflicts = Callable[[Mapping[str, Value]], Sequence[str]]
"""Given what Salesforce holds now: the fields that would be overwritten unseen."""


def target(
    runtime: Runtime,
    agent: Agent,
    customer: Address | None,
    object: str,
    record_id: str,
    *,
    subject: str = "",
) -> Target:
    """The record, if this conversation's panel shows it. Raises NotFound: "not shown here" and
    "not there" are the same answer. Asks Salesforce only when the last card is old, and raises
    what it says when it cannot tell."""
    view = panel.known(runtime, agent, customer, no_older_than=panel.FRESH, subject=subject)
    if _held(view, object, record_id) is None and record_numbers(subject):
        # Another conversation of this person, with another subject, was opened meanwhile.
        view = panel.open_panel(runtime, agent, customer, subject=subject)
    link = view.linked
    if view.state is PanelState.CONNECTION_LOST:
        raise ConnectionLost
    if view.error is not None and not view.found:
        raise view.error
    record = _held(view, object, record_id)
    if link is None or record is None or object not in link.shown or not row_of(object).updated:
        raise NotFound("This record does not belong to this conversation.")
    return Target(
        link=link,
        address=view.address,
        record=record,
        schema=link.schemas[object],
        shown=link.shown[object],
    )


def _held(view: PanelView, object: str, record_id: str) -> Record | None:
    """The record, where this panel shows it."""
    for record in (record for found in view.found for record in cards.records_of(found)):
        if record.object == object and record.id[:15] == record_id[:15]:
            return record
    return None


def save(
    runtime: Runtime,
    agent: Agent,
    target: Target,
    changes: Mapping[str, Value],
    *,
    conflicts: Conflicts,
    allow_duplicates: bool = False,
    just_read: bool = False,
    detail: str = "",
) -> Changed | Saved:
    """Write the changes, unless somebody else saved one of these fields meanwhile: then nothing is
    written and the answer says what they hold now.

    Salesforce compares whole seconds (`If-Unmodified-Since`), so the last values are read and
    compared as well; `just_read`: the target holds them, read in this very request. What Salesforce
    holds already is not sent again: a save whose answer was lost can be repeated. `detail` stands
    in the audit row. Raises what the gateway's `read` and `update` raise, and TooBusy.
    """
    record = target.record
    before: dict[str, Value] = {}
    with runtime.asked_by(agent, target.link.connection_id, Feature.RECORDS) as gateway:
        for last in (False, True):
            names = [*changes, *(["LastModifiedDate"] if _dated(target) else [])]
            known = just_read and not last and record.fields.keys() >= set(names)
            current = record if known else gateway.read(record.object, record.id, names)
            hit = conflicts(current.fields)
            if hit:
                theirs = {name: current.fields[name] for name in hit}
                _remember(runtime, target, theirs)
                return Changed(theirs)
            wanted = {
                name: value for name, value in changes.items() if current.fields[name] != value
            }
            if not wanted:
                break
            try:
                _update(
                    gateway,
                    target,
                    wanted,
                    unless_modified_since=_moment(current.fields.get("LastModifiedDate")),
                    allow_duplicates=allow_duplicates,
                )
            except RecordChanged:
                if last:
                    raise
                continue
            except OutcomeUnclear:
                _note(runtime, agent, target, wanted, detail="outcome_unclear")
                raise
            before = {name: current.fields[name] for name in wanted}
            _note(runtime, agent, target, wanted, detail)
            break
    _remember(runtime, target, changes)
    return Saved(before)


def _dated(target: Target) -> bool:
    return "LastModifiedDate" in target.schema.fields


def _moment(value: Value) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _update(
    gateway: SalesforceGateway,
    target: Target,
    changes: Mapping[str, Value],
    *,
    unless_modified_since: datetime | None,
    allow_duplicates: bool,
) -> None:
    record = target.record
    account_id = record.fields.get(PERSON_ACCOUNT.lookup)
    if record.fields.get(PERSON_ACCOUNT.flag) is True and isinstance(account_id, str):
        names = PERSON_ACCOUNT.account_fields
        own = {name: value for name, value in changes.items() if name in names}
        if own:
            gateway.update(ACCOUNT.name, account_id, own, allow_duplicates=allow_duplicates)
            changes = {name: value for name, value in changes.items() if name not in own}
            unless_modified_since = None  # our own write has just moved it
        if not changes:
            return
    gateway.update(
        record.object,
        record.id,
        changes,
        unless_modified_since=unless_modified_since,
        allow_duplicates=allow_duplicates,
    )


def _note(
    runtime: Runtime, agent: Agent, target: Target, changes: Mapping[str, Value], detail: str = ""
) -> None:
    with runtime.database.write() as session:
        audit.record_by(
            session,
            agent,
            Audited.RECORD_UPDATED,
            connection_id=target.link.connection_id,
            object=target.record.object,
            record_id=target.record.id,
            fields=sorted(changes),
            detail=detail,
        )


def _remember(runtime: Runtime, target: Target, changes: Mapping[str, Value]) -> None:
    """The card shows what was saved, or was found to be somebody else's, even if Salesforce does
    not answer the next question."""
    with runtime.database.write() as session:
        card = cards.load(session, target.link.connection_id, target.address)
        if card is None:
            return
        found = tuple(cards.with_values(one, target.record.id, changes) for one in card.found)
        cards.keep(session, target.link.connection_id, target.address, found, seen_at=card.seen_at)
