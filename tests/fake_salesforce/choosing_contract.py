"""What every `SalesforceGateway` must do with people whom somebody searches for and chooses."""

from __future__ import annotations

import uuid

import pytest

from keeping_plugin.errors import InvalidInput, SchemaStale
from keeping_plugin.types import LeadMatch
from tests.fake_salesforce.org_under_test import OrgContract, OrgUnderTest, schemas_of, someone

FIELDS = {
    "Contact": ("Name", "Email", "Account.Name"),
    "Lead": ("Name", "Company"),
    "Account": ("Name", "Phone"),
}


class ChoosingContract(OrgContract):
    """Chosen records, what became of them, and the free search."""

    def test_the_chosen_are_found_whatever_their_address_in_the_same_request(
        self, org: OrgUnderTest
    ) -> None:
        one, two, three, gone = someone(), someone(), someone(), someone()
        first = org.add("Contact", LastName="One", Email=one)
        other = org.add("Contact", LastName="Other", Email=someone())
        nameless = org.add("Contact", LastName="Nobody")
        lead = org.add("Lead", LastName="Two", Company="Two Ltd")
        deleted = org.add("Contact", LastName="Gone")
        org.delete("Contact", deleted)
        gateway = org.gateway
        before = gateway.requests
        found = gateway.find(
            [one, two, three, gone],
            chosen={one: other, two: lead, three: nameless, gone: deleted},
        )
        assert gateway.requests == before + 1
        assert {key: {one.id for one in people} for key, people in found.people.items()} == {
            one: {first, other},
            two: {lead},
            three: {nameless},
        }

    def test_the_panel_shows_the_chosen_whatever_its_address_in_one_request(
        self, org: OrgUnderTest
    ) -> None:
        address, gateway = someone(), org.gateway
        schemas = schemas_of(gateway)
        account = org.add("Account", Name="Chosen Ltd")
        contact = org.add("Contact", LastName="Chosen", AccountId=account)
        lead = org.add("Lead", LastName="Chosen", Company="Chosen Ltd", Email=someone())
        fields = {"Contact": ["Name"], "Lead": ["Name"], "Account": ["Name"]}
        before = gateway.requests
        [shown] = gateway.panel(address, schemas, fields, chosen=contact)
        assert gateway.requests == before + 1
        assert (shown.contact.id, shown.account.id) == (contact, account)  # type: ignore[union-attr]
        [shown] = gateway.panel(address, schemas, fields, chosen=lead)
        assert shown.lead.id == lead  # type: ignore[union-attr]
        became = org.convert(lead)
        [shown] = gateway.panel(address, schemas, fields, chosen=lead)
        assert shown.contact.id == became  # type: ignore[union-attr]

    def test_other_fields_find_in_place_of_email(self, org: OrgUnderTest) -> None:
        one, two, odd = someone(), someone(), f"o'b%_{someone()}"
        second = {"Contact": ["Second_Email__c"], "Lead": ["Email"]}
        upper = org.add("Contact", LastName="Other", Second_Email__c=one.upper())
        org.add("Contact", LastName="Email", Email=one)
        lead = org.add("Lead", LastName="Lead", Company="C", Email=one)
        quoted = org.add("Contact", LastName="Quote", Second_Email__c=odd)
        gateway = org.gateway
        before = gateway.requests
        found = gateway.find([one, two, odd], fields=second).people
        assert gateway.requests == before + 1
        assert {key: {(one.id, one.by) for one in people} for key, people in found.items()} == {
            one: {(upper, "Second_Email__c"), (lead, "Email")},
            odd: {(quoted, "Second_Email__c")},
        }
        with pytest.raises(SchemaStale) as stale:
            gateway.find([one], fields={"Contact": ["Second_Email__c", "Gone__c"]})
        assert stale.value.field == "Gone__c"

    def test_the_panel_asks_other_fields_where_email_found_no_contact(
        self, org: OrgUnderTest
    ) -> None:
        others = {"Contact": ["Second_Email__c"]}
        gateway = org.gateway
        schemas = schemas_of(gateway)
        fields = {"Contact": ["Name", "Email"], "Lead": ["Name"], "Account": ["Name"]}

        def asked(address: str) -> tuple[list[tuple[str, str]], int]:
            before = gateway.requests
            found = gateway.panel(address, schemas, fields, others=others)
            people = [(one.lead if isinstance(one, LeadMatch) else one.contact) for one in found]
            told = [(record.id, one.by) for record, one in zip(people, found, strict=True)]
            return told, gateway.requests - before

        address = f"O'Neil%{someone()}"
        assert asked(address) == ([], 2)
        account = org.add("Account", Name="Second Ltd")
        second = org.add(
            "Contact", LastName="Second", Second_Email__c=address.upper(), AccountId=account
        )
        assert asked(address) == ([(second, "Second_Email__c")], 2)
        [shown] = gateway.panel(address, schemas, fields, others=others)
        assert shown.account.id == account  # type: ignore[union-attr]
        # A Contact comes before a Lead, whichever field has the address.
        lead = org.add("Lead", LastName="Lead", Company="C", Email=address)
        assert asked(address) == ([(second, "Second_Email__c"), (lead, "")], 2)
        [shown] = gateway.panel(address, schemas, fields, others=others, chosen=lead)
        assert shown.lead.id == lead  # type: ignore[union-attr]
        email = org.add("Contact", LastName="Email", Email=address)
        assert asked(address) == ([(email, ""), (lead, "")], 1)

    def test_what_was_merged_or_converted_is_followed(self, org: OrgUnderTest) -> None:
        stays, loser = (org.add("Contact", LastName=name) for name in ("Stays", "Loser"))
        first, second = (org.add("Lead", LastName=name, Company="C") for name in ("1", "2"))
        deleted = org.add("Contact", LastName="Deleted")
        org.merge("Contact", stays, loser)
        org.merge("Lead", second, first)
        became = org.convert(second)
        org.delete("Contact", deleted)
        assert org.gateway.successors([loser, first, deleted]) == {loser: stays, first: became}

    def test_a_text_finds_people_and_accounts_by_name_address_and_phone(
        self, org: OrgUnderTest
    ) -> None:
        name, address = f"Q{uuid.uuid4().hex[:9]}", someone()
        phone = str(uuid.uuid4().int)[:9]
        account = org.add("Account", Name=f"{name} Ltd", Phone=f"+49 {phone}")
        contact = org.add("Contact", LastName=name, Email=address, AccountId=account)
        lead = org.add("Lead", LastName="Lead", Company=f"{name} Inc")
        org.convert(org.add("Lead", LastName=name, Company="Converted", Email=someone()))
        gateway = org.gateway
        before = gateway.requests
        found = gateway.find_by_text(f"{name[:7]}", FIELDS, limit=2)
        assert gateway.requests == before + 1
        told = {record.id: record for record in found}
        assert {contact, lead, account} <= told.keys()
        assert told[contact].fields["Account.Name"] == f"{name} Ltd"
        assert {one.id for one in gateway.find_by_text(address, FIELDS)} == {contact}
        assert {one.id for one in gateway.find_by_text(phone, FIELDS)} == {account}
        assert not gateway.find_by_text(f"{name} and Or NOT {{}}*\"'\\ Nowhere", FIELDS)

    def test_a_text_without_words_is_no_search(self, org: OrgUnderTest) -> None:
        for text in ("***", "a b c", "\x00abc"):
            with pytest.raises(InvalidInput):
                org.gateway.find_by_text(text, FIELDS)
