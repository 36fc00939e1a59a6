"""The control prefix and its client."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import requests

from salesforce_simulator.control.client import ControlRefused
from salesforce_simulator.process import OrgProcess, RunningOrg

from .conftest import Api


def test_the_clock_can_be_moved_held_and_let_go(org: RunningOrg) -> None:
    moment = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    org.control.set_clock(moment)
    org.control.hold_clock()
    held = org.control.now()
    assert held - moment < timedelta(seconds=5)
    assert org.control.now() == held
    org.control.advance(3600)
    assert org.control.now() == held + timedelta(hours=1)
    org.control.release_clock()
    assert org.control.now() > held + timedelta(hours=1)


def test_a_reset_puts_everything_back_but_records_and_people(org: RunningOrg, api: Api) -> None:
    org.control.set(latency_ms=1, rotate_refresh_tokens=True, session_seconds=10**6)
    org.control.fault("delay", times=None)
    org.control.validation_rule("Contact", "LastName = 'x'", "no")
    org.control.usage(used=99)
    org.control.advance(10_000)
    contact = api.create("Contact", LastName="Kept")
    org.control.reset()
    assert (org.control.faults(), org.control.log()) == ([], [])
    assert org.control.usage() == {"used": 0, "limit": 15_000}
    assert abs((org.control.now() - datetime.now(UTC)).total_seconds()) < 5
    assert org.control.set()["rotate_refresh_tokens"] is False
    assert api.create("Contact", LastName="x")
    assert org.control.count(f"SELECT Id FROM Contact WHERE Id = '{contact}'") == 1


@pytest.mark.parametrize("settings", [{"colour": "red"}, {"session_seconds": "long"}])
def test_a_setting_nobody_knows_is_refused(org: RunningOrg, settings: dict[str, str]) -> None:
    with pytest.raises(ControlRefused, match="400"):
        org.control.set(**settings)


def test_queries_of_the_control_prefix_come_whole_and_cost_nothing(
    org: RunningOrg, api: Api, address: str
) -> None:
    record = {"attributes": {"type": "Task"}, "Subject": address}
    for _ in range(11):
        api.post("composite/sobjects", {"records": [record] * 200})
    org.control.reset_log()
    soql = f"SELECT Id FROM Task WHERE Subject = '{address}'"
    assert (len(org.control.query(soql)), org.control.count(soql)) == (2200, 2200)
    assert org.control.counters()["http_round_trips"] == 0


def test_what_the_org_refuses_is_told(org: RunningOrg) -> None:
    with pytest.raises(ControlRefused, match="REQUIRED_FIELD_MISSING"):
        org.control.create("Contact", FirstName="x")
    with pytest.raises(ControlRefused, match="MALFORMED_QUERY"):
        org.control.query("nonsense")


def test_people_can_be_added_and_their_rights_taken(org: RunningOrg) -> None:
    org.control.add_user("agent@example.com", last_name="Agent", permissions=["api_enabled"])
    org.control.object_rights("agent@example.com", "Case", read=False)
    org.control.field_rights("agent@example.com", "Contact", "Phone", editable=False)
    with pytest.raises(ControlRefused, match="no user"):
        org.control.set_user_active("nobody@example.com", False)
    names = [user["username"] for user in org.control.status()["users"]]
    assert "agent@example.com" in names


def test_faults_and_rules_of_one_org_leave_the_other_alone(process: OrgProcess) -> None:
    process.production.control.reset()
    process.production.control.fault("unavailable", times=None)
    assert process.sandbox.control.faults() == []
    process.production.control.reset()


def test_another_host_name_is_not_let_in(org: RunningOrg) -> None:
    url = f"{org.base_url}/__control__/"
    answer = requests.get(url, headers={"Host": "rebound.example"}, timeout=30)
    assert answer.status_code == 403


def test_many_records_are_created_at_once_or_none_of_them(org: RunningOrg) -> None:
    name = uuid.uuid4().hex
    rows = [{"Name": f"{name} {number}"} for number in range(1000)]
    ids = org.control.create_many("Account", rows)
    found = org.control.query(f"SELECT Id, Name FROM Account WHERE Name LIKE '{name}%'")
    assert {row["Id"]: row["Name"] for row in found} == {
        record_id: row["Name"] for record_id, row in zip(ids, rows, strict=True)
    }
    with pytest.raises(ControlRefused):
        org.control.create_many("Account", [{"Name": f"{name} more"}, {"Phone": "1"}])
    assert org.control.count(f"SELECT Id FROM Account WHERE Name LIKE '{name}%'") == 1000
