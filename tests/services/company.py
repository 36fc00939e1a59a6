"""One company's admin and the logins it brings back from Salesforce."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cryptography.fernet import Fernet

from keeping_plugin.crypto import TokenVault
from keeping_plugin.models import Connection, Database
from keeping_plugin.services.connection import connect
from keeping_plugin.services.connection.connect import SignedIn
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.testing import FakeQueue
from keeping_plugin.times import Times
from keeping_plugin.types import Agent, OrgFacts, Tokens
from tests.services.runtimes import make_runtime

ADMIN = Agent("ada", "acme", "Ada Admin", is_admin=True)


def admin_of(company_id: str) -> Agent:
    """An admin of this company."""
    return replace(ADMIN, company_id=company_id)


ACME = OrgFacts("00D000000000001AAA", "Acme", False, "005000000000001AAA", "ada@acme.example.com")
OTHER = OrgFacts("00D000000000002AAA", "Other", True, "005000000000002AAA", "ada@other.example.com")


def grant(facts: OrgFacts, number: int = 1) -> Tokens:
    """The tokens of a login to this org; `number` tells one login from the next."""
    return Tokens(
        access_token=f"access-{facts.name}-{number}",
        refresh_token=f"refresh-{facts.name}-{number}",
        instance_url=f"https://{facts.name.lower()}.my.salesforce.com",
        login_url="https://login.salesforce.com",
        identity_url=f"https://login.salesforce.com/id/{facts.org_id}/{facts.user_id}",
        scope="api refresh_token openid",
    )


@dataclass
class Company:
    """A company on a database, with all that signing in and out is made of."""

    database: Database
    agent: Agent = ADMIN
    queue: FakeQueue = field(default_factory=FakeQueue)
    vault: TokenVault = field(default_factory=lambda: TokenVault([Fernet.generate_key().decode()]))
    times: Times = field(default_factory=Times)

    @property
    def runtime(self) -> Runtime:
        return make_runtime(self.database, vault=self.vault, times=self.times, queue=self.queue)

    def sign_in(self, facts: OrgFacts = ACME, number: int = 1) -> SignedIn:
        return connect.sign_in(self.runtime, self.agent, grant(facts, number), facts)

    def disconnect(self) -> None:
        connect.disconnect(self.runtime, self.agent)

    def confirm_org(self, facts: OrgFacts = OTHER) -> None:
        """An admin's yes to the login to this org."""
        connect.confirm_org(self.runtime, self.agent, connection_id=self.row(facts).id)

    def refuse_org(self, facts: OrgFacts = OTHER) -> None:
        connect.refuse_org(self.runtime, self.agent, connection_id=self.row(facts).id)

    def row(self, facts: OrgFacts = ACME) -> Connection:
        """The company's connection to this org, as it stands now."""
        with self.database.read() as session:
            return (
                session.query(Connection)
                .filter_by(company_id=self.agent.company_id, org_id=facts.org_id)
                .one()
            )

    def of(self, company_id: str) -> Company:
        """Another company on the same database."""
        return replace(self, agent=replace(self.agent, company_id=company_id))
