"""A mailbox's switches, and the policy made of them."""

from __future__ import annotations

from keeping_plugin.models import Database
from keeping_plugin.services.automation import policy, skip_list
from keeping_plugin.services.automation.policy import (
    MailboxAutomation,
    Switches,
    read_policy,
    read_switches,
)
from keeping_plugin.testing import FakeHelpDesk
from keeping_plugin.types import Address
from tests.services.arrivals import arrived
from tests.services.company import ADMIN, Company, admin_of


def test_both_are_off_until_somebody_switches_one_on(database: Database) -> None:
    with database.read() as session:
        assert policy.mailbox_automation(session, "acme", "sales") == MailboxAutomation()
        assert policy.mailbox_automations(session, "acme") == {}


def test_switches_are_kept_by_mailbox_and_company(database: Database) -> None:
    for company_id, mailbox_id, add, log in [
        ("acme", "sales", True, False),
        ("acme", "support", False, True),
        ("globex", "sales", True, True),
    ]:
        with database.write() as session:
            assert policy.set_mailbox_automation(
                session, admin_of(company_id), mailbox_id, add_contacts=add, log_tasks=log
            )
    with database.read() as session:
        assert policy.mailbox_automations(session, "acme") == {
            "sales": MailboxAutomation(True, False),
            "support": MailboxAutomation(False, True),
        }


def test_setting_what_is_set_changes_nothing(database: Database) -> None:
    with database.write() as session:
        assert not policy.set_mailbox_automation(
            session, ADMIN, "sales", add_contacts=False, log_tasks=False
        )
        assert policy.set_mailbox_automation(
            session, ADMIN, "sales", add_contacts=True, log_tasks=False
        )
    with database.write() as session:
        assert not policy.set_mailbox_automation(
            session, ADMIN, "sales", add_contacts=True, log_tasks=False
        )
        assert policy.set_mailbox_automation(
            session, ADMIN, "sales", add_contacts=False, log_tasks=True
        )
    with database.read() as session:
        kept = policy.mailbox_automation(session, "acme", "sales")
    assert kept == MailboxAutomation(False, True)


def test_switches_outlive_a_disconnect_but_grant_nothing(database: Database) -> None:
    company = Company(database)
    company.sign_in()
    with database.write() as session:
        policy.set_mailbox_automation(session, ADMIN, "sales", add_contacts=True, log_tasks=True)
    with database.read() as session:
        found = read_switches(session.connection(), "acme", "sales")
    assert found == Switches(company.row().id, company.row().epoch, True, True)
    company.disconnect()
    with database.read() as session:
        assert read_switches(session.connection(), "acme", "sales").connection_id is None
        kept = policy.mailbox_automation(session, "acme", "sales")
    assert kept == MailboxAutomation(True, True)


def test_only_what_concerns_the_messages_is_read_of_a_long_list(database: Database) -> None:
    helpdesk = FakeHelpDesk()
    helpdesk.company("acme").skipped = ["Host.Example", "elsewhere.example"]
    with database.write() as session:
        many = [f"d{number}.example" for number in range(1_000)]
        skip_list.add(session, ADMIN, many)
        skip_list.add(session, ADMIN, ["quiet.example"], skip_logging=True)
        skip_list.add(session, admin_of("globex"), ["b.example"])
    senders = ["a@x.d7.example", "a@b.example", "a@quiet.example", "a@mail.host.example", "none"]
    messages = [arrived(customer=Address(sender)) for sender in senders]
    with database.read() as session:
        found = read_policy(
            session.connection(),
            helpdesk,
            messages,
            company_id="acme",
            switches=Switches(1, 1, True, True),
        )
    assert found.skipped == {"d7.example", "quiet.example", "host.example"}
    assert found.unlogged == {"quiet.example"}
