"""Is everything in place? Each line passes, fails with the sentence that mends it, or could not be
asked; what Salesforce did not answer is never called missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import (
    OF_THE_CONNECTION,
    KeepingError,
    NotConnected,
    PermissionDenied,
)
from keeping_plugin.models import Connection, MailboxPolicy, PeoplePolicy, UndoRun, now
from keeping_plugin.objects import (
    CONTACT,
    CREATED,
    DESCRIBE_REQUESTS,
    LEAD,
    OBJECT_NAMES,
    TASK,
    StandardObject,
    row_of,
)
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import creating, selection, sending, task_key
from keeping_plugin.services.schema.creating import CreateChoice
from keeping_plugin.times import DESCRIBE_CALL
from keeping_plugin.types import Action, Agent, ObjectSchema, Usage

_NEAR = 0.8  # of the daily allowance


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ADVICE = "advice"  # works without, better with
    UNKNOWN = "unknown"  # Salesforce did not answer


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at: `mend` says what to do, and is empty where nothing is to be done."""

    code: str
    outcome: Outcome
    finding: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Preflight:
    """All lines of one look, and when it was."""

    at: datetime
    lines: tuple[Line, ...]

    @property
    def passed(self) -> bool:
        """Nothing failed and nothing stayed unknown."""
        return all(line.outcome in {Outcome.PASSED, Outcome.ADVICE} for line in self.lines)


# Lines of parts that stand above the schema.
More = Callable[[SalesforceGateway, Connection, Mapping[str, ObjectSchema]], Iterable[Line]]


def last(connection: Connection) -> Preflight | None:
    """The look that was kept with the connection, if there was one."""
    kept = connection.preflight
    if not kept:
        return None
    lines = (Line(**{**line, "outcome": Outcome(line["outcome"])}) for line in kept["lines"])
    return Preflight(datetime.fromisoformat(kept["at"]), tuple(lines))


def run(
    runtime: Runtime,
    connection_id: int,
    *,
    described: Mapping[str, ObjectSchema] | None = None,
    more: More | None = None,
) -> Preflight:
    """Look now, and keep what was found. Raises NotConnected, ConnectionLost and ConnectionBarred;
    whatever else keeps an answer away stands in its line. `described` spares asking for the
    objects again."""
    with runtime.database.read() as session:
        connection = session.get(Connection, connection_id)
        if connection is None:
            raise NotConnected("Salesforce is not connected.")
        chosen = selection.load(session, connection.company_id)
        choices = _choices(session, connection.company_id)
        created = creating.load(session, connection.company_id)
        undoes = UndoRun.company_id == connection.company_id
        used = session.scalar(select(UndoRun.id).where(undoes).limit(1)) is not None
    with runtime.gateway(connection_id, Feature.SCHEMA, within=DESCRIBE_CALL) as gateway:
        looked = _look(
            gateway, connection, chosen, choices, created, described, undo_used=used, more=more
        )
        lines = tuple(looked)
    with runtime.database.write() as session:
        found = Preflight(now(session), lines)
        _keep(session, connection_id, found)
    return found


def check(
    runtime: Runtime, agent: Agent, connection_id: int, more: More | None = None
) -> Preflight:
    """An admin's *Check again*: as `run`."""
    found = run(runtime, connection_id, more=more)
    with runtime.database.write() as session:
        audit.record_by(session, agent, Audited.PREFLIGHT, connection_id=connection_id)
    return found


def _keep(session: Session, connection_id: int, found: Preflight) -> None:
    kept: dict[str, Any] = {
        "at": found.at.isoformat(),
        "lines": [asdict(line) for line in found.lines],
    }
    session.execute(update(Connection).where(Connection.id == connection_id).values(preflight=kept))


