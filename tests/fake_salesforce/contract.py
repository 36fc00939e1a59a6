"""What every gateway to Salesforce must do, as a suite to subclass."""

from __future__ import annotations

from tests.fake_salesforce.accounts_contract import AccountsContract
from tests.fake_salesforce.choosing_contract import ChoosingContract
from tests.fake_salesforce.org_under_test import OrgUnderTest
from tests.fake_salesforce.reading_contract import ReadingContract
from tests.fake_salesforce.saving_contract import SavingContract
from tests.fake_salesforce.users_contract import UsersContract

__all__ = ["GatewayContract", "OrgUnderTest"]


class GatewayContract(
    ReadingContract, AccountsContract, SavingContract, UsersContract, ChoosingContract
):
    """What every `SalesforceGateway` must do. Subclass it and give an `org` fixture."""
