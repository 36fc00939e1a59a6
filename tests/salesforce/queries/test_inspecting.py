"""What `inspect` does where the user may not read everything that refers to a record."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.types import ObjectSchema, Related
from tests.salesforce.conftest import LiveOrg


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
