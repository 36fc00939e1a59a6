"""The tables (all named keeping_*), on metadata of our own."""

from keeping_plugin.models.base import Base
from keeping_plugin.models.connection import (
    ApiUse,
    Connection,
    ConnectionStatus,
    OAuthAttempt,
    OrgLease,
    Revocation,
    SchemaDocument,
    SchemaLoad,
)
from keeping_plugin.models.corrections import (
    ItemState,
    Repair,
    RepairState,
    UndoItem,
    UndoneAddress,
    UndoRun,
    UndoState,
)
from keeping_plugin.models.database import Database, insert_new, listed, now, upsert, upsert_all
from keeping_plugin.models.history import AuditRecord, BackfillRun, Installation, Search
from keeping_plugin.models.ledger import LIVE_OCCASION, Decision, EntryState, Lane, SyncEntry
from keeping_plugin.models.owners import AgentUser, RefusedOwner
from keeping_plugin.models.people import (
    AddressClaim,
    DomainAccount,
    KnownAddress,
    PanelCard,
    Pick,
)
from keeping_plugin.models.policy import (
    FieldSelection,
    FindingPolicy,
    KeptOut,
    MailboxPolicy,
    PeoplePolicy,
    SkippedDomain,
)

__all__ = [
    "LIVE_OCCASION",
    "AddressClaim",
    "AgentUser",
    "ApiUse",
    "AuditRecord",
    "BackfillRun",
    "Base",
    "Connection",
    "ConnectionStatus",
    "Database",
    "Decision",
    "DomainAccount",
    "EntryState",
    "FieldSelection",
    "FindingPolicy",
    "Installation",
    "ItemState",
    "KeptOut",
    "KnownAddress",
    "Lane",
    "MailboxPolicy",
    "OAuthAttempt",
    "OrgLease",
    "PanelCard",
    "PeoplePolicy",
    "Pick",
    "RefusedOwner",
    "Repair",
    "RepairState",
    "Revocation",
    "SchemaDocument",
    "SchemaLoad",
    "Search",
    "SkippedDomain",
    "SyncEntry",
    "UndoItem",
    "UndoRun",
    "UndoState",
    "UndoneAddress",
    "insert_new",
    "listed",
    "now",
    "upsert",
    "upsert_all",
]
