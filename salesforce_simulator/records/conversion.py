"""Converting a Lead: a Contact, an Account, an Opportunity if asked for; its history moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import access_denied, refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import LeadConversion, User
from salesforce_simulator.sharing.access import Access
from salesforce_simulator.store import Record, Store

_COPIED = {
    "FirstName": "FirstName", "LastName": "LastName", "Salutation": "Salutation",
    "Email": "Email", "Phone": "Phone", "MobilePhone": "MobilePhone", "Title": "Title",
    "LeadSource": "LeadSource", "Description": "Description", "Street": "MailingStreet",
    "City": "MailingCity", "State": "MailingState", "PostalCode": "MailingPostalCode",
    "Country": "MailingCountry",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionOrder:
    """What a conversion is asked for, as the fields of SOAP's LeadConvert.

    ``create_opportunity`` None makes one exactly when it is given a name. Without ``account_id`` an
    account of the company's name is used, or made.
    """

    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    opportunity_name: str | None = None
    create_opportunity: bool | None = None
    owner_id: str | None = None
    converted_status: str | None = None
    overwrite_lead_source: bool = False


@dataclass(frozen=True, slots=True)
class _Conversion:
    """One conversion: the org's parts, who asks, the Lead."""

    store: Store
    catalog: Catalog
    rights: Rights
    clock: OrgClock
    saves: Saves
    user: User
    lead: Record
    order: ConversionOrder

    # -- what is asked for -------------------------------------------------------------------------
    def check(self) -> None:
        """Refuse an order that contradicts itself or the org; the words are assumed."""
        order = self.order
        if order.contact_id and not order.account_id:
            raise refuse("REQUIRED_FIELD_MISSING", "contactId needs its accountId", ["accountId"])
        if order.opportunity_id and order.opportunity_name:
            message = "opportunityId and opportunityName exclude each other"
            raise refuse("INVALID_FIELD", message, ["opportunityName"])
        if not str(self.lead["OwnerId"]).startswith("005") and not order.owner_id:
            message = "ownerId is required when a queue owns the lead"
            raise refuse("REQUIRED_FIELD_MISSING", message, ["ownerId"])
        if order.converted_status is not None:
            rows = self.store.scan("LeadStatus", deleted=False)
            converted = {row["ApiName"] for row in rows if row["IsConverted"]}
            if order.converted_status not in converted:
                message = f"invalid convertedStatus: {order.converted_status}"
                raise refuse("INVALID_STATUS", message, ["convertedStatus"])

    @property
    def owner(self) -> Record:
        """Who owns what is made: the owner asked for, else the Lead's."""
        return {"OwnerId": self.order.owner_id or self.lead["OwnerId"]}

    # -- what is made ------------------------------------------------------------------------------
    def account(self) -> str:
        """The account asked for, one of that name, or a new one; a person account for a lead
        without company."""
        if self.order.account_id:
            return self._existing("Account", self.order.account_id, {"Phone": "Phone"})
        accounts = self.catalog.get("Account")
        company, lead = self.lead.get("Company"), self.lead
        if company is None:
            names = {k: lead.get(k) for k in ("FirstName", "LastName", "Salutation", "Phone")}
            values = names | {"PersonEmail": lead.get("Email")} | self._asked_owner()
            return self._make("Account", values)
        name = accounts.field("Name")
        if name is not None:
            ids = sorted(self.store.ids_equal("Account", name, [company]))
            for known in self.store.get_many(ids).values():
                if not known.get("IsDeleted") and not known.get("IsPersonAccount"):
                    return str(known["Id"])
        values = {"Name": company, "Phone": lead.get("Phone")} | self._asked_owner()
        return self._make("Account", values)

    def _make(self, name: str, values: Record) -> str:
        """A new record, for which the user needs the right of the object."""
        if not self.rights.on_object(self.user, self.catalog.get(name)).create:
            raise access_denied(403)
        return self.saves.create_row(self.user, name, values)

    def _asked_owner(self) -> Record:
        return self.owner if self.order.owner_id else {}

    def contact(self, account_id: str) -> str:
        """The contact asked for, that of a person account, or a new one."""
        contacts = self.catalog.get("Contact")
        if self.order.contact_id:
            contact = self.saves.existing(contacts, self.order.contact_id)
            if contact.get("AccountId") != account_id:
                message = "the contact belongs to another account"
                raise refuse("INVALID_CROSS_REFERENCE_KEY", message, ["contactId"])
            return self._existing("Contact", self.order.contact_id, _COPIED)
        found = self.store.get(account_id)
        if found is not None and found[1].get("PersonContactId"):
            return str(found[1]["PersonContactId"])
        values = {
            theirs: self.lead.get(ours)
            for ours, theirs in _COPIED.items()
            if contacts.field(theirs) is not None
        }
        return self._make("Contact", values | {"AccountId": account_id} | self.owner)

    def _existing(self, name: str, record_id: str, copied: Mapping[str, str]) -> str:
        """Fill the empty fields of a record that is there; it keeps its owner."""
        schema = self.catalog.get(name)
        record = self.saves.reachable(self.user, schema, record_id, Access.EDIT)
        filled = {
            theirs: self.lead.get(ours)
            for ours, theirs in copied.items()
            if schema.field(theirs) is not None
            and self.lead.get(ours) is not None
            and (
                record.get(theirs) is None
                or (theirs == "LeadSource" and self.order.overwrite_lead_source)
            )
        }
        if filled:
            stamp = {"LastModifiedDate": self.saves.stamp(), "SystemModstamp": self.saves.stamp()}
            self.saves.put_row(schema, record | filled | stamp, record)
        return str(record["Id"])

    def opportunity(self, account_id: str, contact_id: str) -> str | None:
        """The opportunity asked for, a new one, or none."""
        order = self.order
        if order.opportunity_id:
            schema = self.catalog.get("Opportunity")
            found = self.saves.reachable(self.user, schema, order.opportunity_id, Access.EDIT)
            return str(found["Id"])
        wanted = order.create_opportunity
        if not (order.opportunity_name is not None if wanted is None else wanted):
            return None
        name = order.opportunity_name or f"{self.lead.get('Company') or self.lead['Name']}-"
        values = {
            "Name": name[:120],
            "AccountId": account_id,
            "StageName": "Prospecting",
            "CloseDate": (self.clock.now() + timedelta(days=90)).date().isoformat(),
            "ContactId": contact_id,
        }
        return self._make("Opportunity", values | self._asked_owner())

    # -- what moves --------------------------------------------------------------------------------
    def move(self, contact_id: str, opportunity_id: str | None) -> None:
        """Activities go to the Contact and the Opportunity; an open one gets the new owner."""
        lead_id = self.lead["Id"]
        for object_name in ("Task", "Event"):
            schema = self.catalog.find(object_name)
            who = schema.field("WhoId") if schema is not None else None
            if schema is None or who is None:
                continue
            ids = self.store.ids_equal(schema.name, who, [lead_id])
            for task in self.store.get_many(sorted(ids)).values():
                changed = task | {"WhoId": contact_id}
                if opportunity_id is not None:
                    changed["WhatId"] = opportunity_id
                if self.order.owner_id and not task.get("IsClosed"):
                    changed |= self.owner
                self.saves.put_row(schema, changed, task)
        for companion in self.saves.companions:
            companion.moved(self.user, lead_id, contact_id)

    def mark(self, account_id: str, contact_id: str, opportunity_id: str | None) -> None:
        """The Lead says what became of it."""
        stamp = self.saves.stamp()
        converted = {
            "IsConverted": True,
            "Status": self.order.converted_status or "Closed - Converted",
            "ConvertedDate": self.clock.now().date().isoformat(),
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": opportunity_id,
            "LastModifiedDate": stamp,
            "LastModifiedById": self.user.id,
            "SystemModstamp": stamp,
        }
        self.saves.put_row(self.catalog.get("Lead"), self.lead | converted, self.lead)


def convert(
    *,
    store: Store,
    catalog: Catalog,
    rights: Rights,
    clock: OrgClock,
    saves: Saves,
    user: User,
    lead_id: str,
    order: ConversionOrder,
) -> LeadConversion:
    """Convert one lead; OrgError when it is converted already or the user may not."""
    leads = catalog.get("Lead")
    lead = saves.reachable(user, leads, lead_id, Access.EDIT)
    if not rights.on_object(user, leads).edit or "convert_leads" not in user.permissions:
        raise access_denied(403)
    if lead.get("IsConverted"):
        raise refuse("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    one = _Conversion(store, catalog, rights, clock, saves, user, lead, order)
    one.check()
    account_id = one.account()
    contact_id = one.contact(account_id)
    opportunity_id = one.opportunity(account_id, contact_id)
    one.move(contact_id, opportunity_id)
    one.mark(account_id, contact_id, opportunity_id)
    return LeadConversion(
        lead_id=lead["Id"],
        contact_id=contact_id,
        account_id=account_id,
        opportunity_id=opportunity_id,
    )
