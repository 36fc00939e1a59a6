"""The frozen values that go into and come out of the org."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ALL_PERMISSIONS = frozenset(
    {
        "api_enabled",
        "view_setup",
        "view_all_data",
        "modify_all_data",
        "approve_uninstalled_apps",
        "update_email_messages",
        "query_all_files",
        "convert_leads",
        "create_audit_fields",
    }
)
"""User permissions the org knows: asked before API calls, limits and consent, and by sharing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveOptions:
    """What the headers of a save ask for.

    ``allow_duplicates``, ``include_record_details``: ``Sforce-Duplicate-Rule-Header``.
    ``as_current_user``: its ``runAsCurrentUser``, which leaves out records the user cannot see.
    ``auto_assign``: ``Sforce-Auto-Assign`` (the service's default is true); with the id of a rule
    in ``assignment_rule``, that one runs.
    ``unmodified_since``: ``If-Unmodified-Since``, aware, a second's resolution.
    """

    allow_duplicates: bool = False
    auto_assign: bool = True
    assignment_rule: str | None = None
    include_record_details: bool = False
    as_current_user: bool = False
    unmodified_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the org; the same row is readable as an sObject ``User``."""

    id: str
    username: str
    email: str
    first_name: str | None
    last_name: str
    active: bool
    timezone: str = "GMT"
    locale: str = "en_US"
    language: str = "en_US"
    #: The currency of the user's new records, in an org with several; None is the org's.
    currency: str | None = None
    permissions: frozenset[str]

    @property
    def name(self) -> str:
        """First and last name as Salesforce shows them."""
        return f"{self.first_name} {self.last_name}" if self.first_name else self.last_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRights:
    """What a user may do with the records of one object; no ``read`` hides the object.

    ``view_all`` and ``modify_all`` reach records that sharing does not give the user.
    """

    create: bool = True
    read: bool = True
    edit: bool = True
    delete: bool = True
    view_all: bool = False
    modify_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRights:
    """Field-level security of one user on one field; not readable means invisible."""

    readable: bool = True
    editable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadConversion:
    """The ids that came out of a conversion; no opportunity unless one was asked for."""

    lead_id: str
    contact_id: str
    account_id: str
    opportunity_id: str | None
