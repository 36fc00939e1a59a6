"""After connecting: three next steps; the tab of Contacts with its preview and the activities; and
the list of skipped domains, which stays in view."""

from __future__ import annotations

from lxml import html
from sqlalchemy import select

from keeping_plugin.models import AuditRecord, Connection, FieldSelection, PanelCard, now
from tests.blueprints.admin_side import SETTINGS, AdminSide, Visitor

CONTACT = f"{SETTINGS}fields/Contact"
AUTOMATION = f"{SETTINGS}automation"


def steps(ada: Visitor) -> list[bool]:
    """Which steps are done; [] when they are not shown."""
    page = html.fromstring(ada.get(SETTINGS).text)
    found = page.xpath("//section[@aria-labelledby='k-steps']//li/@class")
    return ["ks-check--passed" in one for one in found]


def test_three_next_steps_stand_on_the_page_until_they_are_done(side: AdminSide) -> None:
    ada = side.connect()
    assert steps(ada) == [False, False, False]
    ada.post(CONTACT, {"fields": ["Title"]})
    assert steps(ada) == [True, False, False]
    ada.post(f"{AUTOMATION}?mailbox=support", {"log_tasks": "on"})
    assert steps(ada) == [True, True, False]
    with side.house.app.app_context(), side.state.database.write() as session:
        connection_id = session.scalars(select(Connection.id)).one()
        card = {"connection_id": connection_id, "address": "a@b.example", "card": []}
        session.add(PanelCard(**card, seen_at=now(session)))
    assert steps(ada) == []


def test_the_preview_follows_every_step_without_javascript(side: AdminSide) -> None:
    ada = side.connect()
    answer = ada.post(CONTACT, {"fields": ["LastName", "Email", "Title"], "do": "top:Title"})
    preview = html.fromstring(answer.text).xpath("//*[@data-k-preview]//dt")
    assert [label.text for label in preview] == ["Title", "Last Name", "Email"]


def test_activities_are_a_tick_on_the_tab_of_contacts(side: AdminSide) -> None:
    ada = side.connect()

    def chosen() -> list[str] | None:
        with side.house.app.app_context(), side.state.database.read() as session:
            query = select(FieldSelection.fields).where(FieldSelection.object == "Task")
            return session.scalar(query)

    assert "Latest activities" not in ada.text(f"{SETTINGS}fields/Case")
    step = {"fields": ["Title"], "optional": "Task", "do": "search"}
    page = html.fromstring(ada.post(CONTACT, step).text)
    assert page.xpath("//input[@name='optional']/@checked"), "a step keeps it"
    assert chosen() is None
    ada.post(CONTACT, {"fields": ["Title"], "optional": "Task"})
    assert "Subject" in (chosen() or [])
    ada.post(CONTACT, {"fields": ["Title", "Phone"], "optional": "Task"})
    ada.post(CONTACT, {"fields": ["Title"]})
    assert chosen() == []
    with side.house.app.app_context(), side.state.database.read() as session:
        about = select(AuditRecord).where(AuditRecord.object == "Task")
        rows = session.scalars(about.where(AuditRecord.action == "fields_chosen")).all()
    assert [row.fields is None for row in rows] == [False, True]


def test_the_skip_list_comes_back_to_where_the_admin_was(side: AdminSide) -> None:
    ada = side.visitor()
    skip = f"{AUTOMATION}/skip"
    assert ada.post(skip, {"domains": "acme.com"}).location.endswith("#k-domains")
    place = ada.post(skip, {"do": "unlog:acme.com"}).location.partition("#")[2]
    page = html.fromstring(ada.get(AUTOMATION).text)
    assert page.get_element_by_id(place).get("value") == "log:acme.com"
    assert ada.post(skip, {"do": "remove:acme.com"}).location.endswith("#k-skip")
    refused = html.fromstring(ada.post(skip, {"domains": "@"}).text)
    assert refused.xpath("//textarea[@autofocus]/@aria-invalid") == ["true"]
