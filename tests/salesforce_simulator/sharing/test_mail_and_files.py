"""Mail and files go with the records they belong to."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import User

from .conftest import People

Level = Callable[[User, str], str]
MAIL = {"Subject": "Hi", "FromAddress": "jane@acme.example", "Status": "3", "IsClientManaged": True}


@pytest.fixture
def org(org: Org) -> Org:
    """The private org with emails and files."""
    org.use_feature("mail", {"junction_lists": True})
    org.use_feature("files", {})
    return org


def test_mail_of_a_case_is_seen_as_the_case(org: Org, people: People, access: Level) -> None:
    case = org.create(people.rep, "Case", {"Subject": "Broken"})
    mail = org.create(people.admin, "EmailMessage", {**MAIL, "ParentId": case})
    assert access(people.rep, mail) == "All"
    assert access(people.other, mail) == "None"


def test_other_mail_is_seen_as_its_task(
    org: Org, people: People, access: Level, contact: str
) -> None:
    mail = org.create(people.admin, "EmailMessage", {**MAIL, "ToIds": [contact]})
    assert access(people.rep, mail) == "Read"
    assert access(people.other, mail) == "None"
    with pytest.raises(OrgError, match="NOT_FOUND"):
        org.read(people.other, "EmailMessage", mail)


def test_mail_is_always_seen_by_who_made_it(org: Org, people: People, access: Level) -> None:
    mail = org.create(people.other, "EmailMessage", MAIL)
    assert access(people.other, mail) == "All"
    assert access(people.rep, mail) == "None"


def test_the_people_of_a_mail_go_with_it(org: Org, people: People, contact: str) -> None:
    org.create(people.admin, "EmailMessage", {**MAIL, "ToIds": [contact]})
    soql = "SELECT COUNT() FROM EmailMessageRelation"
    assert org.query(people.rep, soql)["totalSize"] >= 1
    assert org.query(people.other, soql)["totalSize"] == 0


def test_a_file_is_read_by_who_reads_its_record(
    org: Org, people: People, access: Level, contact: str
) -> None:
    body = {
        "Title": "a.txt",
        "PathOnClient": "a.txt",
        "VersionData": base64.b64encode(b"text").decode(),
        "FirstPublishLocationId": contact,
    }
    version = org.create(people.admin, "ContentVersion", body)
    assert access(people.rep, version) == "Read"
    assert access(people.other, version) == "None"
    assert org.file_content(people.rep, version) == b"text"
    with pytest.raises(OrgError, match="NOT_FOUND"):
        org.file_content(people.other, version)
    links = f"SELECT COUNT() FROM ContentDocumentLink WHERE LinkedEntityId = '{contact}'"
    assert org.query(people.rep, links)["totalSize"] == 1
    assert org.query(people.other, links)["totalSize"] == 0


def test_a_record_in_the_bin_comes_back_for_who_could_delete_it(
    org: Org, people: People, contact: str
) -> None:
    org.delete(people.rep, "Contact", contact)
    with pytest.raises(OrgError, match="NOT_FOUND"):
        org.undelete(people.other, contact)
    assert org.undelete(people.rep, contact)[0] == contact
