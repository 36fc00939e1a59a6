"""T8: no id, token or offer of one company serves another.

Two companies, every route that names an id, every id; the orgs' logs tell whose token a call
carried. test_every_route.py has the people who may not come in at all.
"""

from __future__ import annotations

from keeping_plugin.services import schema
from keeping_plugin.types import Address
from tests.security.dumps import dump
from tests.security.routes import ROUTES, For
from tests.security.test_every_route import visit
from tests.security.town import ADMINS, AGENTS, Town


def test_no_id_of_one_company_opens_anything_for_the_other(town: Town) -> None:
    """Each id that a route names, alone among ids of one's own, and all together."""
    own, foreign = town.ids["other"], town.ids["acme"]
    theirs = {
        "conversation": foreign.conversation,
        "mailbox": foreign.mailbox,
        "entry": str(foreign.entry),
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
        schema.describe(town.state.schemas, row.id)
    town.forget_calls()
    town.converse("other", "o-1", town.ids["acme"].customer)  # even for one and the same person
    users = {}
    for person, conversation in (("gus", "c-1"), ("otto", "o-1")):
        page = town.visitor(person).get(f"/salesforce/conversations/{conversation}")
        assert page.status_code == 200
        users[person] = {call["user"].partition("@")[0] for call in town.calls("acme")}
        town.forget_calls()
    assert users == {"gus": {"admin"}, "otto": {"integration"}}


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
