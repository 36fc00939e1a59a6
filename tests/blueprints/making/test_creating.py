"""The tab New records, without JavaScript: switches, reasons, and the fields of each form."""

from __future__ import annotations

from lxml import html
from sqlalchemy import select

from keeping_plugin.models import AuditRecord, CreatePolicy
from tests.blueprints.admin_side import SETTINGS, AdminSide

PAGE = f"{SETTINGS}creating"


def test_an_admin_switches_each_object_on_by_itself(side: AdminSide) -> None:
    ada = side.connect()
    page = html.fromstring(ada.get(PAGE).text)
    switches = page.xpath("//input[@role='switch']/@name")
    assert switches == [
        "allow-Account",
        "allow-Opportunity",
        "allow-Case",
        "allow-Note",
        "allow-Task",
    ]
    assert page.xpath("//input[@role='switch']/@checked") == []
    # Rules run unless they are turned off; that says nothing while the switch is off.
    ada.post(PAGE, {"allow-Case": "on", "assign-Case": "on"})
    ada.post(PAGE, {"allow-Case": "on"})
    ada.post(PAGE, {"allow-Case": "on"})
    with side.house.app.app_context(), side.state.database.read() as session:
        rows = session.scalars(select(CreatePolicy)).all()
        told = session.execute(
            select(AuditRecord.object, AuditRecord.detail).where(
                AuditRecord.action == "create_changed"
            )
        ).all()
    assert [(row.object, row.allowed, row.assigned) for row in rows] == [("Case", True, False)]
    assert list(map(tuple, told)) == [("Case", "allowed=on"), ("Case", "assigned=off")]
    assert "assignment rules no longer apply" in ada.text(f"{SETTINGS}audit")


def test_the_fields_of_a_form_start_as_what_agents_see_and_keep_what_is_required(
    side: AdminSide,
) -> None:
    ada = side.connect()
    form = f"{PAGE}/Opportunity"
    page = html.fromstring(ada.get(form).text)
    shown = page.xpath("//ul[@data-k-shown]//input[@name='fields']/@value")
    assert shown == ["Name", "StageName", "CloseDate", "Description", "Amount"]
    assert "Salesforce requires it to save an Opportunity." in ada.text(form)
    for implied in ("IsClosed", "ContactId"):
        assert not page.xpath(f"//input[@value='{implied}']"), "nobody fills it in"
    ada.post(form, {"fields": ["Amount", "NextStep"]})
    page = html.fromstring(ada.get(form).text)
    shown = page.xpath("//ul[@data-k-shown]//input[@name='fields']/@value")
    assert shown == ["Amount", "NextStep", "CloseDate", "Name", "StageName"]
    assert ada.get(f"{PAGE}/User").status_code == 404
    # The tab of what agents see is another choice.
    tab = html.fromstring(ada.get(f"{SETTINGS}fields/Opportunity").text)
    assert "NextStep" not in tab.xpath("//ul[@data-k-shown]//input[@name='fields']/@value")


def test_what_the_connected_user_may_not_create_has_no_switch_and_says_why(
    side: AdminSide,
) -> None:
    ada = side.visitor()
    assert "Connect Salesforce first." in ada.text(PAGE)
    org = side.orgs.production
    user = org.login("admin").username
    side.connect(ada)
    ada.post(PAGE, {"allow-Case": "on", "allow-Opportunity": "on"})
    org.control.object_rights(user, "Case", create=False)
    org.control.field_rights(user, "Opportunity", "ContactId", editable=False)
    side.connect(ada)
    page = html.fromstring(ada.get(PAGE).text)
    off = page.xpath("//input[@role='switch'][@disabled]/@name")
    assert off == ["allow-Opportunity", "allow-Case"]
    text = ada.text(PAGE)
    assert "Give the user create access to Case in a permission set." in text
    assert "cannot edit Opportunity.ContactId" in text
    ada.post(f"{SETTINGS}preflight")
    assert "cannot edit Opportunity.ContactId" in ada.text()
    # What was allowed before is allowed again once the right is back.
    ada.post(PAGE, {"allow-Task": "on"})
    org.control.object_rights(user, "Case", create=True)
    side.connect(ada)
    page = html.fromstring(ada.get(PAGE).text)
    on = page.xpath("//input[@role='switch'][@checked]/@name")
    assert on == ["allow-Opportunity", "allow-Case", "allow-Task"]
