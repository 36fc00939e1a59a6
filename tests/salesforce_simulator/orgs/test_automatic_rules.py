"""Queues, assignment rules and automatic answers on new Leads and Cases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from salesforce_simulator.control.client import ControlRefused
from salesforce_simulator.process import RunningOrg
from tests.salesforce_simulator.conftest import Api


@pytest.fixture
def org(org: RunningOrg) -> Iterator[RunningOrg]:
    """Its rules are ended afterwards, which also forgets their mail."""
    yield org
    org.control.clear_rules()


@pytest.fixture
def queue(org: RunningOrg) -> str:
    return org.control.queue("Support", ["Case", "Lead"])


def owner(api: Api, object_name: str, record_id: str) -> str:
    return str(api.read(object_name, record_id)["OwnerId"])


def new_case(api: Api, header: str | None = None, **fields: str) -> str:
    headers = {} if header is None else {"Sforce-Auto-Assign": header}
    answer = api.post("sobjects/Case", {"Subject": "Broken", **fields}, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    ("header", "assigned"), [(None, True), ("TRUE", True), ("FALSE", False), ("false", False)]
)
def test_the_active_rule_runs_unless_the_header_says_false(
    org: RunningOrg, api: Api, queue: str, header: str | None, assigned: bool
) -> None:
    org.control.assignment_rule("Case", queue)
    assert (owner(api, "Case", new_case(api, header)) == queue) is assigned


def test_the_header_may_name_a_rule_that_is_not_active(
    org: RunningOrg, api: Api, queue: str
) -> None:
    active = org.control.queue("First", ["Case"])
    org.control.assignment_rule("Case", active)
    other = org.control.assignment_rule("Case", queue, active=False)
    assert other is not None
    assert owner(api, "Case", new_case(api)) == active
    assert owner(api, "Case", new_case(api, other)) == queue
    assert owner(api, "Case", new_case(api, other[:15])) == queue


def test_a_rule_that_is_none_is_refused(org: RunningOrg, api: Api, queue: str) -> None:
    rule = org.control.assignment_rule("Lead", queue)
    for wrong in (str(rule), "01Q000000000000AAA", "maybe"):
        headers = {"Sforce-Auto-Assign": wrong}
        answer = api.post("sobjects/Case", {"Subject": "X"}, headers=headers)
        assert answer.json()[0]["errorCode"] == "INVALID_CROSS_REFERENCE_KEY"


def test_the_active_rule_is_found_by_query(org: RunningOrg, api: Api, queue: str) -> None:
    soql = "SELECT Id FROM AssignmentRule WHERE SobjectType = 'Case' AND Active = true"
    first = org.control.assignment_rule("Case", queue)
    assert [row["Id"] for row in api.query(soql).json()["records"]] == [first]
    second = org.control.assignment_rule("Case", queue)
    assert [row["Id"] for row in api.query(soql).json()["records"]] == [second]
    org.control.assignment_rule("Case", None)
    assert api.query(soql).json()["records"] == []


def test_a_part_of_a_composite_has_a_header_of_its_own(
    org: RunningOrg, api: Api, queue: str
) -> None:
    org.control.assignment_rule("Case", queue)
    part = {"method": "POST", "url": "sobjects/Case", "body": {"Subject": "X"}}
    answers = api.composite(
        {**part, "referenceId": "kept", "httpHeaders": {"Sforce-Auto-Assign": "FALSE"}},
        {**part, "referenceId": "assigned"},
    )
    owners = [owner(api, "Case", answer["body"]["id"]) for answer in answers]
    assert [found == queue for found in owners] == [False, True]


def test_an_update_runs_no_rule(org: RunningOrg, api: Api, queue: str) -> None:
    case = new_case(api)
    org.control.assignment_rule("Case", queue)
    assert api.patch(f"sobjects/Case/{case}", {"Subject": "Y"}).status_code == 204
    assert owner(api, "Case", case) != queue


def test_the_new_owner_is_told_by_mail(org: RunningOrg, api: Api) -> None:
    integration = org.control.query(
        "SELECT Id, Email FROM User WHERE Username = 'integration@example.com'"
    )[0]
    org.control.assignment_rule("Lead", integration["Id"])
    lead = api.create("Lead", LastName="Doe", Company="Acme")
    assert org.control.notifications() == [
        {"reason": "assignment", "address": integration["Email"], "record_id": lead}
    ]


# -- auto-response ---------------------------------------------------------------------------------


def test_an_auto_response_rule_needs_the_supplied_address(org: RunningOrg, api: Api) -> None:
    org.control.auto_response("Case")
    answer = api.post("sobjects/Case", {"Subject": "X"})
    assert answer.json()[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert answer.json()[0]["fields"] == ["SuppliedEmail"]


def test_the_customer_is_answered_and_the_contacts_address_comes_first(
    org: RunningOrg, api: Api, contact: str, address: str
) -> None:
    org.control.auto_response("Case")
    supplied = {"SuppliedEmail": "supplied@example.com"}
    stranger = new_case(api, **supplied)
    known = new_case(api, **supplied, ContactId=contact)
    nameless = api.create("Contact", LastName="No address")
    without = new_case(api, **supplied, ContactId=nameless)
    sent = {one["record_id"]: one["address"] for one in org.control.notifications()}
    assert sent == {
        stranger: "supplied@example.com",
        known: address,
        without: "supplied@example.com",
    }


def test_the_header_does_not_stop_the_answer(org: RunningOrg, api: Api) -> None:
    org.control.auto_response("Case")
    new_case(api, "FALSE", SuppliedEmail="jane@example.com")
    assert [one["reason"] for one in org.control.notifications()] == ["auto-response"]


def test_only_leads_and_cases_have_such_rules(org: RunningOrg) -> None:
    with pytest.raises(ControlRefused, match="no auto-response rules"):
        org.control.auto_response("Contact")
    with pytest.raises(ControlRefused, match="no assignment rules"):
        org.control.assignment_rule("Contact", None)
