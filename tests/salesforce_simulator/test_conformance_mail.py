"""Emails and files over HTTP: the order of one mail, its refusals, uploads of both kinds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page

from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.process import OrgProcess, RunningOrg

from .conftest import Api

CONTENT = b"%PDF-1.7 \x00\xff an invoice"
MESSAGE = {
    "Subject": "Where is my order?",
    "TextBody": "It is late.",
    "FromAddress": "jane@acme.example",
    "Incoming": True,
    "Status": "3",
    "IsClientManaged": True,
}


@pytest.fixture(scope="module")
def mail_process() -> Iterator[OrgProcess]:
    """An org with emails, Shared Activities and files."""
    with OrgProcess(options=["--feature", "mail", "--feature", "shared_activities"]) as process:
        control = process.production.control
        control.use_feature("mail", junction_lists=True)
        control.use_feature("files", blocked=["exe"], file_storage_bytes=10 * 1024**2)
        yield process


@pytest.fixture
def org(mail_process: OrgProcess) -> RunningOrg:
    mail_process.production.control.reset()
    return mail_process.production


@pytest.fixture(scope="module")
def connection(mail_process: OrgProcess) -> Iterator[Api]:
    found = Api(connect(mail_process, mail_process.production, user="admin"))
    yield found
    found.http.close()


@pytest.fixture
def api(org: RunningOrg, connection: Api) -> Api:
    """The administrator's connection to the org without rules."""
    return connection


def only(answer: requests.Response) -> tuple[int, str, str]:
    (entry,) = answer.json()
    return answer.status_code, entry["errorCode"], entry["message"]


# -- 3.3 -------------------------------------------------------------------------------------------


def test_a_mail_its_people_and_its_file_travel_in_one_composite(
    org: RunningOrg, api: Api, contact: str
) -> None:
    file = {
        "PathOnClient": "a.pdf",
        "VersionData": base64.b64encode(CONTENT).decode(),
        "FirstPublishLocationId": "@{m.id}",
    }
    person = {"EmailMessageId": "@{m.id}", "RelationId": contact, "RelationType": "FromAddress"}
    message = "sobjects/EmailMessage"
    answers = api.composite(
        {"method": "POST", "referenceId": "m", "url": message, "body": MESSAGE},
        {"method": "POST", "referenceId": "r", "url": f"{message}Relation", "body": person},
        {"method": "POST", "referenceId": "f", "url": "sobjects/ContentVersion", "body": file},
        {"method": "GET", "referenceId": "a", "url": f"{message}/@{{m.id}}?fields=ActivityId"},
        allOrNone=True,
    )
    assert [answer["httpStatusCode"] for answer in answers] == [201, 201, 201, 200]
    task = api.read("Task", answers[-1]["body"]["ActivityId"])
    assert (task["WhoId"], task["TaskSubtype"]) == (contact, "Email")
    assert org.control.counters()["api_requests"] >= 1


def test_a_refused_task_takes_the_message_along(org: RunningOrg, api: Api) -> None:
    org.control.validation_rule("Task", "TaskSubtype = 'Email'", "No mail here")
    assert only(api.post("sobjects/EmailMessage", MESSAGE)) == (
        400,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "No mail here",
    )


def test_a_sent_message_refuses_changes_in_the_services_words(api: Api) -> None:
    made = api.create("EmailMessage", **MESSAGE)
    assert only(api.patch(f"sobjects/EmailMessage/{made}", {"Subject": "x"})) == (
        400,
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "You cannot edit this field",
    )
    assert api.delete(f"sobjects/EmailMessage/{made}").status_code == 204
    again = api.delete(f"sobjects/EmailMessage/{made}")
    assert only(again) == (404, "ENTITY_IS_DELETED", "entity is deleted")


