"""What a panel is made of and what it can be, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from keeping_plugin.models import ConnectionStatus
from keeping_plugin.objects import PERSON_NAMES, emails_are_searched
from keeping_plugin.services.connection import connect
from keeping_plugin.services.panel import cards
from keeping_plugin.services.panel.cards import Found
from keeping_plugin.services.people import address_fields, finding
from keeping_plugin.services.schema import creating, describe, selection
from keeping_plugin.services.schema.creating import CreateChoice
from keeping_plugin.types import (
    ContactMatch,
    Match,
    ObjectSchema,
    SeveralMatches,
)
from keeping_plugin.wording.pauses import Pause, pause_of


class PanelState(StrEnum):
    """What a panel can be; each looks different."""

    MATCHED = "matched"
    LEAD = "lead"
    SEVERAL = "several"
    NO_MATCH = "no_match"
    NO_CUSTOMER = "no_customer"
    NOT_CONNECTED = "not_connected"
    CONNECTION_LOST = "connection_lost"
    CONNECTION_BARRED = "connection_barred"
    UNAVAILABLE = "unavailable"
    LIMITED = "limited"
    CROWDED = "crowded"
    NO_PERMISSION = "no_permission"
    NOT_READY = "not_ready"
    DESCRIBING = "describing"
    KNOWN = "known"  # the last card, while Salesforce has not answered yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A company's connection as values, and what its agents see of which object."""

    connection_id: int
    org_id: str
    epoch: int
    instance_url: str
    lost: bool
    described: bool
    schemas: Mapping[str, ObjectSchema]
    shown: Mapping[str, Sequence[str]]
    lost_at: datetime | None = None
    may_search: bool = False  # the whole org, as an admin allowed
    # Into which agents add an address, by object, as an admin named it.
    add_to: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)  # address fields by object
    creating: Mapping[str, CreateChoice] = field(default_factory=dict)  # an admin's, by object
    pause: Pause | None = None  # why mail is not logged for now

    @property
    def by_search(self) -> bool:
        """Whether the org keeps addresses encrypted, so that people are found by a search."""
        return emails_are_searched(self.schemas)

    def asked(self) -> dict[str, tuple[str, ...]]:
        """What the panel's query reads, by object. Where agents may write an address, with what
        tells whether somebody else changed the record meanwhile."""
        return {
            name: cards.asked(self.schemas[name], (*shown, *self._for_addresses(name)))
            for name, shown in self.shown.items()
        }

    def _for_addresses(self, object: str) -> tuple[str, ...]:
        if not self.may_search or object not in PERSON_NAMES:
            return ()
        return (self.add_to.get(object, ""), "LastModifiedDate")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView:
    """One panel. `match` is fresh unless `age` says how many seconds ago it was read; `found` is
    everyone with the address, of whom `match` may be picked. `dropped` are labels of fields that
    the org no longer has. `error` is what went wrong, with Salesforce's words where it had any.
    `being_added`: nobody was found, and an automation is about to add this person. `chosen`: an
    agent chose `match` for this address; `pick_lost`: one did, and that record is gone."""

    state: PanelState
    address: str = ""
    linked: Linked | None = None
    match: Match | None = None
    found: tuple[Found, ...] = ()
    age: float | None = None
    dropped: tuple[str, ...] = ()
    error: Exception | None = None
    being_added: bool = False
    chosen: bool = False
    pick_lost: bool = False

    @property
    def undecided(self) -> bool:
        """Whether mail waits for an agent's choice among several Contacts."""
        return address_fields.undecided(
            [one for one in self.found if isinstance(one, ContactMatch)]
        )

    @property
    def picked(self) -> bool:
        """Whether `match` was chosen among several."""
        return len(self.found) > 1 and not isinstance(self.match, SeveralMatches)


def linked(session: Session, company_id: str) -> Linked | None:
    """The company's connection and what its agents see; None when there is none."""
    row = connect.current(session, company_id)
    if row is None:
        return None
    schemas = describe.schemas(session, row.id)
    found = finding.load(session, company_id)
    return Linked(
        connection_id=row.id,
        org_id=row.org_id,
        epoch=row.epoch,
        instance_url=row.instance_url,
        lost=row.status == ConnectionStatus.LOST,
        lost_at=row.lost_at,
        pause=pause_of(row.pause_reason, row.pause_words),
        described=describe.is_described(session, row.id),
        may_search=found.search,
        add_to=found.add_to,
        others=address_fields.usable(found.found_by, schemas),
        creating=creating.load(session, company_id),
        schemas=schemas,
        shown=selection.shown(session, company_id, schemas),
    )
