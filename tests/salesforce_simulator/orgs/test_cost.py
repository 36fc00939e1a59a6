"""What the simulator itself costs, in processor time, so that it disturbs no figure of others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.process import OrgProcess
from tests.salesforce_simulator.conftest import Api

CALLS = 50
ADDRESS = "anna.deboer@example.com"
PEOPLE = (
    "SELECT Id, Name, Email, Phone, Title, AccountId, Account.Id, Account.Name, Account.Phone, "
    "(SELECT Id, CaseNumber, Subject, Status, Priority, CreatedDate FROM Cases "
    "ORDER BY CreatedDate DESC LIMIT 5), "
    "(SELECT Role, IsPrimary, Opportunity.Id, Opportunity.Name, Opportunity.StageName, "
    "Opportunity.Amount, Opportunity.CloseDate FROM OpportunityContactRoles "
    "ORDER BY Opportunity.LastModifiedDate DESC LIMIT 6) "
    f"FROM Contact WHERE Email = '{ADDRESS}' ORDER BY LastModifiedDate DESC LIMIT 5"
)
LEADS = f"SELECT Id, Name, Company FROM Lead WHERE Email = '{ADDRESS}' AND IsConverted = false"


def seconds(pid: int) -> float:
    """The processor time a process has had."""
    # The name in parentheses may hold blanks; the numbers of interest follow it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def running() -> Iterator[OrgProcess]:
    with OrgProcess() as process:
        yield process


def test_it_starts_within_a_second(running: OrgProcess) -> None:
    assert seconds(running.pid) < 1


@pytest.mark.parametrize("private", [False, True])
def test_a_panels_composite_takes_less_than_ten_milliseconds(
    running: OrgProcess, private: bool
) -> None:
    org = running.production
    if private:
        org.control.share(Account="None", Lead="None", Case="None")
        org.control.add_user("reader@example.com", last_name="R", permissions=["api_enabled"])
        [row] = org.control.query("SELECT Id FROM User WHERE Username = 'reader@example.com'")
        [contact] = org.control.query(
            f"SELECT Id, AccountId FROM Contact WHERE Email = '{ADDRESS}'"
        )
        org.control.update("Account", contact["AccountId"], OwnerId=row["Id"])
    api = Api(connect(running, org, user="reader@example.com" if private else "admin"))
    parts = [
        {"method": "GET", "referenceId": name, "url": f"query?q={quote(soql)}"}
        for name, soql in (("people", PEOPLE), ("leads", LEADS))
    ]
    people, _ = api.composite(*parts)
    assert people["body"]["totalSize"] == 1
    before = seconds(running.pid)
    for _ in range(CALLS):
        api.composite(*parts)
    used = seconds(running.pid) - before
    api.http.close()
    assert used / CALLS < 0.010
