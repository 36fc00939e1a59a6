"""Journeys 1 and 4: an admin connects, and disconnects."""

from __future__ import annotations

import time
from collections.abc import Callable

from demo import driving
from demo.headless import Browser
from tests.journeys.conftest import ADMIN, OTHER, House


def test_an_admin_connects_and_finds_both_automations_off(house: House) -> None:
    if house.is_connected():
        driving.disconnect(house.admin)
    assert "Only admins" in house.agent.get("/settings/integrations").text
    page = house.connect()
    assert "Example Outdoor Company" in page.text
    assert "admin@example.com" in page.text
    assert "Connected" in house.agent.get("/settings/integrations").text
    for name in ("Contact", "Lead", "Account", "Opportunity", "Case"):
        fields = house.admin.get(f"{driving.SETTINGS}fields/{name}")
        assert fields.document.xpath("//input[@type='checkbox']"), name


def test_agents_and_other_companies_stay_outside(connected: House) -> None:
    connected.agent.get(driving.SETTINGS, expect=403)
    with Browser(connected.demo.url) as elena:
        driving.log_in(elena, OTHER)
        assert "Add Integration" in elena.get("/settings/integrations").text
        elena.get("/salesforce/conversations/1", expect=404)


def test_denying_access_connects_nothing_and_says_so(house: House) -> None:
    if house.is_connected():
        driving.disconnect(house.admin)
    login = house.demo.org.production.login("integration")
    with Browser(house.demo.url) as maya:  # a browser that the org has not seen
        driving.log_in(maya, ADMIN)
        page = maya.get("/settings/integrations")
        page = maya.submit(page, page.form(action="/connect"))
        typed = {"username": login.username, "pw": login.password}
        page = maya.submit(page, page.form(button="Log In"), typed)
        page = maya.submit(page, page.form(button="Deny"), press="Deny")
    assert "Salesforce was not connected" in page.text
    assert not house.is_connected()


def test_disconnecting_stops_everything(connected: House, somebody: Callable[[], str]) -> None:
    """The panel disappears, nothing more is owed, no call is made, and the grant is gone."""
    waiting, _ = connected.deliver("milo.hartmann@example.com", subject="Still owed")
    assert connected.entries(waiting)["log_task"].state == "waiting"
    assert "keeping-panel" in connected.agent.get("/conversations/1").source
    page = driving.disconnect(connected.admin)
    assert "isconnect" in page.text
    end = time.monotonic() + 30
    while connected.org.tokens()["refresh_tokens"]:
        assert time.monotonic() < end, "the grant was not revoked"
        time.sleep(0.05)
    assert "keeping-panel" not in connected.agent.get("/conversations/1").source
    assert (entry := connected.entries(waiting)["log_task"]).state == "cancelled"
    assert entry.reason == "disconnected"
    connected.org.reset_log()
    message, _ = connected.deliver(somebody())
    assert connected.entries(message) == {}
    assert connected.org.counters()["data_round_trips"] == 0


def test_reconnecting_to_the_same_org_goes_on_where_it_stopped(
    connected: House, somebody: Callable[[], str]
) -> None:
    driving.disconnect(connected.admin)
    connected.connect()
    address = somebody()
    message, _ = connected.deliver(address)
    assert {entry.state for entry in connected.entries(message).values()} == {"done"}
    assert len(connected.contacts(address)) == 1
