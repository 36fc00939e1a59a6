"""What a new person's form starts from: address, name, and a company only as a suggestion."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import address_key
from keeping_plugin.mail.body import read_body
from keeping_plugin.mail.company_name import SuggestedCompany, company_in, suggested_company
from keeping_plugin.mail.effort import Effort, TextTooSlow
from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.models import Decision
from keeping_plugin.types import Address, Direction, Message, ObjectSchema, Value

_MAX_MESSAGES = 20  # messages looked through for one of the customer's


def person_values(schema: ObjectSchema, customer: Address) -> dict[str, Value]:
    """Values for the form of a new Contact or Lead, as far as the object has these fields."""
    values: Mapping[str, Value] = {**contact_fields(customer), "Email": customer.email}
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


def company_of(customer: Address, message: Message | None) -> SuggestedCompany | None:
    """The company to suggest, from this message when the customer wrote it, else from the address
    alone."""
    wrote = message is not None and message.direction == Direction.INBOUND and message.sender
    if message is None or not wrote or not wrote.email:
        return suggested_company(customer)
    key = address_key(wrote.email)
    if key is None or key != address_key(customer.email):
        return suggested_company(customer)
    try:
        body = read_body(message, Effort.begun())
    except TextTooSlow:
        return suggested_company(customer)
    return company_in(body.reply, customer)
