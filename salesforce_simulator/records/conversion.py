"""Converting a Lead: a Contact, an Account, an Opportunity if asked for; its Tasks move along."""

from __future__ import annotations

from datetime import timedelta

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import access_denied, refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import ObjectSchema
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


def convert(
    *,
    store: Store,
    catalog: Catalog,
    rights: Rights,
    clock: OrgClock,
    saves: Saves,
    user: User,
    lead_id: str,
    opportunity_name: str | None,
) -> LeadConversion:
    """Convert one lead; OrgError when it is converted already or the user may not."""
    leads = catalog.get("Lead")
    lead = saves.reachable(user, leads, lead_id, Access.EDIT)
    if not rights.on_object(user, leads).edit:
        raise access_denied(403)
    if lead.get("IsConverted"):
        raise refuse("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    account_id = _account(store, catalog, saves, user, lead)
    contacts = catalog.get("Contact")
    found = store.get(account_id)
    if found is not None and found[1].get("PersonContactId"):
        contact_id = str(found[1]["PersonContactId"])
    else:
        values = {
            theirs: lead.get(ours)
            for ours, theirs in _COPIED.items()
            if contacts.field(theirs) is not None
        }
        owner = {"OwnerId": lead["OwnerId"]} if str(lead["OwnerId"]).startswith("005") else {}
        contact_id = saves.create_row(user, "Contact", values | {"AccountId": account_id} | owner)
    opportunity_id = None
    if opportunity_name is not None:
        close = (clock.now() + timedelta(days=90)).date().isoformat()
        opportunity_id = saves.create_row(
            user,
            "Opportunity",
            {
                "Name": opportunity_name,
                "AccountId": account_id,
                "StageName": "Prospecting",
                "CloseDate": close,
                "ContactId": contact_id,
            },
        )
    _move_tasks(store, catalog, saves, lead["Id"], contact_id)
    _mark(clock, saves, leads, lead, account_id, contact_id, opportunity_id)
    return LeadConversion(
        lead_id=lead["Id"],
        contact_id=contact_id,
        account_id=account_id,
        opportunity_id=opportunity_id,
    )


def _account(store: Store, catalog: Catalog, saves: Saves, user: User, lead: Record) -> str:
    """The account of that name, or a new one; a person account for a lead without company."""
    accounts = catalog.get("Account")
    company = lead.get("Company")
    if company is None:
        names = {k: lead.get(k) for k in ("FirstName", "LastName", "Salutation", "Phone")}
        return saves.create_row(user, "Account", names | {"PersonEmail": lead.get("Email")})
    name = accounts.field("Name")
    if name is not None:
        for known in store.get_many(sorted(store.ids_equal("Account", name, [company]))).values():
            if not known.get("IsDeleted") and not known.get("IsPersonAccount"):
                return str(known["Id"])
    return saves.create_row(user, "Account", {"Name": company, "Phone": lead.get("Phone")})


def _move_tasks(
    store: Store, catalog: Catalog, saves: Saves, lead_id: str, contact_id: str
) -> None:
    for object_name in ("Task", "Event"):
        schema = catalog.find(object_name)
        who = schema.field("WhoId") if schema is not None else None
        if schema is None or who is None:
            continue
        for task in store.get_many(store.ids_equal(schema.name, who, [lead_id])).values():
            saves.put_row(schema, task | {"WhoId": contact_id}, task)


def _mark(
    clock: OrgClock,
    saves: Saves,
    leads: ObjectSchema,
    lead: Record,
    account_id: str,
    contact_id: str,
    opportunity_id: str | None,
) -> None:
    stamp = saves.stamp()
    saves.put_row(
        leads,
        lead
        | {
            "IsConverted": True,
            "Status": "Closed - Converted",
            "ConvertedDate": clock.now().date().isoformat(),
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": opportunity_id,
            "LastModifiedDate": stamp,
            "SystemModstamp": stamp,
        },
        lead,
    )
