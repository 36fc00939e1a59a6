"""Duplicate rules."""

from __future__ import annotations

import pytest

from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import SaveOptions, User

JANE = {"LastName": "Doe", "Email": "jane@acme.example"}


def test_a_block_has_the_recorded_shape(org: Org, ann: User) -> None:
    """Including the service's own spelling of ``duplicateResut``."""
    message = "You're creating a duplicate record. We recommend you use an existing record instead."
    org.add_duplicate_rule(
        "Contact", "Contacts_DR", action="block", match_on=["Email"], message=message
    )
    known = org.create(ann, "Contact", JANE)
    with pytest.raises(OrgError) as refused:
        org.create(ann, "Contact", {"LastName": "X", "Email": "JANE@acme.example"})
    assert refused.value.status == 400
    (body,) = refused.value.body()
    assert list(body) == ["duplicateResut", "message", "errorCode"]
    assert (body["errorCode"], body["message"]) == ("DUPLICATES_DETECTED", message)
    result = body["duplicateResut"]
    assert result["allowSave"] is False
    assert result["duplicateRule"] == "Contacts_DR"
    assert result["duplicateRuleEntityType"] == "Contact"
    assert result["errorMessage"] == message
    (match,) = result["matchResults"]
    assert (match["entityType"], match["matchEngine"], match["size"], match["success"]) == (
        "Contact", "ExactMatchEngine", 1, True,
    )  # fmt: skip
    (found,) = match["matchRecords"]
    assert found["matchConfidence"] == 100.0
    assert found["record"] == {
        "attributes": {"type": "Contact", "url": f"/services/data/v66.0/sobjects/Contact/{known}"},
        "Id": known,
    }
    assert refused.value.row() == [
        {"statusCode": "DUPLICATES_DETECTED", "message": message, "fields": []}
    ]


def test_a_block_can_not_be_acknowledged(org: Org, ann: User) -> None:
    org.add_duplicate_rule("Contact", "R", action="block", match_on=["Email"])
    org.create(ann, "Contact", JANE)
    with pytest.raises(OrgError, match="DUPLICATES_DETECTED"):
        org.create(ann, "Contact", JANE, SaveOptions(allow_duplicates=True))


def test_an_alert_can(org: Org, ann: User) -> None:
    org.add_duplicate_rule("Contact", "R", action="alert", match_on=["Email"])
    org.create(ann, "Contact", JANE)
    with pytest.raises(OrgError) as refused:
        org.create(ann, "Contact", JANE)
    (body,) = refused.value.body()
    assert body["duplicateResut"]["allowSave"] is True
    assert org.create(ann, "Contact", JANE, SaveOptions(allow_duplicates=True))


def test_details_are_added_when_asked_for(org: Org, ann: User) -> None:
    org.add_duplicate_rule("Contact", "R", action="block", match_on=["Email"])
    org.create(ann, "Contact", JANE)
    with pytest.raises(OrgError) as refused:
        org.create(ann, "Contact", JANE, SaveOptions(include_record_details=True))
    record = refused.value.body()[0]["duplicateResut"]["matchResults"][0]["matchRecords"][0]
    assert record["record"]["LastName"] == "Doe"


def test_a_rule_across_objects(org: Org, ann: User) -> None:
    lead = org.create(ann, "Lead", {**JANE, "Company": "Acme"})
    org.add_duplicate_rule("Contact", "R", action="block", match_on=["Email"], match_object="Lead")
    with pytest.raises(OrgError) as refused:
        org.create(ann, "Contact", JANE)
    match = refused.value.body()[0]["duplicateResut"]["matchResults"][0]
    assert match["entityType"] == "Lead"
    assert match["matchRecords"][0]["record"]["Id"] == lead
    org.convert_lead(ann, lead)
    org.clear_rules()


def test_every_field_of_a_rule_has_to_match(org: Org, ann: User) -> None:
    org.add_duplicate_rule("Contact", "R", action="block", match_on=["LastName", "Title"])
    org.create(ann, "Contact", {"LastName": "Doe", "Title": "Boss"})
    org.create(ann, "Contact", {"LastName": "Doe", "Title": "Clerk"})
    org.create(ann, "Contact", {"LastName": "Doe"})
    with pytest.raises(OrgError, match="DUPLICATES_DETECTED"):
        org.create(ann, "Contact", {"LastName": "DOE", "Title": "boss"})


def test_edits_run_the_rules_too_and_a_record_is_no_duplicate_of_itself(
    org: Org, ann: User
) -> None:
    org.add_duplicate_rule("Contact", "R", action="block", match_on=["Email"])
    jane = org.create(ann, "Contact", JANE)
    other = org.create(ann, "Contact", {"LastName": "X"})
    org.update(ann, "Contact", jane, {"Title": "Boss"})
    with pytest.raises(OrgError, match="DUPLICATES_DETECTED"):
        org.update(ann, "Contact", other, {"Email": "jane@acme.example"})
    org.delete(ann, "Contact", jane)
    org.update(ann, "Contact", other, {"Email": "jane@acme.example"})


def test_a_rule_needs_fields_that_exist(org: Org) -> None:
    with pytest.raises(ValueError, match="Contact has no field Nope"):
        org.add_duplicate_rule("Contact", "R", action="block", match_on=["Nope"])
    with pytest.raises(ValueError, match="at least one field"):
        org.add_duplicate_rule("Contact", "R", action="block", match_on=[])
