"""What a host tells of its inbox, as hosts of 0.1.0 told it and as they tell it now."""

from __future__ import annotations

import pytest

from keeping_plugin import Address, Conversation, OpenedBy

ANNA = Address("anna@example.com", "Anna")


def test_who_opened_a_conversation_need_not_be_told() -> None:
    found = Conversation("c-1", "support", "Hello", "/c/1", customer=ANNA)
    assert (found.opened_by, found.customer) == (None, ANNA)


def test_a_host_that_still_tells_it_is_warned_at_its_own_line() -> None:
    with pytest.warns(DeprecationWarning, match="opened_by is ignored") as warned:
        found = Conversation("c-1", "support", "Hello", "/c/1", OpenedBy.CUSTOMER, ANNA)
    assert found.customer == ANNA
    assert warned[0].filename == __file__
