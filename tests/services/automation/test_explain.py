"""Why, or why not, in plain lines; try an address; what would have happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from keeping_plugin.errors import InvalidInput
from keeping_plugin.models import Database, Decision, SyncEntry
from keeping_plugin.rules import CHECKS, RULES, Facts, Policy, Verdict
from keeping_plugin.services.automation import policy, skip_list
from keeping_plugin.services.automation import preview as dry_run
from keeping_plugin.services.automation.explain import (
    explain_made_up,
    explain_message,
    explained,
    refusals,
)
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.services.automation.policy import MailboxAutomation
from keeping_plugin.services.people.policy import PeopleChoices
from keeping_plugin.testing import FakeHelpDesk, FakeQueue
from keeping_plugin.types import Action, Address, Direction, Message, MessageArrived
from tests.services.arrivals import arrived
from tests.services.company import ADMIN, Company
from tests.services.runtimes import make_runtime

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def company(database: Database) -> Company:
    """Connected; auto-add on for the sales mailbox, logging off; spam.example skipped."""
    company = Company(database)
    company.sign_in()
    with database.write() as session:
        policy.set_mailbox_automation(session, ADMIN, "sales", add_contacts=True, log_tasks=False)
        skip_list.add(session, ADMIN, ["spam.example"])
    return company


@pytest.fixture
def helpdesk() -> FakeHelpDesk:
    return FakeHelpDesk()


def message(**changes: Any) -> Message:
    given = arrived(**changes)
    names = given.__dataclass_fields__
    return Message(**{name: getattr(given, name) for name in names}, text="Hello")


def arrive(company: Company, helpdesk: FakeHelpDesk, **changes: Any) -> None:
    one = helpdesk.add_message(message(**changes))
    with company.database.write() as session:
        message_arrived(
            make_runtime(company.database, helpdesk=helpdesk, queue=FakeQueue()), session, one
        )


def lines_of(company: Company, helpdesk: FakeHelpDesk, message_id: str = "m1") -> list[str]:
    with company.database.read() as session:
        return explain_message(session, helpdesk, "acme", message_id)


def counts(database: Database) -> list[int]:
    with database.read() as session:
        return [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Decision, SyncEntry)
        ]


class TestExplain:
    def test_every_check_of_every_rule_is_told_with_the_facts(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        arrive(company, helpdesk, customer=Address("bob@mail.spam.example"))
        text = "\n".join(lines_of(company, helpdesk))
        assert "bob@mail.spam.example" in text
        for name in Facts._fields:
            assert name in text
        for code, check in CHECKS.items():
            assert code in text
            refused = code in ("skipped_domain", "logging_off")
            assert (check.refusal if refused else check.sentence) in text
        assert "Add as Contact: NO" in text
        assert "Log as Task: NO" in text

    @pytest.mark.both_databases
    def test_what_became_of_it_is_told(self, company: Company, helpdesk: FakeHelpDesk) -> None:
        arrive(company, helpdesk)
        with company.database.write() as session:
            session.execute(update(SyncEntry).values(state="failed", reason="rejected"))
        text = "\n".join(lines_of(company, helpdesk))
        assert "Add as Contact: YES" in text
        assert "Add as Contact: failed (rejected)" in text

    def test_then_and_now_are_told_apart(self, company: Company, helpdesk: FakeHelpDesk) -> None:
        arrive(company, helpdesk)
        with company.database.write() as session:
            policy.set_mailbox_automation(
                session, ADMIN, "sales", add_contacts=False, log_tasks=True
            )
        lines = lines_of(company, helpdesk)
        start = next(n for n, line in enumerate(lines) if line.startswith("Evaluated now"))
        then, now = lines[:start], lines[start:]
        assert then[0].startswith("Evaluated 20")
        assert any(line.startswith("Add as Contact: YES") for line in then)
        assert any(line.startswith("Add as Contact: NO") for line in now)
        assert any(line.startswith("Log as Task: YES") for line in now)

    @pytest.mark.both_databases
    def test_a_decision_of_other_rules_keeps_its_own_reasons(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        arrive(company, helpdesk)
        with company.database.write() as session:
            session.execute(
                update(Decision).values(
                    rules_version="old", facts=None, verdicts=[["log_task", ["retired_code"]]]
                )
            )
        text = "\n".join(lines_of(company, helpdesk))
        assert "rule set old" in text
        assert "retired_code" in text
        assert "have been deleted" in text

    @pytest.mark.both_databases
    def test_a_message_that_came_before_the_connection_is_judged_now(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        helpdesk.add_message(message())
        assert lines_of(company, helpdesk)[0].startswith("No decision is stored")
        assert counts(company.database) == [0, 0]

    def test_a_deleted_message_still_tells_its_decision(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        arrive(company, helpdesk)
        del helpdesk.company("acme").messages["m1"]
        lines = lines_of(company, helpdesk)
        assert lines[0].startswith("Evaluated")
        assert lines[-1] == "The inbox no longer has this message."

    def test_of_a_message_nobody_knows_there_is_nothing_to_say(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        arrive(company, helpdesk)
        assert lines_of(company, helpdesk, "other") == []
        with company.database.read() as session:
            assert explain_message(session, helpdesk, "globex", "m1") == []

    def test_a_made_up_message_writes_nothing(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        with company.database.read() as session:
            made_up = arrived(headers={"auto-submitted": "auto-replied"})
            lines = explain_made_up(session, helpdesk, made_up)
        assert any("Auto-Submitted: auto-replied" in line for line in lines)
        assert counts(company.database) == [0, 0]

    def test_a_refusal_is_the_sentence_of_its_code(self) -> None:
        verdict = Verdict(Action.LOG_TASK, ("logging_off", "retired_code"))
        assert refusals(verdict) == (CHECKS["logging_off"].refusal, "retired_code")


class TestTryAddress:
    def test_every_rule_says_what_it_would_do(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        tried = dry_run.try_address(
            company.database, helpdesk, "acme", "sales", " Bob@Spam.Example "
        )
        assert tried.address == "Bob@Spam.Example"
        assert [verdict.action for verdict in tried.verdicts] == [rule.action for rule in RULES]
        against = {
            check.code for verdict in tried.verdicts for check in verdict.checks if not check.holds
        }
        assert against == {"skipped_domain", "logging_off"}
        assert counts(company.database) == [0, 0]

    @pytest.mark.parametrize(
        "address", ["", "bob", "a@b, c@d.example", "a\0@b.example", "@x.example"]
    )
    def test_what_is_no_address_gets_a_sentence(
        self, company: Company, helpdesk: FakeHelpDesk, address: str
    ) -> None:
        with pytest.raises(InvalidInput, match="Enter an email address") as refused:
            dry_run.try_address(company.database, helpdesk, "acme", "sales", address)
        assert refused.value.field == "address"

    def test_it_agrees_with_what_explain_says(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        tried = dry_run.try_address(company.database, helpdesk, "acme", "sales", "a@b.example")
        facts = Facts.of(
            arrived(customer=Address("a@b.example"), headers={}),
            Policy(connected=True, add_contacts=True),
        )
        assert tried.verdicts == explained(facts)


class TestWhatWouldHaveHappened:
    def test_it_says_how_many_people_the_limits_would_have_held(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        """Three an hour, two of one company within ten minutes: of the first company the third, of
        the others the two who came when three had passed; nobody an hour later."""
        people = [f"p{number}@one.example" for number in range(3)]
        people += [f"p@company{number}.example" for number in range(3)]
        for number, address in enumerate([*people, people[0], people[2]]):
            helpdesk.add_message(
                message(
                    message_id=str(number),
                    conversation_id=f"c{number}",
                    customer=Address(address),
                    sent_at=NOW - timedelta(hours=9) + timedelta(minutes=number),
                )
            )
        later = {"message_id": "later", "conversation_id": "l", "sent_at": NOW - timedelta(hours=7)}
        helpdesk.add_message(message(**later, customer=Address("late@one.example")))
        assert self.preview(company, helpdesk).held is None
        found = self.preview(company, helpdesk, limits=PeopleChoices(an_hour=3, burst=2))
        assert (found.contacts, found.held) == (7, 3)

    def preview(self, company: Company, helpdesk: FakeHelpDesk, **more: Any) -> dry_run.Preview:
        return dry_run.what_would_have_happened(
            company.database, helpdesk, "acme", "sales", until=NOW, **more
        )

    def test_counts_and_lists_thirty_days_of_one_mailbox_as_if_both_were_on(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        spam = Address("bob@spam.example")
        mail: list[dict[str, Any]] = [
            {"message_id": "old", "sent_at": NOW - timedelta(days=31)},
            {"message_id": "1"},
            {"message_id": "2", "opens_conversation": False},
            {"message_id": "3", "direction": Direction.OUTBOUND, "opens_conversation": False},
            {"message_id": "4", "conversation_id": "c2"},
            {"message_id": "5", "conversation_id": "c3", "customer": spam},
            {"message_id": "6", "conversation_id": "c4", "customer": None},
            {"message_id": "7", "mailbox_id": "billing"},
        ]
        for number, changes in enumerate(mail):
            at = {"sent_at": NOW - timedelta(days=2) + timedelta(minutes=number)}
            helpdesk.add_message(message(**{**at, **changes}))
        found = self.preview(company, helpdesk)
        assert (found.days, found.seen, found.more) == (30, 6, False)
        # Two conversations of one new customer are one Contact.
        assert (found.contacts, found.tasks, found.refused) == (1, 5, 1)
        assert [row.message_id for row in found.rows] == ["6", "5", "4", "3", "2", "1"]
        both = ("Contact", "Task")
        assert [row.records for row in found.rows] == [
            (), ("Task",), both, ("Task",), ("Task",), both,
        ]  # fmt: skip
        assert found.rows[1].reasons == (CHECKS["skipped_domain"].refusal,)
        assert {(one.action, one.code): one.count for one in found.reasons} == {
            (Action.ADD_CONTACT, "not_opening"): 2,
            (Action.ADD_CONTACT, "not_inbound"): 1,
            (Action.ADD_CONTACT, "skipped_domain"): 1,
            (Action.ADD_CONTACT, "no_customer"): 1,
            (Action.LOG_TASK, "no_customer"): 1,
        }
        assert counts(company.database) == [0, 0]

    def test_the_switches_may_be_as_they_would_be(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        helpdesk.add_message(message(sent_at=NOW - timedelta(days=1)))
        found = self.preview(company, helpdesk, wanted=MailboxAutomation(log_tasks=True))
        assert (found.contacts, found.tasks) == (0, 1)

    def test_a_large_mailbox_is_looked_at_up_to_a_limit(
        self, company: Company, helpdesk: FakeHelpDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dry_run, "MAX_MESSAGES", 700)
        for number in range(1_100):
            at = NOW - timedelta(days=1) + timedelta(seconds=number)
            helpdesk.add_message(message(message_id=f"m{number}", sent_at=at))
        asked: list[str] = []
        facts = helpdesk.message_facts

        def noted(company_id: str, message_ids: Sequence[str]) -> Iterable[MessageArrived]:
            asked.extend(message_ids)
            return facts(company_id, message_ids)

        monkeypatch.setattr(helpdesk, "message_facts", noted)
        found = self.preview(company, helpdesk)
        assert (found.seen, found.more, len(found.rows)) == (700, True, dry_run.ROWS)
        assert (len(asked), helpdesk.bodies_read) == (1_000, [])

    def test_exactly_the_limit_leaves_nothing_out(
        self, company: Company, helpdesk: FakeHelpDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dry_run, "MAX_MESSAGES", 3)
        for number in range(3):
            helpdesk.add_message(message(message_id=f"m{number}", sent_at=NOW - timedelta(days=1)))
        assert self.preview(company, helpdesk).more is False

    def test_an_empty_mailbox_is_an_empty_preview(
        self, company: Company, helpdesk: FakeHelpDesk
    ) -> None:
        found = self.preview(company, helpdesk)
        assert (found.seen, tuple(found.rows), found.reasons) == (0, (), ())

    def test_a_help_desk_that_hands_out_one_page_for_ever_is_told_apart_from_much_mail(
        self, company: Company, helpdesk: FakeHelpDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        helpdesk.add_message(message(sent_at=NOW - timedelta(days=1)))
        monkeypatch.setattr(helpdesk, "message_ids", lambda *_: ["m1"], raising=False)
        with pytest.raises(ValueError, match="same page twice"):
            self.preview(company, helpdesk)