def test_control_verbs_undo_and_age(org: RunningOrg, api: Api) -> None:
    made = api.create("EmailMessage", **MESSAGE)
    api.delete(f"sobjects/EmailMessage/{made}")
    assert made in org.control.undelete(made)
    old = api.create("Task", Subject="x", Status="Completed", ActivityDate="2001-01-01")
    assert org.control.archive() == 1
    asked = f"SELECT IsArchived FROM Task WHERE Id = '{old}'"
    assert api.query(asked).json()["totalSize"] == 0
    assert api.query(asked, "queryAll").json()["records"][0]["IsArchived"] is True
    api.delete(f"sobjects/EmailMessage/{made}")
    assert org.control.empty_bin(days=-1) >= 1
    assert only(api.delete(f"sobjects/EmailMessage/{made}"))[1] == "NOT_FOUND"


def test_an_unknown_feature_or_option_is_refused(org: RunningOrg) -> None:
    with pytest.raises(Exception, match="mail has no options pigeons"):
        org.control.use_feature("mail", pigeons=True)


# -- 5: uploads ------------------------------------------------------------------------------------


def multipart(api: Api, path: str, parts: list[tuple[str, Any]]) -> Any:
    return api.post(path, files=parts)


def test_a_file_goes_up_as_base64_and_comes_down_as_it_was(api: Api) -> None:
    data = base64.b64encode(CONTENT).decode()
    made = api.create("ContentVersion", PathOnClient="a.pdf", VersionData=data)
    url = api.read("ContentVersion", made)["VersionData"]
    answer = api.get(url)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    (row,) = api.query(f"SELECT VersionData FROM ContentVersion WHERE Id = '{made}'").json()[
        "records"
    ]
    assert row["VersionData"] == url


def test_a_file_goes_up_in_a_multipart_body(api: Api, contact: str) -> None:
    entity = {"PathOnClient": "b.pdf", "Title": "b", "FirstPublishLocationId": contact}
    parts = [
        ("entity_content", (None, json.dumps(entity), "application/json")),
        ("VersionData", ("b.pdf", CONTENT, "application/octet-stream")),
    ]
    answer = multipart(api, "sobjects/ContentVersion", parts)
    assert answer.status_code == 201, answer.text
    url = f"sobjects/ContentVersion/{answer.json()['id']}/VersionData"
    assert api.get(url).content == CONTENT


def test_several_files_go_up_in_a_multipart_collection(api: Api) -> None:
    records = [
        {
            "attributes": {
                "type": "ContentVersion",
                "binaryPartName": f"part{number}",
                "binaryPartNameAlias": "VersionData",
            },
            "PathOnClient": f"{number}.txt",
        }
        for number in range(2)
    ]
    body = json.dumps({"allOrNone": False, "records": records})
    parts = [
        ("collection", (None, body, "application/json")),
        ("part0", ("0.txt", b"zero", "text/plain")),
        ("part1", ("1.txt", b"one", "text/plain")),
    ]
    rows = multipart(api, "composite/sobjects", parts).json()
    assert [row["success"] for row in rows] == [True, True]
    last = api.get(f"sobjects/ContentVersion/{rows[1]['id']}/VersionData")
    assert last.content == b"one"


def test_a_multipart_body_without_json_is_refused(api: Api) -> None:
    parts = [("VersionData", ("b.pdf", CONTENT, "application/octet-stream"))]
    assert only(multipart(api, "sobjects/ContentVersion", parts)) == (
        400,
        "INVALID_MULTIPART_REQUEST",
        "Multipart message must include a non-binary part",
    )


def test_a_body_of_json_has_at_most_50_megabytes(api: Api) -> None:
    raw = b'{"Subject":"' + b"x" * 52_428_800 + b'"}'
    assert only(api.post("sobjects/Task", raw=raw)) == (
        400,
        "JSON_PARSER_ERROR",
        "Maximum size of request reached. Maximum size of request is 52428800 bytes.",
    )


def test_blocked_types_are_refused(api: Api) -> None:
    data = base64.b64encode(b"MZ").decode()
    answer = api.post("sobjects/ContentVersion", {"PathOnClient": "a.exe", "VersionData": data})
    assert only(answer)[1] == "FILE_EXTENSION_NOT_ALLOWED"


def test_limits_tell_the_file_storage(api: Api) -> None:
    shown = api.get("limits").json()["FileStorageMB"]
    assert shown["Max"] == 10
    assert shown["Remaining"] <= 10


# -- the timeline of the pages ---------------------------------------------------------------------


