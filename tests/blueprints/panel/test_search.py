"""Searching for a record to link to: counted, limited, audited; and a field takes nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from keeping_plugin.models import AuditRecord, Search
from keeping_plugin.services.operations.alarm import raise_alarms
from keeping_plugin.services.panel.lookup import A_MINUTE
from keeping_plugin.services.schema.selection import shown
from tests.blueprints.inbox import AGENT, CUSTOMER, Inbox, post, token, url

JSON = {"Accept": "application/json"}
COLLEAGUE = replace(AGENT, id="ann")


@pytest.fixture
def accounts(inbox: Inbox) -> list[str]:
    """Sixty companies, the first of which is Jane's."""
    inbox.choose("Contact", "AccountId", "Title")
    made = [inbox.salesforce.add("Account", Name=f"Company {n:02}") for n in range(60)]
    inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email, AccountId=made[0])
    return made


def jane(inbox: Inbox) -> str:
    (row,) = inbox.salesforce.org.rows["Contact"].values()
    return str(row["Id"])


def search(client: FlaskClient, text: str, **headers: str) -> TestResponse:
    return client.get(
        url(f"/search/Account?q={text}&field=AccountId&into=k-new"), headers={**JSON, **headers}
    )


def point(inbox: Inbox, client: FlaskClient, account: str) -> TestResponse:
    return post(client, f"/Contact/{jane(inbox)}/edit/AccountId", {"sf_AccountId": account})


def account_of_jane(inbox: Inbox) -> str:
    return str(inbox.salesforce.fields("Contact", jane(inbox))["AccountId"])


def searches(inbox: Inbox) -> list[Search]:
    with inbox.database.read() as session:
        return list(session.scalars(select(Search).order_by(Search.id)))


@pytest.mark.field_case("B7")
def test_fifty_three_searches_in_seven_seconds_are_held_back_written_down_and_told(
    inbox: Inbox, accounts: list[str]
) -> None:
    """On the first day, for one agent among many."""
    client = inbox.client()
    answers = [search(client, f"any {n:02}").status_code for n in range(53)]
    assert answers == [200] * A_MINUTE + [503] * (53 - A_MINUTE)
    assert inbox.calls().count("search") == A_MINUTE
    assert search(inbox.client(COLLEAGUE), "Company").status_code == 200, "a colleague goes on"
    assert [row.agent_id for row in searches(inbox)] == ["gus"] * 53 + ["ann"]
    with inbox.database.read() as session:
        trail = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "records_searched")
        ).all()
    assert len(trail) == A_MINUTE + 1
    assert {row.agent_id for row in trail} == {"gus", "ann"}
    assert not any("any" in f"{row.detail}{row.record_id}{row.fields}" for row in trail)
    (alarm,) = raise_alarms(inbox.database)
    assert (alarm.agent_id, alarm.company_id, alarm.requests) == ("gus", "acme", 53)
    assert raise_alarms(inbox.database) == [], "once a day"


@pytest.mark.field_case("B7")
def test_a_search_beyond_the_limit_says_so_and_leaves_the_list_where_it_is(
    inbox: Inbox, accounts: list[str]
) -> None:
    client = inbox.client()
    for _ in range(A_MINUTE):
        search(client, "Company")
    fragment = search(client, "Company", **{"X-Keeping-Fragment": "1", "Accept": "text/html"})
    assert fragment.status_code == 503
    assert 'id="k-new-found"' in fragment.text
    assert "searches a minute" in fragment.text
    said = search(client, "Company")
    assert said.json["error"]["code"] == "crowded"
    found = post(
        client,
        f"/Contact/{jane(inbox)}/edit/AccountId",
        {"q_AccountId": "What I typed", "find": "AccountId"},
    )
    assert found.status_code == 503
    assert "What I typed" in found.text


@pytest.mark.field_case("B15")
def test_a_lookup_takes_only_what_this_agents_own_search_returned(
    inbox: Inbox, accounts: list[str]
) -> None:
    client = inbox.client()
    before = account_of_jane(inbox)
    refused = point(inbox, client, accounts[7])
    assert refused.status_code == 422
    assert "None of your searches" in refused.text
    assert search(inbox.client(COLLEAGUE), "Company 07").json["records"][0]["id"] == accounts[7]
    assert point(inbox, inbox.client(), accounts[7]).status_code == 422, "a colleague's is not mine"
    assert account_of_jane(inbox) == before
    assert "Company 07" not in client.get(url()).text

    client = inbox.client()
    search(client, "Company 07")
    assert point(inbox, client, accounts[7]).status_code == 200
    assert account_of_jane(inbox) == accounts[7]
    assert point(inbox, client, accounts[0]).status_code == 422, "and back is a choice like any"
    assert point(inbox, client, accounts[7]).status_code == 303, "what stands there may stay"


@pytest.mark.field_case("B15")
def test_what_was_found_may_be_chosen_for_an_hour(inbox: Inbox, accounts: list[str]) -> None:
    client = inbox.client()
    search(client, "Company 07")
    with inbox.database.write() as session:
        row = session.scalars(select(Search)).one()
        row.at = row.at.replace(year=row.at.year - 1)
    assert point(inbox, client, accounts[7]).status_code == 422


@pytest.mark.field_case("B15")
def test_the_json_api_and_a_new_record_take_no_other_either(
    inbox: Inbox, accounts: list[str]
) -> None:
    client = inbox.client()
    headers = {**JSON, "X-CSRFToken": token(client)}
    at = url(f"/Contact/{jane(inbox)}/edit")
    said = client.post(at, json={"fields": {"AccountId": accounts[7]}}, headers=headers)
    assert said.status_code == 422
    assert "AccountId" in said.json["problems"]
    inbox.customer(replace(CUSTOMER, email="new@acme.example"))
    new = {"fields": {"LastName": "New", "Email": "new@acme.example", "AccountId": accounts[7]}}
    said = client.post(url("/new/Contact"), json=new, headers=headers)
    assert said.status_code == 422
    assert "create" not in inbox.calls()
    search(client, "Company 07")
    assert client.post(url("/new/Contact"), json=new, headers=headers).status_code == 200


@pytest.mark.field_case("B15")
def test_every_reference_of_every_form_asks_what_was_searched(inbox: Inbox) -> None:
    """Not AccountId alone: an owner, a parent, a report-to, whatever an admin ticks."""
    inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email)
    schemas = inbox.salesforce.org.schemas
    references = [
        name
        for name, spec in schemas["Contact"].fields.items()
        if spec.type == "reference" and spec.updateable and name != "RecordTypeId"
    ]
    inbox.choose("Contact", *references)
    with inbox.database.read() as session:
        assert set(references) <= set(shown(session, "acme", schemas)["Contact"])
    client = inbox.client()
    assert len(references) > 2
    for name in references:
        said = post(
            client, f"/Contact/{jane(inbox)}/edit/{name}", {f"sf_{name}": "001000000000123AAA"}
        )
        assert said.status_code == 422, name
        assert "None of your searches" in said.text, name
