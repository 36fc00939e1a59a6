"""Undo: the values before a save come back through a save, for the agent who saved them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.blueprints.inbox import AGENT, Inbox, post, url
from tests.blueprints.panel.test_edit import marks

FRAGMENT = {"X-Keeping-Fragment": "1"}


def saved(client: FlaskClient, path: str, **fields: str) -> str:
    """Save in the panel; the ticket that the answer offers."""
    form = client.get(url(path), headers=FRAGMENT).text
    sent = {**marks(form), **{f"sf_{name}": value for name, value in fields.items()}}
    answer = post(client, path, sent, headers=FRAGMENT)
    assert answer.status_code == 200, answer.text
    found = re.search(r'name="undo" value="([^"]+)"', answer.text)
    assert found is not None, answer.text
    return found[1]


def undo(client: FlaskClient, path: str, ticket: str) -> Any:
    return post(client, path, {"undo": ticket}, headers=FRAGMENT)


@pytest.fixture
def client(inbox: Inbox, jane: str) -> FlaskClient:
    client = inbox.client()
    assert client.get(url()).status_code == 200
    return client


def test_a_lookup_goes_back_to_a_record_that_nobody_searched_for(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    """Which an ordinary form refuses; and empty values come back empty."""
    path = f"/Contact/{jane}/edit/AccountId"
    before = inbox.salesforce.add("Account", Name="Acme")
    inbox.salesforce.update("Contact", jane, AccountId=before)
    client.get(url())
    ticket = saved(client, path, AccountId="")
    assert inbox.salesforce.fields("Contact", jane)["AccountId"] is None
    answer = undo(client, path, ticket)
    assert (answer.status_code, inbox.salesforce.fields("Contact", jane)["AccountId"]) == (
        200,
        before,
    )
    assert 'name="undo"' not in answer.text
    title = f"/Contact/{jane}/edit/Title"
    undo(client, title, saved(client, title, Title="CEO"))
    assert inbox.salesforce.fields("Contact", jane)["Title"] is None


def test_a_ticket_serves_one_agent_and_one_record(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    path = f"/Contact/{jane}/edit/Title"
    ticket = saved(client, path, Title="CEO")
    # The last letter but one: some bits of the last one mean nothing.
    other = "A" if ticket[-2] != "A" else "B"
    for forged in ("nonsense", ticket[:-2] + other + ticket[-1]):
        assert undo(client, path, forged).status_code == 400
    john = inbox.salesforce.add("Contact", LastName="Roe", Email="jane@acme.example")
    client.get(url())
    assert undo(client, f"/Contact/{john}/edit/Title", ticket).status_code == 400
    inbox.desk.agent = replace(AGENT, id="other")
    assert undo(client, path, ticket).status_code == 400
    assert inbox.salesforce.fields("Contact", jane)["Title"] == "CEO"
