"""The inbox answers the plugin's questions, each within one company."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from demo.inbox.helpdesk import InboxHelpDesk
from keeping_plugin import Agent, Direction
from keeping_plugin.testing.contracts import HelpDeskCase, HelpDeskContract

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def desk(inbox: Flask) -> Iterator[InboxHelpDesk]:
    with inbox.app_context():
        yield InboxHelpDesk()


def test_nobody_is_logged_in_outside_a_request(desk: InboxHelpDesk) -> None:
    assert desk.current_agent() is None


def test_mailboxes_come_in_their_order(desk: InboxHelpDesk) -> None:
    assert [box.id for box in desk.mailboxes("outdoor")] == ["support", "sales", "billing"]
    assert desk.mailboxes("nobody") == []


def test_a_conversation_is_told_to_its_own_company_only(desk: InboxHelpDesk) -> None:
    found = desk.conversation("outdoor", "1")
    assert found is not None
    assert (found.id, found.mailbox_id) == ("1", "support")
    assert found.customer is not None
    assert found.customer.email == "anna.deboer@example.com"
    assert found.url.endswith("/conversations/1")
    assert desk.conversation("cycles", "1") is None
    elena = Agent("elena", "cycles", "Elena")
    assert not desk.may_view(elena, found)
    assert desk.may_view(Agent("tom", "outdoor", "Tom"), found)


@pytest.mark.parametrize("strange", ["", "x", "-1", "1.0", "١", "9" * 30, "1; DROP TABLE person"])
def test_an_id_that_is_none_finds_nothing(desk: InboxHelpDesk, strange: str) -> None:
    assert desk.conversation("outdoor", strange) is None


def test_messages_come_whole_and_missing_ones_are_left_out(desk: InboxHelpDesk) -> None:
    ids = ["support.seed-01", "support.seed-02", "never", "workshop.seed-18"]
    found = {message.message_id: message for message in desk.messages("outdoor", ids)}
    assert set(found) == {"support.seed-01", "support.seed-02"}
    first, second = found["support.seed-01"], found["support.seed-02"]
    assert first.text is not None
    assert first.text.startswith("Hello,")
    assert (first.direction, second.direction) == (Direction.INBOUND, Direction.OUTBOUND)
    assert (first.opens_conversation, second.opens_conversation) == (True, False)
    assert first.customer == second.customer
    assert first.sent_at.tzinfo is not None


def test_message_ids_page_through_a_mailbox_oldest_first(desk: InboxHelpDesk) -> None:
    whole = list(desk.message_ids("outdoor", "support", LONG_AGO))
    paged: list[str] = []
    while page := desk.message_ids(
        "outdoor", "support", LONG_AGO, after=paged[-1] if paged else None, limit=2
    ):
        assert len(page) <= 2
        paged += page
    assert paged == whole
    times = {m.message_id: m.sent_at for m in desk.messages("outdoor", whole)}
    assert [times[one] for one in whole] == sorted(times.values())
    day = datetime.now(UTC) - timedelta(hours=24)
    assert set(desk.message_ids("outdoor", "support", day)) < set(whole)
    assert desk.message_ids("cycles", "support", LONG_AGO) == []


def test_internal_addresses_are_the_companys_own(desk: InboxHelpDesk) -> None:
    internal = set(desk.internal_addresses("outdoor"))
    assert {"outdoor.example.com", "help@outdoor.example.com"} <= internal
    assert not internal & set(desk.internal_addresses("cycles"))
    assert desk.internal_addresses("nobody") == []
    assert desk.skipped_domains("outdoor") == desk.skipped_domains("nobody") == []


class TestTheContract(HelpDeskContract):
    """The suite that every host may inherit."""

    @pytest.fixture
    def case(self, desk: InboxHelpDesk) -> HelpDeskCase:
        return HelpDeskCase(
            helpdesk=desk,
            company_id="outdoor",
            other_company_id="cycles",
            mailbox_id="support",
            conversation_id="1",
            message_ids=("support.seed-01", "support.seed-02", "support.seed-03"),
            since=LONG_AGO,
            agent=Agent("tom", "outdoor", "Tom"),
            stranger=Agent("elena", "cycles", "Elena", is_admin=True),
        )
