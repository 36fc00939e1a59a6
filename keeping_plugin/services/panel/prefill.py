"""What a new person's form starts from: address, name and, for a Lead, company."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.models import Decision
from keeping_plugin.objects import row_of
from keeping_plugin.types import Address, ObjectSchema, Value

_MAX_MESSAGES = 20  # messages looked through for one of the customer's


def person_values(schema: ObjectSchema, customer: Address, company: str) -> dict[str, Value]:
    """Values for the form of a new Contact or Lead, as far as the object has these fields."""
    values: dict[str, Value] = {**contact_fields(customer), "Email": customer.email}
    person = row_of(schema.name).person
    if person is not None and person.company and company:
        values[person.company] = company
    return {name: value for name, value in values.items() if name in schema.fields}


def newest_inbound(session: Session, company_id: str, conversation_id: str) -> str | None:
    """The id of the latest inbound message of a conversation that the rules have seen."""
    rows = session.execute(
        select(Decision.message_id, Decision.facts)
        .where(Decision.company_id == company_id, Decision.conversation_id == conversation_id)
        .order_by(Decision.id.desc())
        .limit(_MAX_MESSAGES)
    )
    return next((row.message_id for row in rows if (row.facts or {}).get("inbound")), None)
