"""What no admin ticked is on no page and in no JSON: every field of every record holds a value that
stands nowhere else, a few are ticked, and every answer is searched for the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.test import TestResponse

from keeping_plugin.errors import Complaint, DuplicatesFound
from keeping_plugin.objects import OBJECT_NAMES
from keeping_plugin.services.panel.view import linked
from keeping_plugin.types import FieldSpec
from tests.blueprints.inbox import AGENT, CUSTOMER, Inbox, post, url

JSON = {"Accept": "application/json"}
FRAGMENT = {"X-Keeping-Fragment": "1"}
# The exception: what tells records apart, and the address by which people are found (SECURITY.md).
NAMES = {"Name", "Salutation", "FirstName", "MiddleName", "LastName", "Suffix"}
NAMES |= {"CaseNumber", "Email", "CurrencyIsoCode"}  # a currency is part of an amount
_TEXTS = {"string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "combobox"}


@dataclass
class Canaries:
    """The inbox, and which value was given to which field of which object."""

    inbox: Inbox
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    heard: list[tuple[str, str]] = field(default_factory=list)

    def add(self, object: str, **fixed: Any) -> str:
        """A record that has a canary in every field which takes one."""
        schema = self.inbox.salesforce.org.schemas[object]
        fields = dict(fixed)
        for name, spec in schema.fields.items():
            if name not in fixed and spec.createable and (canary := self._canary(object, spec)):
                fields[name] = canary
        return self.inbox.salesforce.add(object, **fields)

    def _canary(self, object: str, spec: FieldSpec) -> Any:
        number = 7_100_000 + 13 * (len(self.values) + 1)
        key = (object, spec.name)
        if spec.type in _TEXTS:
            return self.values.setdefault(key, f"canary{number}")
        if spec.type in {"double", "currency", "int", "percent"}:
            self.values.setdefault(key, str(number))
            return int(self.values[key])
        return None

    def hear(self, name: str, answer: TestResponse) -> TestResponse:
        self.heard.append((name, answer.text.replace(",", "")))
        return answer

    def told(self) -> set[tuple[str, str, str]]:
        """(answer, object, field) of every canary that an answer held."""
        return {
            (name, *key)
            for name, text in self.heard
            for key, canary in self.values.items()
            if canary in text
        }


@pytest.fixture
def canaries(inbox: Inbox) -> Canaries:
    for object in OBJECT_NAMES:
        inbox.choose(object)
    return Canaries(inbox)


def walk(canaries: Canaries) -> None:
    """Panel, several matches, choosing, editing, searching, adding, duplicates, log: as page,
    fragment and JSON."""
    inbox = canaries.inbox
    fake = inbox.salesforce
    account = canaries.add("Account")
    person = canaries.add("Contact", Email=CUSTOMER.email, AccountId=account)
    deal = canaries.add("Opportunity", AccountId=account, CloseDate="2026-12-01")
    fake.add("OpportunityContactRole", ContactId=person, OpportunityId=deal)
    case = canaries.add("Case", ContactId=person)
    client = inbox.client(AGENT)
    records = {"Contact": person, "Account": account, "Opportunity": deal, "Case": case}
    for headers in ({}, FRAGMENT, JSON):
        canaries.hear("panel", client.get(url(), headers=headers))
        canaries.hear("log", client.get(url("/log"), headers=headers))
        for object, record in records.items():
            canaries.hear(
                f"edit {object}", client.get(url(f"/{object}/{record}/edit"), headers=headers)
            )
        canaries.hear("search", client.get(url("/search/Account?q=canary"), headers=headers))
        canaries.hear("new", client.get(url("/new/Lead"), headers=headers))
    for object, record in records.items():
        for name in fake.org.schemas[object].fields:
            path = url(f"/{object}/{record}/field/{name}")
            canaries.hear("field", client.get(path, headers=JSON))
    other = canaries.add("Lead", Email=CUSTOMER.email)
    for headers in ({}, FRAGMENT, JSON):
        canaries.hear("several", client.get(url(), headers=headers))
        said = post(client, "/pick", {"record": f"Lead/{other}"}, headers=headers)
        canaries.hear("picked", said)
        canaries.hear("lead", client.get(url(), headers=headers))
        canaries.hear("choose", client.get(url("?choose=1"), headers=headers))
        found = DuplicatesFound(
            [Complaint("DUPLICATES_DETECTED", "Use one of these.")],
            record_ids=[("Contact", person), ("Lead", other)],
            may_save=True,
        )
        fake.fail("create", found)
        new = {"sf_LastName": "New", "sf_Company": "New", "sf_Email": "new@new.example"}
        said = post(client, "/new/Lead", new, headers=headers)
        assert said.status_code == 409
        canaries.hear("duplicates", said)


@pytest.mark.field_case("B6")
def test_no_value_of_a_field_that_nobody_ticked_is_told(canaries: Canaries) -> None:
    walk(canaries)
    shown = {(object, name) for object in OBJECT_NAMES for name in _shown(canaries.inbox, object)}
    leaked = {
        (answer, object, name)
        for answer, object, name in canaries.told()
        if name not in NAMES and (object, name) not in shown
    }
    assert leaked == set()
    assert len(canaries.values) > 60, "the canaries are many"


@pytest.mark.field_case("B6")
def test_what_is_ticked_is_told(canaries: Canaries) -> None:
    """The control group: the same walk finds a canary once its field is ticked."""
    canaries.inbox.choose("Contact", "Title", "Phone")
    canaries.inbox.choose("Opportunity", "Amount", "NextStep")
    canaries.inbox.choose("Case", "Subject")
    walk(canaries)
    told = {(object, name) for _, object, name in canaries.told()}
    assert {("Contact", "Title"), ("Contact", "Phone"), ("Case", "Subject")} <= told
    assert {("Opportunity", "Amount"), ("Opportunity", "NextStep")} <= told
    told_by = {answer for answer, _, name in canaries.told() if name == "Title"}
    assert {"panel", "several", "duplicates"} <= told_by


def _shown(inbox: Inbox, object: str) -> list[str]:
    with inbox.database.read() as session:
        link = linked(session, "acme")
    assert link is not None
    return list(link.shown[object])
