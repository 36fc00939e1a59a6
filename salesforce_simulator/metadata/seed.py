"""Who can log in, and the small org that a fresh database starts with."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from salesforce_simulator.errors import OrgError
from salesforce_simulator.metadata.seed_records import (
    ACCOUNTS,
    CASES,
    CONTACTS,
    CONVERTED_LEAD,
    LEADS,
    OPPORTUNITIES,
    TASKS,
)
from salesforce_simulator.org import Org
from salesforce_simulator.results import ALL_PERMISSIONS, FieldRights, ObjectRights, User
from salesforce_simulator.site import Kind, Site

logger = logging.getLogger(__name__)
DAY = timedelta(days=1)
STEP = timedelta(hours=1)
PASSWORD = "demo"  # noqa: S105 - everybody may know it


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedLogin:
    """A user every fresh org has."""

    name: str
    first_name: str
    last_name: str
    permissions: frozenset[str]
    about: str
    password: str = PASSWORD

    def username(self, kind: Kind) -> str:
        """Usernames are unique over all orgs: a sandbox appends its name."""
        base = f"{self.name}@example.com"
        return base if kind == "production" else f"{base}.sandbox"


LOGINS = (
    SeedLogin(
        name="admin",
        first_name="Ada",
        last_name="Admin",
        permissions=ALL_PERMISSIONS,
        about="system administrator: may see and do everything",
    ),
    SeedLogin(
        name="integration",
        first_name="Iris",
        last_name="Integration",
        permissions=frozenset({"api_enabled", "view_all_data", "modify_all_data", "convert_leads"}),
        about="sees and edits every record, but is no administrator: no setup, no uninstalled apps",
    ),
    SeedLogin(
        name="few",
        first_name="Fred",
        last_name="Few-Rights",
        permissions=frozenset({"api_enabled"}),
        about="no Cases or Opportunities, cannot create Leads; Contact.Phone hidden, Title fixed",
    ),
    SeedLogin(
        name="no-api",
        first_name="Nora",
        last_name="Noapi",
        permissions=frozenset({"view_all_data"}),
        about="may approve the app, but every API call is refused",
    ),
)


def seed_users(site: Site) -> bool:
    """Add the users of ``LOGINS`` unless they exist; whether this is a fresh org."""
    org = site.org
    if org.user_by_username(LOGINS[0].username(site.kind)) is not None:
        return False
    for login in LOGINS:
        user = org.add_user(
            username=login.username(site.kind),
            email=f"{login.name}@example.com",
            first_name=login.first_name,
            last_name=login.last_name,
            permissions=login.permissions,
        )
        site.tokens.set_password(user.id, login.password)
        if login.name == "few":
            _take_rights(org, user)
    return True


def _take_rights(org: Org, user: User) -> None:
    none = ObjectRights(create=False, read=False, edit=False, delete=False)
    for name in ("Case", "Opportunity", "OpportunityContactRole"):
        org.set_object_rights(user, name, none)
    org.set_object_rights(user, "Lead", ObjectRights(create=False))
    hidden, fixed = FieldRights(readable=False, editable=False), FieldRights(editable=False)
    described = {field["name"] for field in org.describe(user, "Contact")["fields"]}
    for name, rights in (("Phone", hidden), ("Title", fixed)):
        if name in described:  # a trimmed recording may lack it
            org.set_field_rights(user, "Contact", name, rights)


class _Seeding:
    """Creates records as the administrator, leaving out fields this org's describe lacks."""

    def __init__(self, site: Site, present: datetime) -> None:
        self.site, self.org, self.present = site, site.org, present
        user = site.org.user_by_username(LOGINS[0].username(site.kind))
        assert user is not None
        self.user = user
        self._refused: dict[str, list[OrgError]] = {}

    def add(self, object_name: str, fields: Mapping[str, Any]) -> str | None:
        """The new record's id; None when a recorded org refuses it."""
        known = self.org.createable_fields(object_name)
        values = {k: v for k, v in fields.items() if k in known and v is not None}
        self.site.clock.advance(STEP)
        try:
            return self.org.create(self.user, object_name, values)
        except OrgError as error:
            self._refused.setdefault(object_name, []).append(error)
            return None

    def convert(self, lead_id: str) -> None:
        """Convert a Lead, unless a recorded org refuses what comes of it."""
        try:
            self.org.convert_lead(self.user, lead_id, opportunity_name="Lodge furniture")
        except OrgError as error:
            self._refused.setdefault("Opportunity", []).append(error)

    def tell(self) -> None:
        """A sentence for each object of which records were left out."""
        for object_name, errors in self._refused.items():
            logger.warning(
                "the %s org starts without %d records of %s, because the first was refused: %s",
                self.site.kind,
                len(errors),
                object_name,
                errors[0],
            )


