"""Two admins change choices that stand in one row at the same moment: neither choice is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from keeping_plugin.models import Database
from keeping_plugin.services.people import finding
from keeping_plugin.services.schema import creating
from keeping_plugin.types import Agent
from tests.servers.tables import until_blocked

ADA = Agent("ada", "acme", "Ada", is_admin=True)
BEA = Agent("bea", "acme", "Bea", is_admin=True)


def _search_off(session: Session) -> object:
    return finding.allow_search(session, ADA, wanted=False)


def _name_field(session: Session) -> object:
    return finding.name_address_field(session, ADA, "Contact", "Second__c")


def _name_another(session: Session) -> object:
    return finding.name_address_field(session, BEA, "Lead", "Third__c")


def _forbid(session: Session) -> object:
    return creating.change(session, ADA, "Case", allowed=False)


def _choose_form(session: Session) -> object:
    return creating.change(session, BEA, "Case", fields=["Subject"])


@pytest.mark.parametrize(
    ("first", "second"),
    [(_search_off, _name_another), (_name_field, _name_another), (_forbid, _choose_form)],
)
def test_the_later_of_two_admins_keeps_what_the_earlier_one_chose(
    postgres_database: Database,
    first: Callable[[Session], object],
    second: Callable[[Session], object],
) -> None:
    database = postgres_database
    with database.write() as session:
        finding.allow_search(session, ADA, wanted=True)
        creating.change(session, ADA, "Case", allowed=True)

    def later() -> None:
        with database.write() as session:
            assert second(session)

    thread = threading.Thread(target=later)
    with database.write() as session:
        assert first(session)
        thread.start()
        blocked = until_blocked(database, thread)
    thread.join()
    assert blocked
    with database.read() as session:
        found = finding.load(session, "acme")
        case = creating.load(session, "acme")["Case"]
    chosen = {_search_off: not found.search, _forbid: not case.allowed}
    chosen |= {_name_field: found.add_to.get("Contact") == "Second__c"}
    chosen |= {_name_another: found.add_to.get("Lead") == "Third__c"}
    chosen |= {_choose_form: case.fields == ("Subject",)}
    assert (chosen[first], chosen[second]) == (True, True)
