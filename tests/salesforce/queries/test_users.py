"""Agents as users of an org that tells more of its users, or has more kinds of them."""

from __future__ import annotations

from collections.abc import Callable

from salesforce_simulator.process import OrgProcess
from tests.salesforce.conftest import CALLBACK, LiveOrg


def test_federation_ids_count_and_portal_users_do_not(start_org: Callable[..., OrgProcess]) -> None:
    process = start_org()
    process.production.control.allow_redirect(CALLBACK)
    org = LiveOrg(process, process.production)
    address = "ann@agents.example"
    ann = org.add_user("a.lee@acme.example", name="Ann")
    org.add_user("portal@acme.example", name="Portal", email=address)
    org.control.change_user("portal@acme.example", user_type="PowerPartner")
    assert [user.id for user in org.gateway.users([address])] == []
    org.control.change_user("a.lee@acme.example", federation_id=address)
    [user] = org.gateway.users([address])
    assert (user.id, user.federation_id) == (ann, address)
    assert [found.id for found in org.gateway.users_named("Portal")] == []
