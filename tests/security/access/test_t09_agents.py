"""T9: an agent changes what his conversation shows, in the fields an admin chose, and nothing else.

test_every_route.py has every route for every kind of person, test_t06_paths.py what is no id and no
name at all. Here are records and fields that do exist; and every refusal leaves its row.
"""

from __future__ import annotations

from keeping_plugin.services.people import finding
from keeping_plugin.types import Address
from tests.hosts.desk import PEOPLE
from tests.security.access.test_every_route import visit
from tests.security.routes import ROUTES, For
from tests.security.town import AGENTS, PRIVATE, Town


def denials(town: Town, company: str = "acme") -> list[tuple[str, str]]:
    return [(row.agent_id, row.detail) for row in town.audited(company) if row.action == "denied"]


def test_only_fields_that_are_shown_and_may_be_written_are_written(town: Town) -> None:
    """A field beside the form, a read-only one, one of another object: none is sent."""
    gus = town.visitor("gus")
    gus.get("/salesforce/conversations/c-1")
    at, jane = "/salesforce/conversations/c-1", town.ids["acme"].records["Contact"]
    answer = gus.client.post(
        f"{at}/Contact/{jane}/edit",
        headers={"X-CSRFToken": town.csrf(gus)},
        data={
            "sf_Title": "Head of Purchasing",
            "sf_OwnerId": "005000000000001AAA",
            "sf_Department": "not shown",
            "sf_Id": "003000000000001AAA",
            "sf_Industry": "an Account's",
        },
    )
    assert answer.status_code == 200
    names = "Title, Department, OwnerId"
    control = town.org_of("acme").control
    (row,) = control.query(f"SELECT {names} FROM Contact WHERE Id = '{jane}'")
    assert (row["Title"], row["Department"]) == ("Head of Purchasing", None)
    assert row["OwnerId"] != "005000000000001AAA"
    (written,) = [row for row in town.audited("acme") if row.action == "record_updated"]
    assert written.fields == ["Title"]


def test_only_the_conversations_address_goes_onto_the_record_that_was_chosen_for_it(
    town: Town,
) -> None:
    """By HTTP, in the card's request and one more, whatever else the agent sends."""
    control = town.org_of("acme").control
    name = f"Findable{town.run}"
    record = control.create("Contact", LastName=name, Email=f"{name}@old.example")
    other = Address(f"new-{town.run}@example.com", "New")
    town.converse("acme", "c-new", other)
    with town.house.app.app_context(), town.state.database.write() as session:
        finding.name_address_field(session, PEOPLE["ada"], "Contact", "Second_Email__c")
    gus, at = town.visitor("gus"), "/salesforce/conversations/c-new"
    headers = {"X-CSRFToken": town.csrf(gus)}
    sent = {"do": "add", "record": f"Contact/{record}", "sf_Email": "x@y.example", "field": "Email"}
    assert gus.client.post(f"{at}/address", headers=headers, data=sent).status_code == 404
    assert gus.get(f"{at}/find?q={name}").status_code == 200
    town.forget_calls()
    assert gus.client.post(f"{at}/address", headers=headers, data=sent).status_code == 200
    assert [call["method"] for call in town.calls("acme")][-1] == "PATCH"
    assert len(town.calls("acme")) == 2
    (row,) = control.query(f"SELECT Email, Second_Email__c FROM Contact WHERE Id = '{record}'")
    assert (row["Email"], row["Second_Email__c"]) == (f"{name}@old.example".lower(), other.email)
    written = [row for row in town.audited("acme") if row.action == "record_updated"]
    assert [(row.agent_id, row.record_id, row.fields) for row in written] == [
        ("gus", record, ["Second_Email__c"])
    ]


def test_a_read_only_field_says_so_and_asks_nobody(town: Town) -> None:
    gus = town.visitor("gus")
    gus.get("/salesforce/conversations/c-1")
    town.forget_calls()
    case = town.ids["acme"].records["Case"]
    answer = gus.client.post(
        f"/salesforce/conversations/c-1/Case/{case}/edit/CaseNumber",
        headers={"X-CSRFToken": town.csrf(gus)},
        data={"sf_CaseNumber": "1"},
    )
    assert answer.status_code in (400, 404)
    assert town.calls("acme") == []


def test_each_record_and_field_that_is_not_his_is_refused_and_leaves_a_row(town: Town) -> None:
    """404 for what is not shown here, 400 for what is read-only, 403 for what admins do."""
    gus = town.visitor("gus")
    at, ids = "/salesforce/conversations/c-1", town.ids["acme"].records
    foreign = town.ids["other"].records["Contact"]
    stranger = town.org_of("acme").control.create("Contact", LastName="Stranger")
    gus.get(at)
    town.forget_calls()
    asked = [
        ("POST", f"{at}/Contact/{foreign}/edit", 404, "edit_record"),
        ("POST", f"{at}/Contact/{stranger}/edit", 404, "edit_record"),
        ("POST", f"{at}/Contact/{ids['Contact']}/edit/OwnerId", 404, "edit_field"),
        ("GET", f"{at}/Contact/{ids['Contact']}/field/OwnerId", 404, "field"),
        ("POST", f"{at}/Case/{ids['Case']}/edit/CaseNumber", 400, "edit_field"),
        ("POST", f"{at}/pick", 404, "pick"),
        ("GET", f"{at}/new/Case", 404, "create"),
        ("GET", f"{at}/search/User?q=anybody", 404, "search"),
        ("POST", f"{at}/log/999999/retry", 404, "retry_entry"),
        ("POST", f"{at}/use", 404, "use"),
        ("GET", f"/salesforce/conversations/{PRIVATE}", 404, "panel"),
        ("POST", "/salesforce/settings/disconnect", 403, "disconnect"),
        ("GET", "/salesforce/settings/", 403, "settings"),
    ]
    for method, path, status, route in asked:
        before = denials(town)
        answer = gus.client.open(
            path,
            method=method,
            data={"record": f"Contact/{stranger}"} if method == "POST" else None,
            headers={"X-CSRFToken": town.csrf(gus)},
        )
        assert answer.status_code == status, (path, answer.text)
        assert denials(town) == [*before, ("gus", route)]
    assert town.calls("acme") == town.calls("other") == []


def test_every_settings_route_writes_down_the_agent_who_tried_it(town: Town) -> None:
    admins_only = [route for route in ROUTES if route.whom is For.ADMINS]
    for route in admins_only:
        visit(town, town.visitor(AGENTS["acme"]), route, town.ids["acme"])
    assert denials(town) == [("gus", route.endpoint) for route in admins_only]


def test_an_admin_who_tries_what_is_anothers_is_written_down_in_his_own_company(
    town: Town,
) -> None:
    eve, foreign = town.visitor("eve"), town.ids["acme"]
    headers = {"X-CSRFToken": town.csrf(eve)}
    eve.client.get(f"/salesforce/conversations/{foreign.conversation}")
    eve.client.get(f"/salesforce/settings/automation?mailbox={foreign.mailbox}")
    again = {"do": f"again:{foreign.entry}"}
    eve.client.post("/salesforce/settings/activity", data=again, headers=headers)
    tried = ["panel", "automation", "activity"]
    assert denials(town, "other") == [("eve", route) for route in tried]
    assert denials(town, "acme") == []
