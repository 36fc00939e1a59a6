"""Editing in place: only what changed, nothing of somebody else's unseen, nothing typed lost."""

from __future__ import annotations

import html
import re
from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from keeping_plugin.errors import (
    Complaint,
    OutcomeUnclear,
    PermissionDenied,
    RecordChanged,
    RecordRejected,
    SalesforceError,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.models import AuditRecord, PanelCard, now
from keeping_plugin.services.panel import record_types
from tests.blueprints.inbox import CUSTOMER, Inbox, post, token, url
from tests.fake_salesforce.org import DuplicateRule

JSON = {"Accept": "application/json"}


def marks(page: str) -> dict[str, str]:
    """The hidden marks of what a form showed."""
    return dict(re.findall(r'name="(was_\w+)" value="(\w+)"', page))


def edit(client: FlaskClient, path: str, **fields: str) -> Any:
    """Open a form as a browser does, and send it with these fields changed."""
    form = client.get(url(path))
    assert form.status_code == 200, form.text
    sent = {f"sf_{name}": value for name, value in fields.items()}
    return post(client, path, {**marks(form.text), **sent})


@pytest.fixture
def client(inbox: Inbox, jane: str) -> FlaskClient:
    """A browser with the panel open."""
    client = inbox.client()
    assert client.get(url()).status_code == 200
    inbox.salesforce.calls.clear()
    return client


def test_the_form_opens_without_asking_salesforce(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    page = client.get(url(f"/Contact/{jane}/edit/Phone"))
    assert page.status_code == 200
    assert 'value="+31 20 555 0100"' in page.text
    assert inbox.calls() == []


def test_only_what_changed_is_sent(inbox: Inbox, jane: str, client: FlaskClient) -> None:
    answer = edit(client, f"/Contact/{jane}/edit", Phone="+1 1", Title="CEO", LastName="Doe")
    assert answer.status_code == 200
    assert inbox.calls() == ["read", "update", "panel"]
    assert inbox.salesforce.fields("Contact", jane)["Title"] == "CEO"
    with inbox.database.read() as session:
        row = session.scalars(select(AuditRecord)).one()
    assert (row.action, row.agent_id, row.object, row.record_id) == (
        "record_updated",
        "gus",
        "Contact",
        jane,
    )
    assert row.fields == ["Phone", "Title"]


def test_saving_goes_back_to_the_panel_beside_the_field(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    page = edit(client, f"/Contact/{jane}/edit/Title", Title="CEO").text
    assert "Title saved" in page
    assert 'aria-label="Edit Title: CEO" data-k-focus' in page


def test_nothing_changed_is_nothing_sent(inbox: Inbox, jane: str, client: FlaskClient) -> None:
    assert edit(client, f"/Contact/{jane}/edit").status_code == 303
    assert inbox.calls() == []


def test_a_fragment_saved_without_a_change_is_its_field_again(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    """With the focus on it, and without asking Salesforce."""
    path = f"/Contact/{jane}/edit/Phone"
    sent = marks(client.get(url(path)).text)
    answer = post(client, path, sent, headers={"X-Keeping-Fragment": "1"})
    assert (answer.status_code, inbox.calls()) == (200, [])
    assert 'aria-label="Edit Business Phone: +31 20 555 0100" data-k-focus' in answer.text


def test_what_does_not_fit_is_refused_before_salesforce_and_kept(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    page = edit(client, f"/Contact/{jane}/edit/Phone", Phone="9" * 41)
    assert page.status_code == 422
    assert "the limit is 40" in page.text
    assert "9" * 41 in page.text
    assert 'aria-invalid="true"' in page.text
    assert inbox.calls() == []


WORDS = "Titles are <b>not</b> “given” here"


@pytest.mark.parametrize(
    ("complaint", "beside", "sentence"),
    [
        (
            Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", WORDS, ("Title",)),
            True,
            "A validation rule in your Salesforce org does not allow this",
        ),
        (Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", WORDS), False, "A validation rule"),
        (Complaint("INVALID_FIELD_FOR_INSERT_UPDATE", WORDS, ("Title",)), True, "cannot edit"),
        (Complaint("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", WORDS), False, "An Apex trigger"),
        (Complaint("NEVER_HEARD_OF", WORDS, ("Fax",)), False, ""),
    ],
)
def test_salesforces_words_stand_verbatim_and_everything_typed_stays(
    inbox: Inbox,
    jane: str,
    client: FlaskClient,
    complaint: Complaint,
    beside: bool,
    sentence: str,
) -> None:
    inbox.salesforce.fail("update", RecordRejected(complaints=(complaint,)))
    page = edit(client, f"/Contact/{jane}/edit/Title", Title="Lord of the <Ring>")
    assert page.status_code == 422
    assert html.escape(WORDS, quote=False) in page.text
    assert "Lord of the &lt;Ring&gt;" in page.text
    assert sentence in html.unescape(page.text)
    assert ('Title-problem"' in page.text) is beside
    assert ('role="alert" tabindex="-1" data-k-focus' in page.text) is not beside
    assert inbox.salesforce.fields("Contact", jane).get("Title") is None


def test_both_values_are_shown_when_somebody_else_saved_the_field(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    path = f"/Contact/{jane}/edit/Phone"
    form = client.get(url(path)).text
    inbox.salesforce.update("Contact", jane, Phone="+49 theirs")
    page = post(client, path, {**marks(form), "sf_Phone": "+49 mine"})
    assert page.status_code == 409
    assert "Someone else changed this in the meantime" in page.text
    assert "+49 theirs" in page.text
    assert 'value="+49 mine"' in page.text
    assert inbox.salesforce.fields("Contact", jane)["Phone"] == "+49 theirs"
    # Having seen both, the agent may have his way.
    saved = post(client, path, {**marks(page.text), "sf_Phone": "+49 mine"})
    assert saved.status_code == 200
    assert inbox.salesforce.fields("Contact", jane)["Phone"] == "+49 mine"


def test_keep_theirs_shows_what_they_saved(inbox: Inbox, jane: str, client: FlaskClient) -> None:
    path = f"/Contact/{jane}/edit/Phone"
    sent = {**marks(client.get(url(path)).text), "sf_Phone": "+1 mine"}
    inbox.salesforce.update("Contact", jane, Phone="+49 theirs")
    assert post(client, path, sent).status_code == 409
    fragment = {"X-Keeping-Fragment": "1"}
    kept = client.get(url(f"/Contact/{jane}/field/Phone"), headers=fragment)
    assert "+49 theirs" in kept.text


def test_somebody_elses_other_field_is_neither_overwritten_nor_in_the_way(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    path = f"/Contact/{jane}/edit"
    form = client.get(url(path)).text
    inbox.salesforce.update("Contact", jane, Phone="+49 theirs")
    client.get(url())  # another agent's panel, which refreshes the card meanwhile
    sent = {**marks(form), "sf_Phone": "+31 20 555 0100", "sf_Title": "CEO"}
    assert post(client, path, sent).status_code == 200
    row = inbox.salesforce.fields("Contact", jane)
    assert (row["Phone"], row["Title"]) == ("+49 theirs", "CEO")


def test_a_change_between_the_look_and_the_write_is_seen(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    """Salesforce refuses with 412; the values are compared again before anything is written."""

    def meanwhile() -> None:
        inbox.clock.advance(5)
        inbox.salesforce.update("Contact", jane, Title="Theirs")

    inbox.salesforce.meanwhile("update", meanwhile)
    page = edit(client, f"/Contact/{jane}/edit/Title", Title="Mine")
    assert page.status_code == 409
    assert "Theirs" in page.text
    assert inbox.salesforce.fields("Contact", jane)["Title"] == "Theirs"


def test_an_unrelated_change_between_look_and_write_is_no_conflict(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    inbox.salesforce.fail("update", RecordChanged())
    assert edit(client, f"/Contact/{jane}/edit/Title", Title="Mine").status_code == 200
    assert inbox.calls() == ["read", "update", "read", "update", "panel"]


def test_a_save_without_an_answer_keeps_the_form_and_can_be_repeated(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    inbox.salesforce.fail("update", OutcomeUnclear(timed_out=True), after=True)
    page = edit(client, f"/Contact/{jane}/edit/Title", Title="CEO")
    assert page.status_code == 504
    assert "it is not known yet whether this was saved" in page.text
    again = post(client, f"/Contact/{jane}/edit/Title", {**marks(page.text), "sf_Title": "CEO"})
    assert again.status_code == 200
    assert inbox.calls() == ["read", "update", "read", "panel"]


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (SalesforceUnavailable(), 503, "Salesforce is not responding"),
        (PermissionDenied(), 403, "does not have permission"),
    ],
)
def test_whatever_goes_wrong_the_form_is_kept(
    inbox: Inbox,
    jane: str,
    client: FlaskClient,
    error: SalesforceError,
    status: int,
    words: str,
) -> None:
    inbox.salesforce.fail("read", error)
    page = edit(client, f"/Contact/{jane}/edit/Title", Title="CEO of all")
    assert page.status_code == status
    assert words in page.text
    assert "CEO of all" in page.text


def test_a_field_removed_in_salesforce_is_told_and_described_again(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    words = Complaint("INVALID_FIELD", "No such column 'Title' on sobject of type Contact")
    inbox.salesforce.fail("update", SchemaStale(complaints=(words,), field="Title"))
    page = edit(client, f"/Contact/{jane}/edit/Title", Title="CEO")
    assert page.status_code == 409
    assert "No such column" in page.text
    assert ("describe", inbox.connection_id) in inbox.queue.jobs


def test_every_record_of_the_panel_can_be_edited(inbox: Inbox) -> None:
    fake = inbox.salesforce
    account = fake.add("Account", Name="Acme", Industry="Construction")
    jane = fake.add("Contact", LastName="Doe", Email=CUSTOMER.email, AccountId=account)
    deal = fake.add("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2026-12-01")
    fake.add("OpportunityContactRole", ContactId=jane, OpportunityId=deal)
    case = fake.add("Case", Subject="Broken", Status="New", ContactId=jane)
    client = inbox.client()
    client.get(url())
    for path, change, field in (
        (f"/Account/{account}/edit/Name", "Acme & Sons", "Name"),
        (f"/Opportunity/{deal}/edit/CloseDate", "2027-01-31", "CloseDate"),
        (f"/Opportunity/{deal}/edit/Amount", "1,250.50", "Amount"),
        (f"/Case/{case}/edit/Subject", "Mended", "Subject"),
    ):
        answer = edit(client, path, **{field: change})
        assert answer.status_code == 200, (path, answer.text)
    assert fake.fields("Account", account)["Name"] == "Acme & Sons"
    assert fake.fields("Opportunity", deal)["Amount"] == 1250.5
    assert fake.fields("Case", case)["Subject"] == "Mended"


def test_a_compound_field_is_edited_by_its_parts(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    page = client.get(url(f"/Contact/{jane}/edit/MailingAddress")).text
    assert "<legend" in page
    answer = edit(client, f"/Contact/{jane}/edit/MailingAddress", MailingCity="Utrecht")
    assert answer.status_code == 200
    assert inbox.salesforce.fields("Contact", jane)["MailingCity"] == "Utrecht"
    assert edit(client, f"/Contact/{jane}/edit/Name", FirstName="Janet").status_code == 200
    assert inbox.salesforce.fields("Contact", jane)["FirstName"] == "Janet"


def test_what_cannot_be_edited_says_why(inbox: Inbox, jane: str) -> None:
    inbox.choose("Contact", "Email", "CreatedDate", "OwnerId")
    inbox.choose("Case", "CaseNumber", "Subject")
    inbox.salesforce.add("Case", CaseNumber="00001", ContactId=jane)
    page = inbox.client().get(url(), headers=JSON).json["match"]
    reasons = {row["name"]: row["reason"] for row in page["person"]["fields"]}
    assert reasons["Email"] is None
    assert reasons["CreatedDate"] == "Set by Salesforce"
    numbers = {row["name"]: row["reason"] for row in page["cases"][0]["fields"]}
    assert numbers["CaseNumber"] == "Numbered by Salesforce"
    answer = inbox.client().get(url(f"/Contact/{jane}/edit/CreatedDate"))
    assert answer.status_code == 400
    assert "Set by Salesforce" in answer.text


def test_a_person_accounts_name_is_written_on_its_account(inbox: Inbox) -> None:
    from tests.forms.samples import schema

    schemas = dict(inbox.salesforce.org.schemas)
    for name in ("Contact", "Account"):
        schemas[name] = schema(name, person_accounts=True)
    inbox.salesforce.org.schemas.update(schemas)
    inbox.describe(schemas)
    inbox.choose("Contact", "LastName", "Email", "Phone")  # without the Account it belongs to
    account = inbox.salesforce.add("Account", FirstName="Jane", LastName="Doe")
    jane = inbox.salesforce.add(
        "Contact",
        FirstName="Jane",
        LastName="Doe",
        Email=CUSTOMER.email,
        AccountId=account,
        IsPersonAccount=True,
    )
    client = inbox.client()
    assert client.get(url()).status_code == 200
    answer = edit(client, f"/Contact/{jane}/edit", LastName="Roe", Phone="+1 2")
    assert answer.status_code == 200, answer.text
    assert inbox.salesforce.fields("Account", account)["LastName"] == "Roe"
    assert inbox.salesforce.fields("Contact", jane)["Phone"] == "+1 2"


def test_a_lost_connection_is_said_not_hidden_behind_not_found(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    inbox.lose()
    for path in (f"/Contact/{jane}/edit", f"/Contact/{jane}/edit/Phone", "/new/Contact"):
        page = client.get(url(path))
        assert page.status_code == 503, path
        assert "An admin has to reconnect" in page.text


def test_an_old_card_is_read_again_before_anything_is_touched(
    inbox: Inbox, jane: str, client: FlaskClient
) -> None:
    with inbox.database.write() as session:
        card = session.scalars(select(PanelCard)).one()
        card.seen_at = now(session) - timedelta(minutes=16)
    inbox.salesforce.update("Contact", jane, Email="gone@example.com")
    assert client.get(url(f"/Contact/{jane}/edit")).status_code == 404
    assert inbox.calls() == ["panel"]


# What may not be touched -------------------------------------------------------------------------

BAD_IDS = (
    "003000000000001AAA",
    "//evil.example/x",
    "..%2FAccount%2F001",
    "003000000000001AAA%3F_HttpMethod=DELETE",
    "003",
    "%00",
    "003" + "x" * 500,
)


@pytest.mark.parametrize("record_id", BAD_IDS)
def test_a_foreign_record_is_not_there(inbox: Inbox, client: FlaskClient, record_id: str) -> None:
    for path in ("edit", "edit/Phone", "field/Phone"):
        answer = client.get(url(f"/Contact/{record_id}/{path}"))
        assert answer.status_code in (404, 308), path
    assert post(client, f"/Contact/{record_id}/edit/Phone", {"sf_Phone": "1"}).status_code in (
        404,
        405,
        308,
    )
    assert inbox.calls() == []


def test_a_record_of_somebody_else_is_refused_and_noted(inbox: Inbox, client: FlaskClient) -> None:
    other = inbox.salesforce.add("Contact", LastName="Roe", Email="other@example.com")
    answer = post(client, f"/Contact/{other}/edit/Phone", {"sf_Phone": "1"})
    assert answer.status_code == 404
    with inbox.database.read() as session:
        row = session.scalars(select(AuditRecord)).one()
    assert (row.action, row.detail) == ("denied", "edit_field")


@pytest.mark.parametrize("field", ["OwnerId", "Fax", "nope", "Id", "phone"])
def test_a_field_that_is_not_shown_is_not_written(
    inbox: Inbox, jane: str, client: FlaskClient, field: str
) -> None:
    answer = post(client, f"/Contact/{jane}/edit/{field}", {f"sf_{field}": "x"})
    assert answer.status_code == 404
    sent = {f"sf_{field}": "x", "was_Fax": "0", "sf_Title": "CEO"}
    assert post(client, f"/Contact/{jane}/edit", sent).status_code == 200
    assert inbox.salesforce.fields("Contact", jane).get("Fax") is None


@pytest.mark.parametrize("object", ["Task", "User", "Contact__c", "OpportunityContactRole"])
def test_only_the_panels_objects_exist(client: FlaskClient, jane: str, object: str) -> None:
    assert client.get(url(f"/{object}/{jane}/edit")).status_code == 404


def test_without_the_token_nothing_is_written(inbox: Inbox, jane: str, client: FlaskClient) -> None:
    for path in (f"/Contact/{jane}/edit/Phone", f"/Contact/{jane}/edit", "/pick", "/new/Contact"):
        assert client.post(url(path), data={"sf_Phone": "1"}).status_code == 400, path
    assert inbox.calls() == []


# JSON --------------------------------------------------------------------------------------------


def test_only_a_picklist_asks_what_the_record_type_offers(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when Salesforce does not say, the form opens with what the describe has."""
    # Of one process: what other tests have learned of the same describe stays out.
    monkeypatch.setattr(record_types, "_cache", OrderedDict())
    schema = inbox.salesforce.org.schemas["Contact"]
    own = next(kind for kind in schema.record_types if kind.available and not kind.master)
    inbox.choose("Contact", "Name", "Phone", "LeadSource", "RecordTypeId")
    jane = inbox.salesforce.add(
        "Contact", LastName="Doe", Email=CUSTOMER.email, RecordTypeId=own.id
    )
    client = inbox.client()
    client.get(url())
    inbox.salesforce.calls.clear()
    assert client.get(url(f"/Contact/{jane}/edit/Phone")).status_code == 200
    assert inbox.calls() == []
    inbox.salesforce.fail("picklist_values", SalesforceUnavailable("away"))
    assert client.get(url(f"/Contact/{jane}/edit/LeadSource")).status_code == 200
    assert inbox.calls() == ["picklist_values"]


def test_a_json_client_saves_anyway(inbox: Inbox, jane: str, client: FlaskClient) -> None:
    inbox.salesforce.org.duplicate_rules.append(DuplicateRule("Contact", ("Phone",)))
    inbox.salesforce.add("Contact", LastName="Other", Phone="+1 2")
    path = url(f"/Contact/{jane}/edit/Phone")
    headers = {**JSON, "X-CSRFToken": token(client)}
    body: dict[str, Any] = {"fields": {"Phone": "+1 2"}}
    assert client.post(path, json=body, headers=headers).status_code == 409
    saved = client.post(path, json={**body, "save_anyway": True}, headers=headers)
    assert saved.status_code == 200
    assert inbox.salesforce.fields("Contact", jane)["Phone"] == "+1 2"


def test_json_reads_and_writes_the_same_form(inbox: Inbox, jane: str, client: FlaskClient) -> None:
    path = url(f"/Contact/{jane}/edit/Phone")
    (phone,) = client.get(path, headers=JSON).json["fields"]
    assert (phone["name"], phone["type"], phone["value"]) == ("Phone", "phone", "+31 20 555 0100")
    headers = {**JSON, "X-CSRFToken": token(client)}
    body = {"fields": {"Phone": "+1 2"}, "seen": {"Phone": phone["seen"]}}
    saved = client.post(path, json=body, headers=headers)
    assert (saved.status_code, saved.json["state"]) == (200, "matched")
    inbox.salesforce.update("Contact", jane, Phone="+49 theirs")
    body = {"fields": {"Phone": "+1 3"}, "seen": {"Phone": phone["seen"]}}
    conflict = client.post(path, json=body, headers=headers)
    assert conflict.status_code == 409
    assert conflict.json["conflicts"] == [
        {"label": "Business Phone", "theirs": "+49 theirs", "yours": "+1 3"}
    ]
    body["seen"] = {"Phone": conflict.json["fields"][0]["seen"]}
    assert client.post(path, json=body, headers=headers).status_code == 200
    for bad in ("[1]", '"x"', "{", '{"fields": [1]}', '{"fields": {"Phone": {}}}', "[" * 20_000):
        answer = client.post(path, data=bad, content_type="application/json", headers=headers)
        assert answer.status_code == 400, bad[:40]
        assert answer.json["error"]["code"] == "invalid_input"


def test_rich_text_is_shown_formatted_and_edited_only_as_the_text_that_it_is(
    inbox: Inbox, jane: str
) -> None:
    schemas = dict(inbox.salesforce.org.schemas)
    fields = schemas["Contact"].fields
    rich = replace(fields["Description"], html_formatted=True, extra_type="richtextarea")
    schemas["Contact"] = replace(schemas["Contact"], fields={**fields, "Description": rich})
    inbox.salesforce.org.schemas.update(schemas)
    inbox.describe(schemas)
    inbox.choose("Contact", "Email", "Description")
    inbox.salesforce.update("Contact", jane, Description="<p>one</p><p>two &amp; 3</p>")
    client = inbox.client()
    path = f"/Contact/{jane}/edit/Description"
    assert "<p>two &amp; 3</p>" in client.get(url()).text
    assert "one\n\ntwo &amp; 3</textarea>" in client.get(url(path)).text
    assert edit(client, path, Description="one\r\n\r\ntwo & <4>").status_code == 200
    saved = inbox.salesforce.fields("Contact", jane)["Description"]
    assert saved == "<p>one</p><p>two &amp; &lt;4&gt;</p>"

    inbox.salesforce.update("Contact", jane, Description="<p>one <b>two</b></p><script>x</script>")
    page = client.get(url()).text
    assert "<p>one <b>two</b></p>" in page
    assert "<script>x" not in page
    assert f'href="https://acme.my.salesforce.com/lightning/r/Contact/{jane}/view"' in page
    assert 'aria-label="Edit Contact Description in Salesforce (new tab)"' in page
    assert f"{path}" not in page
    assert client.get(url(path)).status_code == 400
    assert "Description" not in client.get(url(f"/Contact/{jane}/edit")).text