def _look(
    gateway: SalesforceGateway,
    connection: Connection,
    chosen: Mapping[str, Any],
    choices: Mapping[Action, Sequence[Mapping[str, Any]]],
    created: Mapping[str, CreateChoice],
    described: Mapping[str, ObjectSchema] | None,
    *,
    undo_used: bool,
    more: More | None,
) -> Iterator[Line]:
    try:
        usage = gateway.limits()
    except PermissionDenied as error:
        yield Line(
            "api_enabled",
            Outcome.FAILED,
            f"{connection.username} cannot use the API: {error}",
            "Give the user the “API Enabled” permission (the org's edition has to include it).",
        )
        return
    except OF_THE_CONNECTION:
        raise
    except KeepingError as error:
        yield unknown("api_enabled", "the API", error)
        return
    yield Line("api_enabled", Outcome.PASSED, "The API is reachable.")
    yield _refresh_token(connection)
    yield _allowance(usage)
    try:
        schemas = described or _describe(gateway)
    except KeepingError as error:
        yield unknown("object_rights", "the objects", error)
        return
    for name in OBJECT_NAMES:
        yield _rights(name, schemas.get(name), connection.username)
    yield from _fields(schemas, chosen, connection.username)
    yield _rights(TASK.name, schemas.get(TASK.name), connection.username)
    for row in CREATED:
        if row.name in created and created[row.name].allowed:
            yield _creates(schemas, row)
    if undo_used and described is None:  # the cache does not tell who may delete
        yield _deletes(schemas, connection.username)
    for action in Action:
        yield from _automation(schemas, action, choices[action])
    yield _closed_status(gateway)
    yield _activity_key(schemas.get(TASK.name))
    if more is not None:
        yield from more(gateway, connection, schemas)


def _describe(gateway: SalesforceGateway) -> Mapping[str, ObjectSchema]:
    found = [item for asked in DESCRIBE_REQUESTS for item in gateway.describe(asked)]
    return {item.object: item.schema for item in found if item.schema is not None}


def unknown(code: str, what: str, error: KeepingError) -> Line:
    """The line of a question without an answer."""
    return Line(
        code,
        Outcome.UNKNOWN,
        f"Salesforce did not answer about {what} ({error.code}).",
        "Check again in a few minutes.",
    )


def _refresh_token(connection: Connection) -> Line:
    granted = set(connection.scope.split())
    if not granted or granted & {"refresh_token", "offline_access", "full"}:
        return Line("refresh_token", Outcome.PASSED, "The login is renewed automatically.")
    return Line(
        "refresh_token",
        Outcome.FAILED,
        "Salesforce issued no refresh token: the connection ends with its session.",
        "Add the scope “refresh_token” to the app in Salesforce, then reconnect.",
    )


def _allowance(usage: Usage) -> Line:
    finding = f"{usage.used:,} of {usage.limit:,} API requests used in the last 24 hours."
    if usage.used < usage.limit * _NEAR:
        return Line("api_allowance", Outcome.PASSED, finding)
    return Line(
        "api_allowance",
        Outcome.FAILED,
        finding,
        "Find out what else calls this org's API, or ask Salesforce for a larger allowance; "
        "automations pause before agents are affected.",
    )


def _rights(name: str, schema: ObjectSchema | None, username: str) -> Line:
    code = f"rights_{name.lower()}"
    if schema is None:
        return Line(
            code,
            Outcome.FAILED,
            f"{username} cannot see the object {name}.",
            f"Give the user read, create and edit access to {name} in a permission set.",
        )
    wanted = {"read": schema.queryable, "create": schema.createable}
    if row_of(name).updated:
        wanted["edit"] = schema.updateable
    lacking = [right for right, granted in wanted.items() if not granted]
    if not lacking:
        return Line(code, Outcome.PASSED, f"{name}: {_and(list(wanted))}.")
    return Line(
        code,
        Outcome.FAILED,
        f"{name}: {username} cannot {_and(lacking)}.",
        f"Give the user {_and(lacking)} access to {name} in a permission set.",
    )


def _creates(schemas: Mapping[str, ObjectSchema], row: StandardObject) -> Line:
    """Asked only of what an admin lets agents create."""
    code, lacking = f"creates_{row.name.lower()}", creating.lacking(schemas, row.name)
    if lacking is not None:
        return Line(code, Outcome.FAILED, lacking.finding, lacking.mend)
    return Line(code, Outcome.PASSED, f"Agents can create {row.tab} from conversations.")


def _deletes(schemas: Mapping[str, ObjectSchema], username: str) -> Line:
    """Asked only where undo was used: nothing else deletes."""
    objects = [row.name for row in (CONTACT, LEAD, TASK)]
    lacking = [name for name in objects if name not in schemas or not schemas[name].deletable]
    if not lacking:
        return Line("rights_delete", Outcome.PASSED, f"{_and(objects)}: delete, for undo.")
    return Line(
        "rights_delete",
        Outcome.ADVICE,
        f"{username} cannot delete {_and(lacking)}, so undo is not offered for them.",
        f"To undo, give the user delete access to {_and(lacking)}; take it away afterwards.",
    )


