"""T8: no id, token or offer of one company serves another.

Two companies, every route that names an id, every id; the orgs' logs tell whose token a call
carried. test_every_route.py has the people who may not come in at all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from keeping_plugin.services.delivery.drain import drain
from keeping_plugin.services.schema import describe
from keeping_plugin.types import Address
from tests.blueprints.inbox import CUSTOMER, open_inbox, url
from tests.security.access.test_every_route import visit
from tests.security.dumps import changed_tables, dump
from tests.security.routes import ROUTES, For
from tests.security.town import ADMINS, AGENTS, Town


def test_no_id_of_one_company_opens_anything_for_the_other(town: Town) -> None:
    """Each id that a route names, alone among ids of one's own, and all together."""
    own, foreign = town.ids["other"], town.ids["acme"]
    theirs = {
        "conversation": foreign.conversation,
        "mailbox": foreign.mailbox,
        "entry": str(foreign.entry),
        "run": str(foreign.run),
        "undo": str(foreign.undo),
        **foreign.records,
    }
    kept = rows_of(town, "acme")
    for route in ROUTES:
        person = ADMINS["other"] if route.whom is For.ADMINS else AGENTS["other"]
        names = route.names_an_id()
        for some in [*([name] for name in names), names]:
            mixed = {name: theirs[name] for name in some}
            answer = visit(town, town.visitor(person), route, own, **mixed)
            assert answer.status_code == 404 or not some, (route.name, some, answer.text)
            assert foreign.customer.email not in answer.text
    assert town.calls("acme") == []
    assert {call["status"] for call in town.calls("other")} <= {200, 204}
    assert rows_of(town, "acme") == kept


def rows_of(town: Town, company: str) -> list[str]:
    """Every row that names this company."""
    return [line for line in dump(town) if f"'{company}'" in line]


def test_both_companies_on_one_org_use_their_own_grants(town: Town) -> None:
    """The org's log tells whose token a call carried: never the other company's."""
    eve = town.visitor(ADMINS["other"])
    town.connect(eve, org=town.orgs.production, user="integration", described=False)
    assert town.answer(eve, "use").status_code == 303
    row = town.current("other")
    assert row is not None
    assert row.org_id == town.orgs.production.organization_id
    with town.house.app.app_context():
        describe.describe(town.state, row.id)
    town.forget_calls()
    town.converse("other", "o-1", town.ids["acme"].customer)  # even for one and the same person
    users: dict[str, set[str]] = {}

    def whose(who: str) -> None:
        users[who] = {call["user"].partition("@")[0] for call in town.calls("acme")}
        town.forget_calls()

    for person, conversation in (("gus", "c-1"), ("otto", "o-1")):
        page = town.visitor(person).get(f"/salesforce/conversations/{conversation}")
        assert page.status_code == 200
        whose(person)
    for company, conversation in (("acme", "c-1"), ("other", "o-1")):
        town.arrive(company, town.desk.companies[company].conversations[conversation], number=2)
        found = town.current(company)
        assert found is not None
        with town.house.app.app_context():
            drain(town.state, found.id)
        whose(company)
    assert users == {"gus": {"admin"}, "otto": {"integration"}, "acme": {"admin"},
                     "other": {"integration"}}  # fmt: skip


@pytest.mark.parametrize("said", ["use", "drop"])
def test_a_login_that_waits_for_a_word_hears_its_own_company_alone(town: Town, said: str) -> None:
    """Another company's word is answered as one on a login that never was, and moves nothing."""
    town.connect(town.visitor(), org=town.orgs.sandbox, user="integration", described=False)
    (waiting,) = [row for row in town.connections() if not row.confirmed]
    assert waiting.company_id == "acme"
    town.forget_calls()
    before, answers = dump(town), []
    for connection_id in (waiting.id, 999_999):
        eve = town.visitor("eve")
        answer = eve.post(
            "/salesforce/settings/confirm", {"answer": said, "connection": str(connection_id)}
        )
        answers.append((answer.status_code, answer.location, eve.text()))
    assert answers[0] == answers[1]
    assert changed_tables(before, dump(town)) == set()
    assert town.calls("acme") == town.calls("other") == []


def test_apps_of_one_process_share_no_picklists(tmp_path: Path) -> None:
    """Their connections have the same number and their orgs the same describe."""
    asked = []
    for number in range(2):
        with open_inbox(f"sqlite:///{tmp_path / str(number)}.sqlite3") as inbox:
            inbox.connect()
            kinds = inbox.salesforce.org.schemas["Contact"].record_types
            own = next(kind for kind in kinds if kind.available and not kind.master)
            inbox.choose("Contact", "Name", "LeadSource")
            jane = inbox.salesforce.add(
                "Contact", LastName="Doe", Email=CUSTOMER.email, RecordTypeId=own.id
            )
            for _ in range(2):
                assert (
                    inbox.client().get(url(f"/Contact/{jane}/edit/LeadSource")).status_code == 200
                )
            asked.append(inbox.calls().count("picklist_values"))
    assert asked == [1, 1]


def test_an_offer_of_a_duplicate_serves_nobody_else(town: Town) -> None:
    """The ticket names company, agent, conversation and org."""
    control = town.org_of("acme").control
    control.duplicate_rule("Contact", "Same name", action="alert", match_on=["LastName"])
    control.create("Contact", LastName=f"Twin {town.run}")
    town.converse("acme", "c-2", None)
    town.converse("acme", "c-2", Address(f"twin-{town.run}@example.com"))
    gus = town.visitor("gus")
    refused = gus.client.post(
        "/salesforce/conversations/c-2/new/Contact",
        json={"fields": {"LastName": f"Twin {town.run}", "Email": f"twin-{town.run}@example.com"}},
        headers={"X-CSRFToken": town.csrf(gus), "Accept": "application/json"},
    )
    assert refused.status_code == 409, refused.text
    ticket = refused.json["duplicates"][0]["ticket"]
    town.forget_calls()
    for person, conversation in (("otto", "o-1"), ("eve", "o-1"), ("ada", "c-2"), ("gus", "c-1")):
        visitor = town.visitor(person)
        answer = visitor.client.post(
            f"/salesforce/conversations/{conversation}/use",
            data={"ticket": ticket},
            headers={"X-CSRFToken": town.csrf(visitor)},
        )
        assert answer.status_code == 404, (person, conversation)
    assert town.calls("acme") == town.calls("other") == []
    own = gus.client.post(
        "/salesforce/conversations/c-2/use",
        data={"ticket": ticket},
        headers={"X-CSRFToken": town.csrf(gus)},
    )
    assert own.status_code == 303
