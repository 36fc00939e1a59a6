from __future__ import annotations

from tests.blueprints.inbox import Inbox, url


def test_a_contact_is_shown(inbox: Inbox, jane: str) -> None:
    page = inbox.client().get(url())
    assert page.status_code == 200
    assert "Jane Doe" in page.text
    print(page.text)
