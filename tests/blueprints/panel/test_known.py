"""The last known card, for the time until Salesforce has answered."""

from __future__ import annotations

from datetime import timedelta

from keeping_plugin.models import Connection, now
from tests.blueprints.inbox import AGENT, STRANGER, Inbox, url

KNOWN = url("?known=1")


def test_it_is_shown_without_asking_salesforce_to_whoever_may_see_the_conversation(
    inbox: Inbox, jane: str
) -> None:
    client = inbox.client()
    assert client.get(KNOWN).status_code == 204
    client.get(url())
    inbox.salesforce.calls.clear()
    page = client.get(KNOWN)
    assert (page.status_code, inbox.calls()) == (200, [])
    assert 'data-k-state="known"' in page.text
    assert "+31 20 555 0100" in page.text
    inbox.desk.agent = STRANGER
    assert client.get(KNOWN).status_code == 404
    inbox.desk.agent = None
    assert client.get(KNOWN).status_code == 401


def test_a_field_that_an_admin_took_away_is_not_shown(inbox: Inbox, jane: str) -> None:
    client = inbox.client(AGENT)
    client.get(url())
    inbox.choose("Contact", "Name", "Email")
    assert "+31 20 555 0100" not in client.get(KNOWN).text


def test_a_card_from_before_the_latest_login_is_not_shown(inbox: Inbox, jane: str) -> None:
    """Another Salesforce user may see less; and a lost connection shows nothing."""
    client = inbox.client()
    client.get(url())
    with inbox.database.write() as session:
        row = session.get_one(Connection, inbox.connection_id)
        row.connected_at = now(session) + timedelta(seconds=1)
    assert client.get(KNOWN).status_code == 204
    inbox.lose()
    assert client.get(KNOWN).status_code == 204