def seed(site: Site) -> None:
    """Fill a fresh org with the records of ``seed_records``, dated over the last weeks."""
    present, started = site.clock.now(), time.monotonic()
    site.clock.hold()
    site.clock.set(present - 30 * DAY)
    seeding = _Seeding(site, present)
    try:
        with site.org.transaction():
            _add_everything(seeding)
        seeding.tell()
    finally:
        site.clock.release()
        site.clock.set(present + timedelta(seconds=time.monotonic() - started))


def _add_everything(seeding: _Seeding) -> None:
    accounts = [
        seeding.add(
            "Account",
            {
                "Name": name,
                "Type": kind,
                "Industry": industry,
                "Phone": phone,
                "BillingStreet": street,
                "BillingCity": city,
                "BillingCountry": country,
                "Website": f"https://{name.split()[0].lower()}.example.com",
            },
        )
        for name, kind, industry, phone, street, city, country in ACCOUNTS
    ]
    contacts = [
        seeding.add(
            "Contact",
            {
                "FirstName": first,
                "LastName": last,
                "Email": email,
                "Title": title,
                "Phone": f"+31 6 5550 {1000 + number}",
                "AccountId": None if account is None else accounts[account],
            },
        )
        for number, (first, last, email, title, account) in enumerate(CONTACTS)
    ]
    _add_leads(seeding)
    _add_person(seeding)
    _add_sales(seeding, accounts, contacts)
    for subject, status, priority, contact in CASES:
        account = CONTACTS[contact][4]
        seeding.add(
            "Case",
            {
                "Subject": subject,
                "Status": status,
                "Priority": priority,
                "Origin": "Email",
                "ContactId": contacts[contact],
                "AccountId": None if account is None else accounts[account],
            },
        )
    for subject, description, status, contact, days_ago in TASKS:
        seeding.add(
            "Task",
            {
                "Subject": subject,
                "Description": description,
                "Status": status,
                "TaskSubtype": _subtype(subject),
                "WhoId": contacts[contact],
                "ActivityDate": (seeding.present - days_ago * DAY).date().isoformat(),
            },
        )


def _subtype(subject: str) -> str:
    word = subject.split()[0].rstrip(":")
    return word if word in ("Email", "Call") else "Task"


def _add_leads(seeding: _Seeding) -> None:
    for first, last, email, company, status in (*LEADS, CONVERTED_LEAD):
        lead = seeding.add(
            "Lead",
            {
                "FirstName": first,
                "LastName": last,
                "Email": email,
                "Company": company,
                "Status": status,
                "LeadSource": "Web",
            },
        )
        if lead is not None and email == CONVERTED_LEAD[2]:
            seeding.convert(lead)


def _add_person(seeding: _Seeding) -> None:
    """A person account, where the org has them."""
    described = seeding.org.describe(seeding.user, "Account")
    if not any(field["name"] == "IsPersonAccount" for field in described["fields"]):
        return
    types = described.get("recordTypeInfos") or ()
    person = next((kind for kind in types if kind["name"] == "Person Account"), None)
    values = {
        "FirstName": "Pilar",
        "LastName": "Ruiz",
        "PersonEmail": "pilar.ruiz@example.org",
        "RecordTypeId": None if person is None else person["recordTypeId"],
    }
    seeding.add("Account", values)


def _add_sales(seeding: _Seeding, accounts: list[str | None], contacts: list[str | None]) -> None:
    for name, stage, amount, days, account, roles in OPPORTUNITIES:
        opportunity = seeding.add(
            "Opportunity",
            {
                "Name": name,
                "StageName": stage,
                "Amount": amount,
                "CloseDate": (seeding.present + days * DAY).date().isoformat(),
                "AccountId": accounts[account],
            },
        )
        if opportunity is None:
            continue
        for number, (role, contact) in enumerate(roles):
            values = {
                "OpportunityId": opportunity,
                "ContactId": contacts[contact],
                "Role": role,
                "IsPrimary": number == 0,
            }
            seeding.add("OpportunityContactRole", values)
