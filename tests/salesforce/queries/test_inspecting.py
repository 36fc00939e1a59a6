"""What `inspect` does where the user may not read everything that refers to a record."""

from __future__ import annotations

import json
from urllib.parse import unquote_plus

import pytest

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.types import ObjectSchema, Related, Tokens
from tests.salesforce.byte_server import reply, says, serving
from tests.salesforce.conftest import LiveOrg, MemoryTokens


@pytest.fixture
def contact(org: LiveOrg) -> ObjectSchema:
    [described] = org.gateway.describe(["Contact"])
    assert described.schema is not None
    return described.schema


def test_what_cannot_be_read_is_named_and_does_not_count_as_absent(
    org: LiveOrg, contact: ObjectSchema
) -> None:
    person = org.add("Contact", LastName="Busy")
    org.add("Case", Subject="Broken", ContactId=person)
    secrets = [Related("Secret__c", "Person__c", "Secrets__r"), Related("Vault__c", "Owner__c")]
    found = org.gateway.inspect("Contact", [person], [*contact.related, *secrets])
    assert set(found.unreadable) == {"Secret__c", "Vault__c"}
    assert found.others == {person: ("Case",)}
    assert person in found.records


def test_an_answer_that_does_not_come_is_not_taken_for_a_missing_right(
    org: LiveOrg, contact: ObjectSchema
) -> None:
    person = org.add("Contact", LastName="Busy")
    org.control.fault("unavailable")
    with pytest.raises(SalesforceUnavailable):
        org.gateway.inspect("Contact", [person], contact.related)


def test_two_hundred_records_are_looked_at_in_one_request(
    org: LiveOrg, contact: ObjectSchema
) -> None:
    people = [org.add("Contact", LastName=f"P {number}") for number in range(200)]
    gateway = org.gateway_with()
    before = gateway.requests
    found = gateway.inspect("Contact", people, contact.related)
    assert gateway.requests == before + 1
    assert set(found.records) == set(people)


def test_a_contacts_relation_to_its_own_account_is_not_asked_for_and_one_to_another_is() -> None:
    person = "003dM00001wBXYDQA4"
    related = Related("AccountContactRelation", "ContactId", "AccountContactRelations")
    row = {"Id": person, related.name: {"totalSize": 1, "done": True, "records": [{"Id": "07k"}]}}
    answers = [
        {
            "referenceId": f"q{number}",
            "httpStatusCode": 200,
            "httpHeaders": {},
            "body": {"totalSize": len(rows), "done": True, "records": rows},
        }
        for number, rows in enumerate(([], [row]))
    ]
    with serving(says(reply(json.dumps({"compositeResponse": answers}).encode()))) as wire:
        tokens = Tokens("token", "5Aep", wire.url, wire.url, f"{wire.url}/id/00D/005")
        gateway = Gateway(MemoryTokens(tokens), Transport(allow_loopback=True), version="66.0")
        found = gateway.inspect("Contact", [person], [related])
    asked = unquote_plus(wire.requests[0].decode())
    assert "(SELECT Id FROM AccountContactRelations WHERE IsDirect = false LIMIT 1)" in asked
    assert found.others == {person: ("AccountContactRelation",)}
