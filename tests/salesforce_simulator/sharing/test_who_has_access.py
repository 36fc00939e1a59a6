"""One test for each way to a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.org import Org
from salesforce_simulator.results import ObjectRights, User

from .conftest import PRIVATE, People

Level = Callable[[User, str], str]
FIELDS = {
    "Account": {"Name": "Acme"},
    "Lead": {"LastName": "Doe", "Company": "Acme"},
    "Opportunity": {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2030-01-01"},
    "Case": {"Subject": "Broken"},
}


def test_an_org_without_sharing_shows_every_row(org: Org, people: People, access: Level) -> None:
    org.sharing.use(None)
    private = org.create(people.rep, "Contact", {"LastName": "Doe"})
    assert access(people.other, private) == "All"


@pytest.mark.parametrize(
    ("name", "default", "level"),
    [
        ("Account", "None", "None"),
        ("Account", "Read", "Read"),
        ("Account", "Edit", "Edit"),
        ("Lead", "None", "None"),
        ("Lead", "Read", "Read"),
        ("Lead", "Edit", "Edit"),
        ("Lead", "ReadEditTransfer", "Transfer"),
        ("Opportunity", "None", "None"),
        ("Opportunity", "Read", "Read"),
        ("Opportunity", "Edit", "Edit"),
        ("Case", "None", "None"),
        ("Case", "Read", "Read"),
        ("Case", "Edit", "Edit"),
        ("Case", "ReadEditTransfer", "Transfer"),
    ],
)
def test_the_default_is_what_everybody_else_may_do(
    org: Org, people: People, access: Level, name: str, default: str, level: str
) -> None:
    org.sharing.use({**PRIVATE, name: default})
    record = org.create(people.rep, name, FIELDS[name])
    assert access(people.other, record) == level
    assert access(people.rep, record) == "All"


@pytest.mark.parametrize(
    ("default", "level"), [("None", "None"), ("Read", "Read"), ("Edit", "Edit")]
)
def test_contacts_have_a_default_of_their_own(
    org: Org, people: People, access: Level, contact: str, default: str, level: str
) -> None:
    org.sharing.use({**PRIVATE, "Contact": default})
    assert access(people.other, contact) == level


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_who_stands_above_the_owner_may_do_as_much(
    org: Org, people: People, access: Level, name: str
) -> None:
    record = org.create(people.rep, name, FIELDS[name])
    assert access(people.boss, record) == "All"
    bosses = org.create(people.boss, name, FIELDS[name])
    assert access(people.rep, bosses) == "None"


@pytest.mark.parametrize("default", ["None", "Read", "Edit", "ControlledByParent"])
def test_a_contact_without_an_account_is_its_owners_alone(
    org: Org, people: People, access: Level, default: str
) -> None:
    org.sharing.use({**PRIVATE, "Contact": default})
    private = org.create(people.rep, "Contact", {"LastName": "Doe"})
    levels = {name: access(getattr(people, name), private) for name in ("rep", "boss", "other")}
    assert levels == {"rep": "All", "boss": "None", "other": "None"}
    assert access(people.auditor, private) == "Read"
    assert access(people.admin, private) == "All"


def test_view_all_on_contact_shows_private_contacts_and_modify_all_changes_them(
    org: Org, people: People, access: Level
) -> None:
    private = org.create(people.rep, "Contact", {"LastName": "Doe"})
    org.set_object_rights(people.other, "Contact", ObjectRights(view_all=True))
    assert access(people.other, private) == "Read"
    org.set_object_rights(people.other, "Contact", ObjectRights(modify_all=True))
    assert access(people.other, private) == "All"


def test_view_all_on_account_gives_no_private_contacts(
    org: Org, people: People, access: Level, account: str, contact: str
) -> None:
    org.set_object_rights(people.other, "Account", ObjectRights(view_all=True))
    assert access(people.other, account) == "Read"
    assert access(people.other, contact) == "None"


def test_controlled_by_parent_is_the_access_to_the_account(
    org: Org, people: People, access: Level, account: str
) -> None:
    org.sharing.use({**PRIVATE, "Contact": "ControlledByParent", "Account": "Read"})
    others = org.create(people.admin, "Contact", {"LastName": "Doe", "AccountId": account})
    assert access(people.rep, others) == "All"
    assert access(people.other, others) == "Read"
    org.update(people.admin, "Contact", others, {"OwnerId": people.other.id})
    assert access(people.other, others) == "Read"


def test_a_person_account_controls_its_contact_whatever_the_default() -> None:
    org = Org(database=":memory:", clock=OrgClock(), name="B", sandbox=False, person_accounts=True)
    try:
        org.sharing.use({**PRIVATE, "Account": "Read"})
        owner, other = (
            org.add_user(
                username=f"{n}@example.com",
                email="",
                last_name=n,
                permissions=frozenset({"api_enabled"}),
            )
            for n in ("one", "two")
        )
        person = org.create(owner, "Account", {"LastName": "Doe"})
        contact = org.read(owner, "Account", person)["PersonContactId"]
        assert org.read(other, "Contact", contact)["LastName"] == "Doe"
    finally:
        org.close()


@pytest.mark.parametrize("name", ["Contact", "Case", "Opportunity"])
def test_who_owns_a_child_may_read_its_account_and_not_the_other_way(
    org: Org, people: People, access: Level, account: str, name: str
) -> None:
    assert access(people.other, account) == "None"
    fields = {"LastName": "Doe"} if name == "Contact" else FIELDS[name]
    child = org.create(
        people.admin, name, {**fields, "AccountId": account, "OwnerId": people.other.id}
    )
    assert access(people.other, account) == "Read"
    assert access(people.rep, child) == "None"


def test_members_of_a_queue_own_its_records(org: Org, people: People, access: Level) -> None:
    queue = org.sharing.add_queue("Support", ["Case"], [people.other])
    case = org.create(people.admin, "Case", {"Subject": "Broken", "OwnerId": queue})
    assert access(people.other, case) == "All"
    assert access(people.rep, case) == "None"


def test_a_private_task_is_read_by_who_reads_one_of_its_records(
    org: Org, people: People, access: Level, contact: str
) -> None:
    task = org.create(people.admin, "Task", {"Subject": "Call", "WhoId": contact})
    assert access(people.rep, task) == "Read"
    assert access(people.other, task) == "None"
    own = org.create(people.rep, "Task", {"Subject": "Alone"})
    levels = {name: access(getattr(people, name), own) for name in ("rep", "boss", "other")}
    assert levels == {"rep": "All", "boss": "All", "other": "None"}


def test_a_task_controlled_by_parent_needs_the_right_on_both_of_its_records(
    org: Org, people: People, access: Level, contact: str
) -> None:
    org.sharing.use({**PRIVATE, "Task": "ControlledByParent"})
    deal = org.create(people.other, "Opportunity", FIELDS["Opportunity"])
    task = org.create(people.admin, "Task", {"Subject": "X", "WhoId": contact, "WhatId": deal})
    assert access(people.rep, task) == "None"
    assert access(people.other, task) == "None"
    single = org.create(people.admin, "Task", {"Subject": "X", "WhoId": contact})
    assert access(people.rep, single) == "All"
    mine = org.create(people.admin, "Task", {"Subject": "X", "OwnerId": people.other.id,
                                             "WhoId": contact})  # fmt: skip
    assert access(people.other, mine) == "All"


def test_a_contact_role_goes_with_its_opportunity(
    org: Org, people: People, access: Level, contact: str
) -> None:
    deal = org.create(people.other, "Opportunity", FIELDS["Opportunity"])
    role = org.create(
        people.admin, "OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact}
    )
    assert access(people.other, role) == "All"
    assert access(people.rep, role) == "None"


def test_object_rights_bound_what_sharing_gives(
    org: Org, people: People, access: Level, contact: str
) -> None:
    org.set_object_rights(people.rep, "Contact", ObjectRights(edit=False, delete=False))
    assert access(people.rep, contact) == "Read"


def test_it_is_kept_in_the_database(tmp_path: Path) -> None:
    file = tmp_path / "org.sqlite"
    first = Org(database=file, clock=OrgClock(), name="A", sandbox=False)
    user = first.add_user(username="a@example.com", email="", last_name="A")
    first.sharing.use({"Account": "Read"})
    queue = first.sharing.add_queue("Support", ["Case"], [user])
    first.close()
    again = Org(database=file, clock=OrgClock(), name="A", sandbox=False)
    try:
        assert again.sharing.defaults()["Account"] == "Read"
        assert again.sharing.defaults()["Contact"] == "ControlledByParent"
        case = again.create(user, "Case", {"Subject": "Broken", "OwnerId": queue})
        assert again.read(user, "Case", case)["OwnerId"] == queue
    finally:
        again.close()


@pytest.mark.parametrize(
    ("defaults", "words"),
    [({"User": "None"}, "sharing knows"), ({"Account": "ReadEditTransfer"}, "Account takes")],
)
def test_what_sharing_does_not_know_is_refused(
    org: Org, defaults: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        org.sharing.use(defaults)


def test_roles_form_a_tree(org: Org, people: People) -> None:
    with pytest.raises(ValueError, match="no role"):
        org.sharing.add_role("East", "Nowhere")
    with pytest.raises(ValueError, match="lies below"):
        org.sharing.add_role("Sales", "Sales, North")
    with pytest.raises(ValueError, match="no role"):
        org.sharing.give_role(people.rep, "Nowhere")
