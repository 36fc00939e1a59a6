"""The gateway keeps its contract in orgs that restrict rows, that have several currencies, and that
keep emails and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from keeping_plugin.errors import RecordNotFound
from salesforce_simulator.process import OrgProcess
from tests.fake_salesforce.contract import GatewayContract

from .conftest import CALLBACK, LiveOrg

OWNER = "owner@example.com"
PRIVATE = {"Account": "None", "Contact": "None", "Lead": "None", "Opportunity": "None",
           "Case": "None", "Task": "ControlledByParent"}  # fmt: skip


class PrivateOrg(LiveOrg):
    """Nobody sees more than their own records, and these are its user's."""

    sharing = "None"

    def add(self, object: str, **fields: Any) -> str:
        """As the user; below an Account that may be another's, an administrator adds it for them,
        and who owns a Contact reads its Account."""
        if "AccountId" not in fields:
            return self.control.create(object, user=OWNER, **fields)
        users = self.control.status()["users"]
        owner = next(user["id"] for user in users if user["username"] == OWNER)
        return self.control.create(object, **{"OwnerId": owner, **fields})


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateOrg]:
    with OrgProcess(redirects=[CALLBACK]) as process:
        control = process.production.control
        control.share(**PRIVATE)
        control.add_user(OWNER, last_name="Owner", permissions=["api_enabled", "view_setup"])
        yield PrivateOrg(process, process.production, OWNER)


@pytest.fixture(scope="module")
def multi_currency() -> Iterator[LiveOrg]:
    with OrgProcess(redirects=[CALLBACK]) as process:
        process.production.control.use_currencies("EUR", "USD", "JPY")
        yield LiveOrg(process, process.production)


@pytest.fixture(scope="module")
def emailing() -> Iterator[LiveOrg]:
    with OrgProcess(redirects=[CALLBACK]) as process:
        control = process.production.control
        control.use_feature("mail", junction_lists=True)
        control.use_feature("shared_activities")
        control.use_feature("files")
        yield LiveOrg(process, process.production)


class TestTheGatewayKeepsTheContractInAPrivateOrg(GatewayContract):
    @pytest.fixture
    def org(self, private: PrivateOrg) -> Iterator[PrivateOrg]:
        yield private
        private.control.clear_faults()
        private.control.clear_rules()

    def test_the_org_hides_what_others_own(self, org: PrivateOrg) -> None:
        """The suite would pass in any org; this one is private."""
        others = org.control.create("Contact", LastName="Other")
        with pytest.raises(RecordNotFound):
            org.gateway.read("Contact", others, ["Id"])


class TestTheGatewayKeepsTheContractWithSeveralCurrencies(GatewayContract):
    @pytest.fixture
    def org(self, multi_currency: LiveOrg) -> Iterator[LiveOrg]:
        yield multi_currency
        multi_currency.control.clear_faults()
        multi_currency.control.clear_rules()

    def test_the_org_has_them(self, org: LiveOrg) -> None:
        """The suite would pass in any org; records of this one have a currency."""
        contact = org.add("Contact", LastName="Doe", CurrencyIsoCode="JPY")
        [row] = org.control.query(f"SELECT CurrencyIsoCode FROM Contact WHERE Id = '{contact}'")
        assert row["CurrencyIsoCode"] == "JPY"


class TestTheGatewayKeepsTheContractWithEmailsAndFiles(GatewayContract):
    @pytest.fixture
    def org(self, emailing: LiveOrg) -> Iterator[LiveOrg]:
        yield emailing
        emailing.control.clear_faults()
        emailing.control.clear_rules()

    def test_the_org_has_them(self, org: LiveOrg) -> None:
        """The suite would pass in any org; a Task of this one tells its people."""
        contact = org.add("Contact", LastName="Doe")
        task = org.add("Task", Subject="x", WhoId=contact)
        [row] = org.control.query(f"SELECT TaskWhoIds FROM Task WHERE Id = '{task}'")
        assert row["TaskWhoIds"] == [contact]
