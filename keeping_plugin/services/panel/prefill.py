"""What the form of a new record starts with: for a person, the address, name and (for a Lead)
company; for a record of theirs, the conversation's subject and text."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.mail.body import head_of, read_body
from keeping_plugin.mail.clean import cut, one_line
from keeping_plugin.mail.effort import Effort, TextTooSlow
from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.models import AgentUser, Decision
from keeping_plugin.objects import row_of
from keeping_plugin.services.people import agents
from keeping_plugin.types import Address, Agent, Message, ObjectSchema, Value
from keeping_plugin.types.created import Created

_MAX_MESSAGES = 20  # messages looked through for one of the customer's


def person_values(schema: ObjectSchema, customer: Address, company: str) -> dict[str, Value]:
    """Values for the form of a new Contact or Lead, as far as the object has these fields."""
    values: dict[str, Value] = {**contact_fields(customer), "Email": customer.email}
    person = row_of(schema.name).person
    if person is not None and person.company and company:
        values[person.company] = company
    return {name: value for name, value in values.items() if name in schema.fields}


def record_values(
    schema: ObjectSchema, created: Created, *, subject: str, message: Message | None, today: date
) -> dict[str, Value]:
    """Values for the form of a new record, cut to what their fields hold, as far as the object has
    them: the conversation's subject, what is new in this message, and a day to come back."""
    values: dict[str, Value] = {}
    for name, text in (
        (created.subject, one_line(subject, 1_000)),
        (created.text, _new_text(message) if message is not None else ""),
    ):
        spec = schema.fields.get(name)
        if spec is not None and text:
            values[name] = cut(text, spec.length) if spec.length else text
    if created.due in schema.fields:
        values[created.due] = (today + timedelta(days=1)).isoformat()
    return values


def own_user(session: Session, connection_id: int, agent: Agent) -> AgentUser | None:
    """The agent's own Salesforce user, where it is known."""
    row = agents.known(session, connection_id, [agent.id]).get(agent.id)
    return row if row is not None and row.user_id and row.found in agents.OWNS else None


def _new_text(message: Message) -> str:
    try:
        return read_body(message, Effort.begun()).reply.text
    except TextTooSlow:
        return head_of(message)


def newest_inbound(session: Session, company_id: str, conversation_id: str) -> str | None:
    """The id of the latest inbound message of a conversation that the rules have seen."""
    rows = session.execute(
        select(Decision.message_id, Decision.facts)
        .where(Decision.company_id == company_id, Decision.conversation_id == conversation_id)
        .order_by(Decision.id.desc())
        .limit(_MAX_MESSAGES)
    )
    return next((row.message_id for row in rows if (row.facts or {}).get("inbound")), None)