def _fields(
    schemas: Mapping[str, ObjectSchema], chosen: Mapping[str, Any], username: str
) -> Iterator[Line]:
    hidden = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        if name in OBJECT_NAMES
        for field in selection.choice(schema, chosen.get(name)).missing
    ]
    if not hidden:
        yield Line("hidden_fields", Outcome.PASSED, "All chosen fields can be read.")
        return
    yield Line(
        "hidden_fields",
        Outcome.FAILED,
        f"{username} cannot read {_and(hidden)}.",
        "Give the user field-level read access in Salesforce. A field that was deleted there "
        "can be removed from its tab.",
    )


def _choices(session: Session, company_id: str) -> Mapping[Action, Sequence[Mapping[str, Any]]]:
    """By automation, the choices for new people of each mailbox in which it is on; the company's
    own where there is none."""
    of_company = PeoplePolicy.company_id == company_id
    kept = {
        row.mailbox_id: row.choices
        for row in session.scalars(select(PeoplePolicy).where(of_company))
    }
    whole = kept.get("", {})
    mailboxes = session.scalars(
        select(MailboxPolicy).where(MailboxPolicy.company_id == company_id)
    ).all()
    on = {
        Action.ADD_CONTACT: [row.mailbox_id for row in mailboxes if row.add_contacts],
        Action.LOG_TASK: [row.mailbox_id for row in mailboxes if row.log_tasks],
    }
    return {
        action: [{**whole, **kept.get(each, {})} for each in on[action]] or [whole]
        for action in Action
    }


def _automation(
    schemas: Mapping[str, ObjectSchema], action: Action, choices: Iterable[Mapping[str, Any]]
) -> Iterable[Line]:
    """What the automation sends with each of these choices, held against the describe."""
    found = list(dict.fromkeys(line for each in choices for line in _sends(schemas, action, each)))
    return [line for line in found if line.outcome is not Outcome.PASSED] or found


def _sends(
    schemas: Mapping[str, ObjectSchema], action: Action, choices: Mapping[str, Any]
) -> Iterator[Line]:
    """That the object itself may not be created stands in the line of its rights."""
    lead = choices.get("add_as") == "lead"
    code, object = f"sends_{action}", sending.payload_of(action, lead=lead).object
    schema = schemas.get(object)
    if schema is None or not schema.createable:
        return
    defaults = choices.get("defaults", {})
    found = sending.obstacles(schemas, action, lead=lead, defaults=defaults)
    for one in found:
        outcome = Outcome.FAILED if one.blocks else Outcome.ADVICE
        yield Line(code, outcome, one.finding, one.mend)
    if not found:
        finding = f"{schema.label_plural}: all fields that the automation writes can be edited."
        yield Line(code, Outcome.PASSED, finding)


def _closed_status(gateway: SalesforceGateway) -> Line:
    try:
        status = gateway.closed_task_status()
    except KeepingError as error:
        return unknown("closed_task_status", "Task statuses", error)
    if status is not None:
        return Line("closed_task_status", Outcome.PASSED, f"Messages are logged as “{status}”.")
    return Line(
        "closed_task_status",
        Outcome.FAILED,
        "No Task status counts as closed, so every logged message would be an open task.",
        "Mark one value of Task Status as closed in Setup, Object Manager, Task.",
    )


def _activity_key(task: ObjectSchema | None) -> Line:
    spec = task_key.found(task) if task is not None else None
    if spec is None:
        return Line(
            "activity_key",
            Outcome.ADVICE,
            "The org has no unique field for logged messages.",
            f"Add a text field “{task_key.NAME}” ({task_key.LENGTH} characters, unique, "
            "external ID) to Activity and let the user read and edit it: Salesforce then "
            "refuses to log a message twice.",
        )
    mend = task_key.problem(spec)
    if mend is not None:
        return Line(
            "activity_key",
            Outcome.ADVICE,
            f"{spec.name} is not set up for the plugin's keys.",
            mend,
        )
    return Line(
        "activity_key", Outcome.PASSED, f"{spec.name} prevents messages from being logged twice."
    )


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