def shown(org: RunningOrg, object_name: str, record_id: str) -> str:
    answer = requests.get(f"{org.base_url}/lightning/r/{object_name}/{record_id}/view", timeout=30)
    assert answer.status_code == 200, object_name
    return answer.text


def test_the_timeline_shows_direction_people_and_files(
    org: RunningOrg, api: Api, contact: str, address: str
) -> None:
    boss = org.control.create("Contact", LastName="Boss")
    received = api.create(
        "EmailMessage",
        **MESSAGE | {"FromId": contact, "CcIds": [boss], "ToAddress": "us@us.example"},
    )
    data = base64.b64encode(CONTENT).decode()
    file = {"PathOnClient": "bill.pdf", "VersionData": data, "FirstPublishLocationId": received}
    api.create("ContentVersion", **file)
    admin = org.control.query("SELECT Id FROM User LIMIT 1")[0]["Id"]
    sent = {"Subject": "Answer", "Status": "3", "FromId": admin, "ToIds": [contact]}
    api.create("EmailMessage", **sent)
    api.create("EmailMessage", **sent | {"Status": "5", "Subject": "Unsent"})
    logged = {"Subject": "Old", "TaskSubtype": "Email", "Status": "Completed", "WhoId": contact}
    api.create("Task", **logged)

    upcoming, past = shown(org, "Contact", contact).split("Past activity")
    assert '<span class="way">Draft</span>' in upcoming
    past = past.partition("</aside>")[0]
    for expected in (
        '<span class="way">Received</span> Jane Doe sent you an email',
        '<span class="way">Sent</span> You sent an email to Jane Doe',
        "Boss</a>",
        "us@us.example",
        f"bill.pdf ({len(CONTENT)} bytes)",
        "It is late.",
    ):
        assert expected in past, expected
    # A plain Task says of a received mail, too, that it was sent.
    old = past[past.index("Old") :]
    assert "You sent an email" in old
    assert "Received" not in old


def test_a_shared_task_shows_on_everybody(org: RunningOrg, api: Api, contact: str) -> None:
    other = org.control.create("Contact", LastName="Other")
    api.create("Task", Subject="Call both", TaskWhoIds=[contact, other])
    for person in (contact, other):
        text = shown(org, "Contact", person)
        assert "Call both" in text
        assert "With" in text


def test_emails_documents_and_relations_have_pages(org: RunningOrg, api: Api, contact: str) -> None:
    message = api.create("EmailMessage", **MESSAGE | {"ToIds": [contact]})
    data = base64.b64encode(CONTENT).decode()
    file = {"PathOnClient": "a.pdf", "VersionData": data, "FirstPublishLocationId": message}
    version = api.read("ContentVersion", api.create("ContentVersion", **file))
    text = shown(org, "EmailMessage", message)
    assert "<dd>Sent</dd>" in text  # the label of Status 3
    assert "<dd>Jane Doe</dd>" in text  # To
    assert "People" in text
    assert "Versions" in shown(org, "ContentDocument", version["ContentDocumentId"])
    shown(org, "ContentVersion", version["Id"])
    (relation,) = org.control.query(
        f"SELECT Id FROM EmailMessageRelation WHERE EmailMessageId = '{message}'"
    )
    shown(org, "EmailMessageRelation", relation["Id"])


@pytest.mark.parametrize("width", [360, 1280])
def test_the_timeline_fits_phones_and_wide_screens(
    org: RunningOrg,
    api: Api,
    contact: str,
    page: Page,
    axe: Callable[[Page], None],
    screenshot: Callable[[Page, str], Any],
    width: int,
) -> None:
    message = MESSAGE | {"FromId": contact, "ToAddress": f"{'a-long-name-' * 4}@us.example"}
    received = api.create("EmailMessage", **message)
    file = {"PathOnClient": f"{'a-long-name-' * 4}.pdf", "FirstPublishLocationId": received}
    api.create("ContentVersion", **file, VersionData=base64.b64encode(CONTENT).decode())
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{org.base_url}/lightning/r/Contact/{contact}/view")
    page.locator(".timeline .received .people").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe(page)
    screenshot(page, f"simulated-timeline-{width}")
