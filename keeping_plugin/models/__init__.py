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
from keeping_plugin.models.database import (
    INSERTS,
    Database,
    change_rows,
    insert_new,
    inserting,
    listed,
    now,
    upsert,
    upsert_all,
)
from keeping_plugin.models.history import AuditRecord, BackfillRun, Installation, Search
from keeping_plugin.models.ledger import LIVE_OCCASION, Decision, EntryState, Lane, SyncEntry
from keeping_plugin.models.made import MadeRecord
from keeping_plugin.models.owners import AgentUser, RefusedOwner
from keeping_plugin.models.people import (
    AddressClaim,
    DomainAccount,
    KnownAddress,
    PanelCard,
    Pick,
)
from keeping_plugin.models.policy import (
    CreatePolicy,
    FieldSelection,
    FindingPolicy,
    KeptOut,
    MailboxPolicy,
    PeoplePolicy,
    SkippedDomain,
)
