"""What a company's admins and agents decided. Kept by company, so that it outlives a reconnect."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from keeping_plugin.models.base import Base, HostId, Json, UtcDateTime


class MailboxPolicy(Base):
    """A mailbox's two automations; no row means both are off."""

    __tablename__ = "keeping_mailbox_policy"

    company_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    mailbox_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    add_contacts: Mapped[bool] = mapped_column(Boolean, default=False)
    log_tasks: Mapped[bool] = mapped_column(Boolean, default=False)


class PeoplePolicy(Base):
    """How the people whom automations add are made: choices by name, as services/people/policy
    reads them. The row of mailbox "" is the company's; a mailbox's own row holds only what differs
    from it."""

    __tablename__ = "keeping_people_policy"

    company_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    mailbox_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    choices: Mapped[Any] = mapped_column(Json)


class FindingPolicy(Base):
    """How agents find people; see services/people/finding."""

    __tablename__ = "keeping_finding_policy"

    company_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    search: Mapped[bool] = mapped_column(Boolean, default=False)
    # {object: the field into which agents add an address}; None: none named
    add_to: Mapped[Any | None] = mapped_column(Json)
    # {object: the fields, besides Email, that find a person}; None: none ticked
    found_by: Mapped[Any | None] = mapped_column(Json)


class CreatePolicy(Base):
    """Whether agents may create records of an object from conversations, and with which form; see
    services/schema/creating. `fields` is None until an admin selects them."""

    __tablename__ = "keeping_create_policy"

    company_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    object: Mapped[str] = mapped_column(String(80), primary_key=True)
    allowed: Mapped[bool] = mapped_column(Boolean, default=False)
    assigned: Mapped[bool] = mapped_column(Boolean, default=True)  # by the org's assignment rules
    fields: Mapped[Any] = mapped_column(Json, nullable=True)  # list of API names


class SkippedDomain(Base):
    """A domain whose people are never added; with `skip_logging` their mail is not logged either.
    `domain` is an `addresses.domain_key`."""

    __tablename__ = "keeping_skipped_domain"

    company_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    skip_logging: Mapped[bool] = mapped_column(Boolean, default=False)


class KeptOut(Base):
    """A conversation, or one message of it, that an agent chose not to log."""

    __tablename__ = "keeping_kept_out"

    company_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    message_id: Mapped[str] = mapped_column(HostId, primary_key=True)  # "": the whole conversation
    agent: Mapped[str] = mapped_column(String(255))  # their name, or their id without one
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class FieldSelection(Base):
    """The fields of one object that agents see, in the admin's order."""

    __tablename__ = "keeping_field_selection"

    company_id: Mapped[str] = mapped_column(HostId, primary_key=True)
    object: Mapped[str] = mapped_column(String(80), primary_key=True)
    fields: Mapped[Any] = mapped_column(Json)  # list of API names
