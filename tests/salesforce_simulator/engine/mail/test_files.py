"""ContentVersion, ContentDocument and ContentDocumentLink (REFERENCE-2 section 5)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.org import Org
from salesforce_simulator.results import ALL_PERMISSIONS, User

from ..conftest import OrgMaker
from .conftest import Log, refused, rows

CONTENT = b"%PDF-1.7 an invoice"
Upload = Callable[..., str]


@pytest.fixture
def org(org: Org) -> Org:
    org.use_feature("files", {"junction_lists": True})
    return org


@pytest.fixture
def upload(org: Org, ann: User) -> Upload:
    """Uploads ``a.pdf``; the id of its version."""

    def create(content: bytes = CONTENT, user: User | None = None, **fields: Any) -> str:
        body = {"PathOnClient": "a.pdf", "VersionData": base64.b64encode(content).decode()}
        return org.create(user or ann, "ContentVersion", body | fields)

    return create


def document_of(org: Org, user: User, version: str) -> str:
    return str(
        org.read(user, "ContentVersion", version, ["ContentDocumentId"])["ContentDocumentId"]
    )


def links(org: Org, user: User, document: str) -> list[tuple[str, str]]:
    asked = "SELECT LinkedEntityId, ShareType FROM ContentDocumentLink WHERE ContentDocumentId ="
    found = rows(org, user, f"{asked} '{document}' ORDER BY Id")
    return [(row["LinkedEntityId"], row["ShareType"]) for row in found]


def test_an_org_has_no_files_until_it_is_told_to(make_org: OrgMaker) -> None:
    plain = make_org()
    ann = plain.add_user(username="a@example.com", email="a@example.com", last_name="A")
    assert not [name for name in plain.object_names(ann) if name.startswith("Content")]


def test_a_version_makes_its_document_and_links_it(
    org: Org, ann: User, upload: Upload, jane: str
) -> None:
    made = upload(FirstPublishLocationId=jane)
    found = org.read(ann, "ContentVersion", made)
    expected = {
        "Title": "a",  # assumed: the name without its ending
        "FileExtension": "pdf",
        "FileType": "PDF",
        "ContentSize": len(CONTENT),
        "Checksum": hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
        "IsLatest": True,
        "VersionNumber": "1",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["VersionData"] == f"{found['attributes']['url']}/VersionData"
    assert org.file_content(ann, made) == CONTENT
    document = found["ContentDocumentId"]
    assert document.startswith("069")
    assert made.startswith("068")
    # That the owner has a link of their own is assumed.
    assert links(org, ann, document) == [(ann.id, "I"), (jane, "V")]


def test_a_file_is_linked_again(org: Org, ann: User, upload: Upload, jane: str, leo: str) -> None:
    document = document_of(org, ann, upload(FirstPublishLocationId=jane))
    link = {"ContentDocumentId": document, "LinkedEntityId": leo, "ShareType": "V"}
    made = org.create(ann, "ContentDocumentLink", link | {"Visibility": "AllUsers"})
    assert made.startswith("06A")
    assert (leo, "V") in links(org, ann, document)
    entry = refused(lambda: org.create(ann, "ContentDocumentLink", link))
    assert entry.code == "DUPLICATE_VALUE"  # public clients


@pytest.mark.parametrize(("field", "value"), [("ShareType", "X"), ("Visibility", "Everybody")])
def test_share_type_and_visibility_are_restricted(
    org: Org, ann: User, upload: Upload, jane: str, field: str, value: str
) -> None:
    link = {"ContentDocumentId": document_of(org, ann, upload()), "LinkedEntityId": jane}
    entry = refused(lambda: org.create(ann, "ContentDocumentLink", link | {field: value}))
    assert entry.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_a_document_is_never_created_and_a_version_never_deleted(
    org: Org, ann: User, upload: Upload, jane: str
) -> None:
    assert refused(lambda: org.create(ann, "ContentDocument", {})).code == (
        "INVALID_TYPE_FOR_OPERATION"
    )
    made = upload(FirstPublishLocationId=jane)
    assert refused(lambda: org.delete(ann, "ContentVersion", made)).code == (
        "INVALID_TYPE_FOR_OPERATION"
    )
    document = document_of(org, ann, made)
    org.delete(ann, "ContentDocument", document)
    assert links(org, ann, document) == []
    asked = f"SELECT Id FROM ContentVersion WHERE Id = '{made}'"
    assert rows(org, ann, asked) == []


def test_another_version_of_a_document(org: Org, ann: User, upload: Upload) -> None:
    document = document_of(org, ann, upload())
    second = upload(b"other", ContentDocumentId=document, Title="New")
    asked = (
        "SELECT Id, IsLatest, VersionNumber FROM ContentVersion "
        f"WHERE ContentDocumentId = '{document}' ORDER BY VersionNumber"
    )
    found = rows(org, ann, asked)
    assert [(row["VersionNumber"], row["IsLatest"]) for row in found] == [("1", False), ("2", True)]
    shown = org.read(ann, "ContentDocument", document)
    assert (shown["LatestPublishedVersionId"], shown["Title"]) == (second, "New")


@pytest.mark.parametrize(
    ("fields", "code", "names"),
    [
        ({"VersionData": None}, "REQUIRED_FIELD_MISSING", ("VersionData",)),
        ({"PathOnClient": None}, "REQUIRED_FIELD_MISSING", ("PathOnClient",)),
        ({"VersionData": "no base64!"}, "JSON_PARSER_ERROR", None),
    ],
)
def test_what_an_upload_needs(
    upload: Upload, fields: dict[str, Any], code: str, names: tuple[str, ...] | None
) -> None:  # assumed
    entry = refused(lambda: upload(**fields))
    assert (entry.code, entry.fields) == (code, names)


LIMITS = [
    ({"blocked": ["exe", ".js"]}, {"PathOnClient": "run.EXE"}, "FILE_EXTENSION_NOT_ALLOWED"),
    ({"blocked": ["exe", ".js"]}, {"PathOnClient": "a.js"}, "FILE_EXTENSION_NOT_ALLOWED"),
    ({"block_html": True}, {"PathOnClient": "page.html"}, "HTML_FILE_UPLOAD_NOT_ALLOWED"),
    ({"block_html": True}, {"PathOnClient": "logo.svg"}, "HTML_FILE_UPLOAD_NOT_ALLOWED"),
    ({"largest_bytes": 10}, {}, "FILE_SIZE_LIMIT_EXCEEDED"),
    ({"file_storage_bytes": 25}, {}, "STORAGE_LIMIT_EXCEEDED"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "fields", "code"), LIMITS)
def test_what_an_org_does_not_let_in(
    org: Org, ann: User, upload: Upload, options: dict[str, Any], fields: dict[str, Any], code: str
) -> None:
    first = upload()
    org.use_feature("files", options)
    assert refused(lambda: upload(**fields)).code == code
    if code == "STORAGE_LIMIT_EXCEEDED":
        org.delete(ann, "ContentDocument", document_of(org, ann, first))
        assert upload()


def test_a_day_has_so_many_versions(org: Org, upload: Upload, clock: OrgClock) -> None:
    org.use_feature("files", {"versions_per_day": 2})
    upload()
    upload()
    assert refused(upload).message == "ContentPublication Limit exceeded."
    clock.advance(timedelta(days=1, seconds=1))
    assert upload()


def test_records_and_mail_bodies_fill_the_data_storage(
    org: Org, ann: User, log: Log
) -> None:  # documented sizes
    most, used = 10**9, 0
    org.use_feature("files", {"data_storage_bytes": most})
    used = org.storage()["data"][1]
    log(TextBody="x" * 100_000)
    assert org.storage()["data"] == (most, used + 100_000 + 2048 + 2048)
    org.use_feature("files", {"data_storage_bytes": used + 200_000})
    assert refused(lambda: log(TextBody="x" * 100_000)).code == "STORAGE_LIMIT_EXCEEDED"
    assert org.create(ann, "Contact", {"LastName": "Small"})


# -- files of emails and Tasks ---------------------------------------------------------------------


def test_files_of_a_sent_message_need_the_permission_or_a_mail_client(
    org: Org, ann: User, bob: User, log: Log, upload: Upload
) -> None:
    sent, managed = log(), log(IsClientManaged=True)
    entry = refused(lambda: upload(user=bob, FirstPublishLocationId=sent))
    assert entry.code == "INSUFFICIENT_ACCESS_OR_READONLY"
    made = upload(user=bob, FirstPublishLocationId=managed)
    document = document_of(org, bob, made)
    link = {"ContentDocumentId": document, "LinkedEntityId": sent}
    assert refused(lambda: org.create(bob, "ContentDocumentLink", link)).code == entry.code
    assert org.create(ann, "ContentDocumentLink", link)


def test_a_message_shows_its_files(org: Org, ann: User, log: Log, upload: Upload) -> None:
    first = document_of(org, ann, upload())
    message = log(ContentDocumentIds=[first])
    second = document_of(org, ann, upload(FirstPublishLocationId=message))
    shown = org.read(ann, "EmailMessage", message)
    assert shown["ContentDocumentIds"] == [first, second]
    assert shown["HasAttachment"] is True  # assumed
    for document in (first, second):
        org.delete(ann, "ContentDocument", document)
    assert org.read(ann, "EmailMessage", message)["HasAttachment"] is False


def test_a_task_has_files(org: Org, ann: User, upload: Upload, jane: str) -> None:
    task = org.create(ann, "Task", {"Subject": "x", "WhoId": jane})
    upload(FirstPublishLocationId=task)
    asked = (
        "SELECT ContentDocument.LatestPublishedVersion.Checksum FROM ContentDocumentLink "
        f"WHERE LinkedEntityId = '{task}'"
    )
    (row,) = rows(org, ann, asked)
    checksum = row["ContentDocument"]["LatestPublishedVersion"]["Checksum"]
    assert checksum == hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    children = "SELECT (SELECT ContentDocumentId FROM ContentDocumentLinks) FROM Task"
    assert rows(org, ann, children)[0]["ContentDocumentLinks"]["totalSize"] == 1


def test_a_merge_and_a_conversion_take_the_files_along(
    org: Org, ann: User, upload: Upload, jane: str, leo: str
) -> None:  # assumed of the conversion
    twin = org.create(ann, "Contact", {"LastName": "Doe"})
    both = document_of(org, ann, upload(FirstPublishLocationId=jane))
    link = {"ContentDocumentId": both, "LinkedEntityId": twin}
    org.create(ann, "ContentDocumentLink", link)
    other = document_of(org, ann, upload(FirstPublishLocationId=twin))
    org.merge(ann, "Contact", jane, twin)
    assert [entity for entity, _ in links(org, ann, both)] == [ann.id, jane]
    assert [entity for entity, _ in links(org, ann, other)] == [ann.id, jane]
    leads = document_of(org, ann, upload(FirstPublishLocationId=leo))
    made = org.convert_lead(ann, leo)
    assert [entity for entity, _ in links(org, ann, leads)] == [ann.id, made.contact_id]


# -- finding them ----------------------------------------------------------------------------------


def test_a_file_is_found_by_its_checksum(org: Org, ann: User, upload: Upload) -> None:
    made = upload()
    upload(b"other")
    checksum = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    asked = f"SELECT Id FROM ContentVersion WHERE Checksum = '{checksum}'"
    assert rows(org, ann, asked) == [{"Id": made}]


@pytest.mark.parametrize(
    ("where", "allowed"),
    [
        ("", False),
        (" WHERE ShareType = 'V'", False),
        (" WHERE LinkedEntityId != '003000000000001AAA'", False),
        (" WHERE LinkedEntityId = '003000000000001AAA' OR ShareType = 'V'", False),
        (" WHERE LinkedEntityId = '003000000000001AAA' AND ShareType = 'V'", True),
        (" WHERE LinkedEntityId IN ('003000000000001AAA', '003000000000002AAA')", True),
        (" WHERE ContentDocumentId = '069000000000001AAA'", True),
        (" WHERE Id = '06A000000000001'", True),
    ],
)
def test_links_are_asked_for_by_their_ends(org: Org, ann: User, where: str, allowed: bool) -> None:
    for select in ("Id", "COUNT()"):
        asked = f"SELECT {select} FROM ContentDocumentLink{where}"
        if allowed:
            assert org.query(ann, asked)["totalSize"] == 0
        else:
            assert refused(lambda soql=asked: org.query(ann, soql)).code == "MALFORMED_QUERY"


def test_an_open_question_shows_only_ones_own_files(org: Org, ann: User, upload: Upload) -> None:
    few = org.add_user(
        username="few@example.com",
        email="few@example.com",
        last_name="Few",
        permissions=ALL_PERMISSIONS - {"query_all_files"},
    )
    theirs, own = upload(), upload(user=few)
    assert rows(org, few, "SELECT Id FROM ContentVersion") == [{"Id": own}]
    assert org.query(few, "SELECT COUNT() FROM ContentVersion")["totalSize"] == 1
    assert rows(org, few, f"SELECT Id FROM ContentVersion WHERE Id = '{theirs}'") == [
        {"Id": theirs}
    ]
    assert len(rows(org, ann, "SELECT Id FROM ContentVersion")) == 2


def test_the_ids_of_mail_and_files_begin_as_the_services(org: Org, ann: User) -> None:
    prefixes = {
        name: org.describe(ann, name)["keyPrefix"]
        for name in ("EmailMessage", "EmailMessageRelation", "ContentVersion", "ContentDocument")
    }
    assert list(prefixes.values()) == ["02s", "0CZ", "068", "069"]
