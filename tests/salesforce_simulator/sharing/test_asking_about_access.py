"""What a client can learn: the Organization's defaults, UserRecordAccess, its own permissions."""

from __future__ import annotations

import pytest

from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org

from .conftest import PRIVATE, People

FLAGS = ("HasReadAccess", "HasEditAccess", "HasDeleteAccess", "HasTransferAccess", "HasAllAccess")


def ask(user: str, *records: str) -> str:
    wanted = ", ".join(f"'{record}'" for record in records)
    fields = ", ".join(("RecordId", *FLAGS, "MaxAccessLevel"))
    where = f"UserId = '{user}' AND RecordId IN ({wanted})"
    return f"SELECT {fields} FROM UserRecordAccess WHERE {where}"


def test_the_organization_shows_its_defaults(org: Org, people: People) -> None:
    org.sharing.use({"Account": "Read", "Lead": "None"})
    [row] = org.query(
        people.other,
        "SELECT DefaultAccountAccess, DefaultContactAccess, DefaultLeadAccess, DefaultCaseAccess, "
        "DefaultOpportunityAccess FROM Organization",
    )["records"]
    del row["attributes"]
    assert row == {
        "DefaultAccountAccess": "Read",
        "DefaultContactAccess": "ControlledByParent",
        "DefaultLeadAccess": "None",
        "DefaultCaseAccess": "ReadEditTransfer",
        "DefaultOpportunityAccess": "Edit",
    }


def test_the_organization_describes_the_values_its_defaults_take(org: Org, people: People) -> None:
    described = org.describe(people.other, "Organization")
    [field] = [f for f in described["fields"] if f["name"] == "DefaultContactAccess"]
    values = [entry["value"] for entry in field["picklistValues"]]
    assert values == ["None", "Read", "Edit", "ControlledByParent"]


def test_one_query_tells_what_a_user_may_do_with_records(
    org: Org, people: People, account: str, contact: str
) -> None:
    org.sharing.use({**PRIVATE, "Contact": "Edit", "Account": "Read"})
    rows = org.query(people.other, ask(people.other.id, contact, account))["records"]
    found = {row["RecordId"]: [row[name] for name in FLAGS] for row in rows}
    assert found == {
        contact: [True, True, False, False, False],
        account: [True, False, False, False, False],
    }
    assert [row["MaxAccessLevel"] for row in rows] == ["Edit", "Read"]
    assert rows[0]["attributes"]["type"] == "UserRecordAccess"


def test_rows_the_asker_cannot_read_are_missing(org: Org, people: People, contact: str) -> None:
    assert org.query(people.other, ask(people.rep.id, contact))["totalSize"] == 0
    assert (
        org.query(people.other, ask(people.other.id, contact, "003000000000000AAA"))["records"]
        == []
    )


def test_two_hundred_records_can_be_asked_about_at_once(org: Org, people: People) -> None:
    many = [org.create(people.rep, "Account", {"Name": f"A{n}"}) for n in range(201)]
    assert org.query(people.rep, ask(people.rep.id, *many[:200]))["totalSize"] == 200
    with pytest.raises(OrgError, match="at most 200"):
        org.query(people.rep, ask(people.rep.id, *many))


@pytest.mark.parametrize(
    "where",
    [
        "",
        " WHERE UserId = '005000000000000AAA'",
        " WHERE UserId = '005000000000000AAA' OR RecordId = '003000000000000AAA'",
        " WHERE UserId != '005000000000000AAA' AND RecordId = '003000000000000AAA'",
        " WHERE UserId = '005000000000000AAA' AND HasReadAccess = true",
    ],
)
def test_any_other_question_is_refused(org: Org, people: People, where: str) -> None:
    with pytest.raises(OrgError, match="MALFORMED_QUERY"):
        org.query(people.rep, f"SELECT RecordId FROM UserRecordAccess{where}")


def test_any_row_tells_what_may_be_done_with_it(org: Org, people: People, contact: str) -> None:
    org.sharing.use({**PRIVATE, "Contact": "Read"})
    soql = "SELECT Id, UserRecordAccess.HasEditAccess, UserRecordAccess.MaxAccessLevel FROM Contact"
    [row] = org.query(people.other, soql)["records"]
    shown = row["UserRecordAccess"]
    assert (shown["HasEditAccess"], shown["MaxAccessLevel"]) == (False, "Read")
    assert shown["attributes"]["type"] == "UserRecordAccess"
    assert org.query(people.rep, soql)["records"][0]["UserRecordAccess"]["HasEditAccess"] is True


def test_what_may_be_done_is_no_filter(org: Org, people: People, contact: str) -> None:
    soql = "SELECT Id FROM Contact WHERE UserRecordAccess.HasEditAccess = true"
    with pytest.raises(OrgError, match="can not be filtered"):
        org.query(people.rep, soql)


def test_an_org_that_shares_everything_answers_too(org: Org, people: People, contact: str) -> None:
    org.sharing.use(None)
    [row] = org.query(people.other, ask(people.other.id, contact))["records"]
    assert row["MaxAccessLevel"] == "All"


def test_a_user_learns_their_own_permissions(org: Org, people: People) -> None:
    soql = (
        "SELECT PermissionsApiEnabled, PermissionsViewAllData, PermissionsModifyAllData, "
        "PermissionsEditTask, PermissionsActivitiesAccess FROM UserPermissionAccess"
    )
    [row] = org.query(people.auditor, soql)["records"]
    del row["attributes"]
    assert list(row.values()) == [True, True, False, True, True]


def test_the_objects_are_listed_once_an_org_uses_them(org: Org, people: People) -> None:
    names = org.object_names(people.rep)
    assert "UserRecordAccess" in names
    assert "Group" not in names
    org.sharing.add_queue("Support", ["Case"])
    assert "Group" in org.object_names(people.rep)
    assert org.describe(people.rep, "UserRecordAccess")["queryable"] is True
