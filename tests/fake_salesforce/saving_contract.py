"""What the saving verbs of every `SalesforceGateway` must do."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from keeping_plugin.errors import (
    CallNotStarted,
    DuplicatesFound,
    InvalidInput,
    RecordChanged,
    RecordNotFound,
    RecordRejected,
    SalesforceError,
)
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.types import BackLink, CreateLook, NewRecord, Record, Saved
from tests.fake_salesforce.org_under_test import OrgContract, OrgUnderTest, someone


class SavingContract(OrgContract):
    """Creating and changing, one by one and many at once."""

    def test_create_and_update_write_fields(self, org: OrgUnderTest) -> None:
        saved = org.gateway.create("Contact", {"LastName": " Doe ", "Phone": "1"})
        org.gateway.update("Contact", saved.id, {"Phone": "", "Title": "CEO"})
        stands = org.fields("Contact", saved.id)
        assert (stands["LastName"], stands["Phone"], stands["Title"]) == ("Doe", None, "CEO")

    def test_a_refusal_names_the_fields(self, org: OrgUnderTest) -> None:
        with pytest.raises(RecordRejected) as refused:
            org.gateway.create("Contact", {"FirstName": "Jane"})
        [complaint] = refused.value.complaints
        assert (complaint.code, complaint.fields) == ("REQUIRED_FIELD_MISSING", ("LastName",))

    def test_an_edit_of_somebody_else_is_not_overwritten(self, org: OrgUnderTest) -> None:
        contact = org.add("Contact", LastName="Doe")
        gateway = org.gateway
        gateway.limits()
        seen = gateway.server_date
        assert seen is not None
        org.pass_time(5)
        gateway.update("Contact", contact, {"LastName": "Roe"}, unless_modified_since=seen)
        with pytest.raises(RecordChanged):
            gateway.update("Contact", contact, {"LastName": "X"}, unless_modified_since=seen)
        assert org.fields("Contact", contact)["LastName"] == "Roe"

    def test_duplicates_are_told_and_may_be_saved_anyway(self, org: OrgUnderTest) -> None:
        org.duplicate_rule("Contact", "Email")
        address = someone()
        first = org.add("Contact", LastName="Doe", Email=address)
        fields = {"LastName": "Doe", "Email": address}
        with pytest.raises(DuplicatesFound) as found:
            org.gateway.create("Contact", fields)
        assert found.value.record_ids == (("Contact", first),)
        assert found.value.may_save
        [row] = org.gateway.create_many([NewRecord("Contact", fields)])
        assert isinstance(row, DuplicatesFound)
        assert org.gateway.create("Contact", fields, allow_duplicates=True).id != first

    def test_many_rows_stand_alone_and_keep_their_order(self, org: OrgUnderTest) -> None:
        contact = org.add("Contact", LastName="Doe")
        outcomes = org.gateway.create_many(
            [
                NewRecord("Task", {"Subject": "A", "WhoId": contact, "Status": "Completed"}),
                NewRecord("Contact", {"FirstName": "No last name"}),
                NewRecord("Task", {"Subject": "B" * 256}),
                NewRecord("Contact", {"LastName": "Roe"}),
            ]
        )
        assert [type(one) for one in outcomes] == [Saved, RecordRejected, RecordRejected, Saved]
        first, last = outcomes[0], outcomes[3]
        assert isinstance(first, Saved)
        assert isinstance(last, Saved)
        assert org.fields("Task", first.id)["Subject"] == "A"
        assert org.fields("Contact", last.id)["LastName"] == "Roe"

    def test_no_text_is_taken_for_a_reference(self, org: OrgUnderTest) -> None:
        subjects = ["@{rows0[0].id}", "write to @{contact.records[0].Id}", "@{", "@{}"]
        outcomes = org.gateway.create_many(
            [NewRecord("Task", {"Subject": subject}) for subject in subjects]
        )
        for subject, saved in zip(subjects, outcomes, strict=True):
            assert isinstance(saved, Saved)
            assert org.fields("Task", saved.id)["Subject"] == subject

    def test_a_thousand_rows_cost_one_request(self, org: OrgUnderTest) -> None:
        gateway = org.gateway
        before = gateway.limits().used
        subjects = [f"{uuid.uuid4().hex} {number}" for number in range(1_000)]
        outcomes = gateway.create_many([NewRecord("Task", {"Subject": one}) for one in subjects])
        assert gateway.usage is not None
        assert gateway.usage.used == before + 1
        for number in (0, 199, 200, 999):
            made = outcomes[number]
            assert isinstance(made, Saved)
            assert org.fields("Task", made.id)["Subject"] == subjects[number]

    def test_a_call_that_comes_too_late_sends_nothing(self, org: OrgUnderTest) -> None:
        gateway = org.gateway
        before = gateway.limits().used
        late = org.monotonic() - 0.001
        with pytest.raises(CallNotStarted):
            gateway.create_many([NewRecord("Contact", {"LastName": "X"})], start_by=late)
        with pytest.raises(CallNotStarted):
            gateway.find([someone()], start_by=late)
        assert gateway.limits().used == before + 1

    def test_deleted_records_go_to_the_recycle_bin_with_their_tasks(
        self, org: OrgUnderTest
    ) -> None:
        gateway = org.gateway
        [jane, joe, case_person] = [org.add("Contact", LastName=name) for name in "abc"]
        task = org.add("Task", Subject="About Jane", WhoId=jane)
        org.add("Case", Subject="Broken", ContactId=case_person)
        org.delete("Contact", joe)
        before = gateway.limits().used
        outcomes = gateway.delete_many([jane, joe, case_person])
        assert gateway.usage is not None
        assert gateway.usage.used == before + 1
        assert [type(one) for one in outcomes] == [Saved, RecordNotFound, RecordRejected]
        contacts = gateway.inspect("Contact", [jane, case_person], ()).records
        assert {key: one.deleted for key, one in contacts.items()} == {
            jane: True,
            case_person: False,
        }
        assert gateway.inspect("Task", [task], ()).records[task].deleted

    def test_many_records_are_changed_at_once_and_each_stands_alone(
        self, org: OrgUnderTest
    ) -> None:
        gateway = org.gateway
        account = org.add("Account", Name="Acme")
        gone_account = org.add("Account", Name="Gone")
        org.delete("Account", gone_account)
        jane, joe, gone = (org.add("Contact", LastName=name) for name in "abc")
        org.delete("Contact", gone)
        before = gateway.limits().used
        told = gateway.update_many(
            "Contact",
            {
                jane: {"AccountId": account},
                joe: {"AccountId": gone_account},
                gone: {"AccountId": account},
            },
        )
        assert gateway.usage is not None
        assert gateway.usage.used == before + 1
        assert told[jane] is None
        assert isinstance(told[joe], SalesforceError)
        assert isinstance(told[gone], RecordNotFound)
        found = gateway.read_many("Contact", [jane, joe, gone], ["LastName", "AccountId"])
        assert {key: one.fields["AccountId"] for key, one in found.items()} == {
            jane: account,
            joe: None,
        }
        assert gateway.update_many("Contact", {jane: {"AccountId": None}}) == {jane: None}
        assert gateway.read("Contact", jane, ["AccountId"]).fields["AccountId"] is None

    def test_an_opportunity_of_a_contact_has_them_in_its_primary_role_and_is_found_again(
        self, org: OrgUnderTest
    ) -> None:
        contact = org.add("Contact", LastName="Doe", Email=someone())
        fields = {"Name": "Pumps", "StageName": "Prospecting", "CloseDate": "2026-06-30"}
        gateway = org.gateway
        made = gateway.create("Opportunity", {**fields, "ContactId": contact})
        [found] = self._look(gateway, "Opportunity", contact, field="ContactId")
        assert (found.id, found.fields["Name"]) == (made.id, "Pumps")
        other = org.add("Contact", LastName="Roe", Email=someone())
        assert self._look(gateway, "Opportunity", other, field="ContactId") == []

    def test_what_is_made_for_a_contact_is_found_again_by_whose_it_is(
        self, org: OrgUnderTest
    ) -> None:
        contact = org.add("Contact", LastName="Doe", Email=someone())
        gateway = org.gateway
        for object, field, title in (
            ("Case", "ContactId", "Subject"),
            ("Task", "WhoId", "Subject"),
            ("Note", "ParentId", "Title"),
        ):
            made = gateway.create(object, {field: contact, title: "Late parcel"})
            org.pass_time(5)
            later = gateway.create(object, {field: contact, title: "Later"})
            found = self._look(gateway, object, contact, field=field)
            assert [one.id for one in found] == [later.id, made.id]

    def test_an_account_and_the_contact_on_it_are_saved_together_or_not_at_all(
        self, org: OrgUnderTest
    ) -> None:
        contact = org.add("Contact", LastName="Doe", Email=someone())
        gateway = org.gateway
        gateway.limits()
        seen = gateway.server_date
        back = BackLink(object="Contact", record_id=contact, field="AccountId")
        before = gateway.requests
        made = gateway.create("Account", {"Name": "Acme"}, back=back)
        assert gateway.requests == before + 1
        assert gateway.read("Contact", contact, ["AccountId"]).fields["AccountId"] == made.id
        [found] = self._look(gateway, "Account", contact, back="AccountId")
        assert found.id == made.id
        with pytest.raises(RecordRejected) as refused:
            gateway.create("Account", {"Phone": "1"}, back=back)
        assert refused.value.complaints[0].fields == ("Name",)
        with pytest.raises(InvalidInput) as unsent:
            gateway.create("Account", {"Name": "@{made.id}"}, back=back)
        assert unsent.value.field == "Name"
        org.pass_time(5)
        gateway.update("Contact", contact, {"Phone": "1"})
        stale = replace(back, unless_modified_since=seen)
        with pytest.raises(RecordChanged):
            gateway.create("Account", {"Name": "Late"}, back=stale)
        assert gateway.search("Account", "Late") == []
        org.delete("Contact", contact)
        with pytest.raises(RecordNotFound):
            gateway.create("Account", {"Name": "Nobody's"}, back=back)
        assert gateway.search("Account", "Nobody's") == []
        assert org.fields("Account", made.id)["Name"] == "Acme"

    def _look(
        self,
        gateway: SalesforceGateway,
        object: str,
        person: str,
        *,
        field: str = "",
        back: str = "",
    ) -> list[Record]:
        user_id = gateway.org_facts().user_id
        look = CreateLook(
            object=object,
            person="Contact",
            person_id=person,
            created_by=user_id,
            field=field,
            back=back,
        )
        return list(gateway.created(look))
