"""A company's choices for the people it adds, and what its mailboxes replace."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from keeping_plugin.models import AuditRecord, Database
from keeping_plugin.services.people import policy
from keeping_plugin.services.people.policy import COMPANY, AddAs, Owner, PeopleChoices
from tests.services.company import ADMIN


def test_nothing_chosen_means_an_account_by_domain_and_the_connecting_user(
    database: Database,
) -> None:
    with database.read() as session:
        assert policy.load(session, "acme").of("sales") == PeopleChoices()
    assert PeopleChoices().looks_for_accounts
    assert PeopleChoices().may_stay_private


def test_a_mailbox_replaces_what_it_names_and_follows_the_company_in_the_rest(
    database: Database,
) -> None:
    with database.write() as session:
        assert policy.save(session, ADMIN, COMPANY, add_as=AddAs.LEAD, an_hour=30)
        assert policy.save(session, ADMIN, "sales", an_hour=5, owner=Owner.AGENT)
        assert not policy.save(session, ADMIN, "sales", an_hour=5)
    with database.read() as session:
        kept = policy.load(session, "acme")
    assert kept.of("sales") == PeopleChoices(add_as=AddAs.LEAD, owner=Owner.AGENT, an_hour=5)
    assert kept.of("support") == PeopleChoices(add_as=AddAs.LEAD, an_hour=30)
    assert kept.own("sales") == {"an_hour", "owner"}
    with database.write() as session:
        assert policy.follow_company(session, ADMIN, "sales", ["an_hour", "owner"])
        assert not policy.follow_company(session, ADMIN, "sales", ["an_hour", "owner"])
        assert not policy.follow_company(session, ADMIN, COMPANY, ["an_hour"])
    with database.read() as session:
        assert policy.load(session, "acme").of("sales").an_hour == 30
        noted = session.execute(select(AuditRecord.record_id, AuditRecord.detail)).all()
    assert noted == [
        ("", "add_as an_hour"),
        ("sales", "an_hour owner"),
        ("sales", "company"),
    ]


@pytest.mark.parametrize("wanted", [{"colour": "red"}, {"add_as": "robot"}, {"owner": ""}])
def test_what_is_no_choice_is_refused(database: Database, wanted: dict[str, str]) -> None:
    with database.write() as session, pytest.raises(ValueError):  # noqa: PT011
        policy.save(session, ADMIN, COMPANY, **wanted)
