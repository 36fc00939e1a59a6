"""Does the host's HelpDesk answer where no request is: in a worker, as the doctor is?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy import select

from keeping_plugin.errors import HelpDeskFailed
from keeping_plugin.models import Database, Decision, now
from keeping_plugin.ports import HelpDesk
from keeping_plugin.services.asked_helpdesk import guarded

RECENT = timedelta(days=30)


def failures(database: Database, helpdesk: HelpDesk, company_id: str) -> Iterator[HelpDeskFailed]:
    """What each question that workers ask raises, for the company's latest message. Not asked:
    `current_agent` and `may_view`, which are about a request."""
    asked = guarded(helpdesk)
    with database.read() as session:
        since = now(session) - RECENT
        latest = session.scalars(
            select(Decision)
            .where(Decision.company_id == company_id)
            .order_by(Decision.id.desc())
            .limit(1)
        ).first()
    found: dict[str, list[str]] = {"mailboxes": [], "message_ids": []}

    def mailboxes() -> None:
        found["mailboxes"] = [box.id for box in asked.mailboxes(company_id)]

    def message_ids() -> None:
        for mailbox_id in found["mailboxes"][:1]:
            found["message_ids"] = list(asked.message_ids(company_id, mailbox_id, since, None, 1))

    def messages() -> None:
        ids = [latest.message_id] if latest is not None else found["message_ids"][:1]
        for message in asked.messages(company_id, ids) if ids else ():
            found.setdefault("conversation", [message.conversation_id])

    def conversation() -> None:
        known = [latest.conversation_id] if latest is not None else found.get("conversation", [])
        for conversation_id in known:
            asked.conversation(company_id, conversation_id)

    questions: tuple[Callable[[], object], ...] = (
        mailboxes,
        message_ids,
        messages,
        conversation,
        lambda: asked.internal_addresses(company_id),
        lambda: asked.skipped_domains(company_id),
    )
    for question in questions:
        try:
            question()
        except HelpDeskFailed as error:
            yield error
