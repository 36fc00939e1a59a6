"""EmailMessage: when it exists, its fields, what is filled in, and what may be changed (REFERENCE-2
3.1 to 3.3). Each row says what it rests on: recorded, documented, field (as practitioners state) or
assumed."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import User

from ..conftest import OrgMaker
from .conftest import RECEIVED, Log, refused, rows

FROZEN = ("INSUFFICIENT_ACCESS_OR_READONLY", "You cannot edit this field")

# -- 3.1 -------------------------------------------------------------------------------------------


def test_an_org_has_no_email_message_until_it_is_told_to(make_org: OrgMaker) -> None:
    plain = make_org()
    ann = plain.add_user(username="a@example.com", email="a@example.com", last_name="A")
    assert not {"EmailMessage", "EmailMessageRelation", "TaskRelation"} & set(
        plain.object_names(ann)
    )
    assert "EmailMessageRelations" not in str(plain.describe(ann, "Contact"))


def test_without_enhanced_email_only_mail_on_a_case_is_taken(
    org: Org, ann: User, log: Log, case: str, account: str
) -> None:
    org.use_feature("mail", {"enhanced": False})
    entry = refused(lambda: log(RelatedToId=account))
    assert (entry.code, entry.fields) == ("FIELD_INTEGRITY_EXCEPTION", ("ParentId",))  # assumed
    assert rows(org, ann, "SELECT Id FROM Task") == []
    assert log(ParentId=case)


def test_any_message_without_a_case_shows_that_enhanced_email_is_on(
    org: Org, ann: User, log: Log, case: str
) -> None:
    asked = "SELECT Id FROM EmailMessage WHERE ParentId = null LIMIT 1"
    log(ParentId=case)
    assert rows(org, ann, asked) == []
    made = log()
    assert rows(org, ann, asked) == [{"Id": made}]


# -- 3.2 -------------------------------------------------------------------------------------------

# field, type, length, createable, updateable, filterable, idLookup: recorded types, documented rest
FIELDS = [
    ("Subject", "string", 3000, True, True, True, False),
    ("TextBody", "textarea", 131_072, True, True, False, False),
    ("HtmlBody", "textarea", 131_072, True, True, False, False),
    ("Headers", "textarea", 32_000, True, True, False, False),
    ("FromAddress", "email", 1000, True, True, True, False),
    ("FromName", "string", 1000, True, True, True, False),
    ("ToAddress", "string", 4000, True, True, True, False),
    ("CcAddress", "string", 4000, True, True, True, False),
    ("BccAddress", "string", 4000, True, True, True, False),
    ("FromId", "reference", 18, True, False, True, False),
    ("Incoming", "boolean", 0, True, False, True, False),
    ("Status", "picklist", 40, True, True, True, False),
    ("MessageDate", "datetime", 0, True, True, True, False),
    ("RelatedToId", "reference", 18, True, True, True, False),
    ("ParentId", "reference", 18, True, False, True, False),
    ("ActivityId", "reference", 18, True, False, True, False),
    ("MessageIdentifier", "string", 765, True, True, True, True),
    ("ThreadIdentifier", "string", 765, True, True, True, True),
    ("ClientThreadIdentifier", "string", 765, True, True, True, False),
    ("ReplyToEmailMessageId", "reference", 18, True, False, True, False),
    ("IsClientManaged", "boolean", 0, True, False, True, False),
    ("IsExternallyVisible", "boolean", 0, True, True, True, False),
    ("HasAttachment", "boolean", 0, False, False, True, False),
    ("IsBounced", "boolean", 0, False, False, True, False),
    ("IsOpened", "boolean", 0, False, False, True, False),
    ("AttachmentIds", "string", 255, False, False, False, False),
    ("Source", "picklist", 255, True, False, True, False),
    ("ToIds", "junctionIdList", 0, True, True, False, False),
    ("CcIds", "junctionIdList", 0, True, True, False, False),
    ("BccIds", "junctionIdList", 0, True, True, False, False),
]


@pytest.mark.parametrize("row", FIELDS, ids=[row[0] for row in FIELDS])
def test_a_field_is_described_as_the_table_says(org: Org, ann: User, row: tuple[Any, ...]) -> None:
    described = org.describe(ann, "EmailMessage")
    field = next(f for f in described["fields"] if f["name"] == row[0])
    keys = ("name", "type", "length", "createable", "updateable", "filterable", "idLookup")
    assert tuple(field[key] for key in keys) == row
    required = field["createable"] and not (field["nillable"] or field["defaultedOnCreate"])
    assert not required  # nothing is required by flags but what an org adds


def test_the_lists_of_people_are_described_only_where_the_org_is_told_to(
    make_org: OrgMaker,
) -> None:
    org = make_org()
    ann = org.add_user(username="a@example.com", email="a@example.com", last_name="A")
    org.use_feature("mail", {})
    names = {field["name"] for field in org.describe(ann, "EmailMessage")["fields"]}
    assert not names & {"ToIds", "CcIds", "BccIds"}
    entry = refused(lambda: org.create(ann, "EmailMessage", RECEIVED | {"ToIds": [ann.id]}))
    assert entry.code == "INVALID_FIELD"


def test_a_message_keeps_what_it_was_given(org: Org, ann: User, log: Log) -> None:
    found = org.read(ann, "EmailMessage", log())
    given = RECEIVED | {"MessageDate": "2026-05-01T08:12:00.000+0000"}
    assert {name: found[name] for name in given} == given
    assert found["Name"] == RECEIVED["Subject"]
    assert found["IsExternallyVisible"] is True


def test_missing_text_is_made_of_the_html(org: Org, ann: User, log: Log) -> None:
    html = "<style>p{}</style><p>Hello &amp; hi<br>there</p><script>x()</script><div>Jane</div>"
    made = log(TextBody=None, HtmlBody=html)
    assert org.read(ann, "EmailMessage", made)["TextBody"] == "Hello & hi\nthere\nJane"
    both = log(TextBody="Mine", HtmlBody=html)
    assert org.read(ann, "EmailMessage", both)["TextBody"] == "Mine"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Status": "9"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),  # documented
        ({"Source": "Pigeon"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),  # documented
        ({"Subject": "x" * 3001}, "STRING_TOO_LONG"),  # documented
        ({"FromAddress": "nobody"}, "INVALID_EMAIL_ADDRESS"),  # documented
        ({"HasAttachment": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),  # documented
        ({"ToIds": "003000000000001"}, "JSON_PARSER_ERROR"),  # assumed: an array is expected
        ({"ToIds": ["001000000000001AAA"]}, "FIELD_INTEGRITY_EXCEPTION"),  # assumed
    ],
)
def test_what_a_field_does_not_take(log: Log, fields: dict[str, Any], code: str) -> None:
    assert refused(lambda: log(**fields)).code == code


def test_a_contact_or_lead_is_nothing_to_relate_a_message_to(
    log: Log, jane: str, leo: str
) -> None:  # documented: RelatedToId leads to many types, people are not among them
    for person in (jane, leo):
        assert refused(lambda p=person: log(RelatedToId=p)).fields == ("RelatedToId",)


def test_case_and_related_record_are_one(
    org: Org, ann: User, log: Log, case: str, account: str
) -> None:
    for given in ({"ParentId": case}, {"RelatedToId": case}):  # documented; assumed
        found = org.read(ann, "EmailMessage", log(**given))
        assert (found["ParentId"], found["RelatedToId"]) == (case, case)
    entry = refused(lambda: log(ParentId=case, RelatedToId=account))
    assert entry.code == "FIELD_INTEGRITY_EXCEPTION"  # assumed


def test_an_activity_is_given_only_to_mail_on_a_case(
    org: Org, ann: User, log: Log, case: str
) -> None:
    task = org.create(ann, "Task", {"Subject": "x"})
    assert refused(lambda: log(ActivityId=task)).code == FROZEN[0]  # field
    made = log(ActivityId=task, ParentId=case)
    assert org.read(ann, "EmailMessage", made)["ActivityId"] == task


def test_two_mailboxes_may_log_the_same_message(org: Org, ann: User, log: Log) -> None:
    first, second = log(), log()
    found = rows(
        org,
        ann,
        "SELECT Id FROM EmailMessage WHERE MessageIdentifier IN "
        "('<abc@acme.example>', 'abc@acme.example') ORDER BY Id",
    )
    assert [row["Id"] for row in found] == [first, second]


def test_an_upsert_by_message_id_inserts_and_does_not_update(org: Org, ann: User) -> None:
    body = {"Subject": "Hello", "Status": "3"}
    key = ("MessageIdentifier", "<once@acme.example>")
    _, created = org.upsert(ann, "EmailMessage", *key, body)
    assert created
    entry = refused(lambda: org.upsert(ann, "EmailMessage", *key, body))
    assert entry.code == FROZEN[0]  # documented that it is forbidden, the code assumed


def test_a_unique_field_of_ones_own_keeps_a_message_single(org: Org, ann: User, log: Log) -> None:
    field = {"name": "Key__c", "type": "string", "externalId": True, "unique": True}
    org.add_field("EmailMessage", field)  # assumed that EmailMessage may have one
    made = log(Key__c="k")
    assert refused(lambda: log(Key__c="k")).code == "DUPLICATE_VALUE"
    assert rows(org, ann, "SELECT Id FROM EmailMessage WHERE Key__c = 'k'") == [{"Id": made}]
    assert len(rows(org, ann, "SELECT Id FROM Task")) == 1  # none for the one that was refused


# -- 3.3: what may be changed ----------------------------------------------------------------------

# field, value, may be changed of: a sent message, one that a client manages, a draft
CHANGES = [
    ("Subject", "Other", False, False, True),  # documented
    ("TextBody", "Other", False, False, True),  # documented
    ("MessageDate", "2026-01-01T00:00:00Z", False, False, True),  # documented
    ("MessageIdentifier", "<x@y>", False, False, True),  # documented
    ("IsExternallyVisible", False, True, True, True),  # documented
    ("Rating__c", "5", True, True, True),  # documented: custom fields
    ("RelatedToId", "account", False, True, True),  # field
    ("Status", "1", False, False, True),  # documented: New to Read only
    ("ToIds", None, False, True, True),  # documented
]


@pytest.mark.parametrize("row", CHANGES, ids=[row[0] for row in CHANGES])
@pytest.mark.parametrize("state", ["sent", "managed", "draft"])
def test_a_message_can_be_changed_as_its_state_allows(
    org: Org, bob: User, log: Log, account: str, row: tuple[Any, ...], state: str
) -> None:
    org.add_field("EmailMessage", {"name": "Rating__c", "type": "string"})
    name, value, *allowed = row
    given = {"draft": {"Status": "5"}, "managed": {"IsClientManaged": True}}.get(state, {})
    made = log(bob, **given)
    body = {name: account if value == "account" else value}
    if allowed[("sent", "managed", "draft").index(state)]:
        org.update(bob, "EmailMessage", made, body)
        shown = org.read(bob, "EmailMessage", made)[name]
        assert shown == body[name] or str(shown)[:10] == str(body[name])[:10]
    else:
        entry = refused(lambda: org.update(bob, "EmailMessage", made, body))
        assert (entry.code, entry.message) == FROZEN
        assert entry.fields == (name,)


def test_a_new_message_can_be_marked_read_and_nothing_else(
    org: Org, ann: User, log: Log, case: str
) -> None:
    made = log(ParentId=case, Status="0")
    assert refused(lambda: org.update(ann, "EmailMessage", made, {"Status": "3"})).code == FROZEN[0]
    org.update(ann, "EmailMessage", made, {"Status": "1"})
    assert refused(lambda: org.update(ann, "EmailMessage", made, {"Status": "0"})).code == FROZEN[0]


def test_a_draft_that_was_sent_is_fixed(org: Org, ann: User, log: Log) -> None:
    made = log(Status="5")
    org.update(ann, "EmailMessage", made, {"Status": "3", "Subject": "Final"})
    with pytest.raises(OrgError):
        org.update(ann, "EmailMessage", made, {"Subject": "Not final"})
