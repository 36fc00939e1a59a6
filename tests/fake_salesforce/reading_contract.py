"""What the reading verbs of every `SalesforceGateway` must do."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from keeping_plugin.errors import (
    CallNotStarted,
    InvalidInput,
    RecordNotFound,
    RecordRejected,
    SchemaStale,
)
from keeping_plugin.types import (
    ContactMatch,
    LeadMatch,
    NewRecord,
    ObjectSchema,
    Saved,
    TaskLook,
)
from tests.fake_salesforce.org import shipped_schemas
from tests.fake_salesforce.org_under_test import OrgContract, OrgUnderTest, schemas_of, someone

SHOWN = {
    "Contact": ["Name", "Email", "Phone", "Owner.Name", "No_Such_Field__c"],
    "Lead": ["Name", "Company"],
    "Account": ["Name", "Phone"],
    "Opportunity": ["Name", "StageName", "CloseDate"],
    "Case": ["CaseNumber", "Subject"],
}


class ReadingContract(OrgContract):
    """Finding, showing, reading, and the facts of the org."""

    @pytest.fixture
    def schemas(self, org: OrgUnderTest) -> dict[str, ObjectSchema]:
        return schemas_of(org.gateway)

    # find

    def test_find_tells_contacts_and_leads_by_address(self, org: OrgUnderTest) -> None:
        one, two, nobody = someone(), someone(), someone()
        contact = org.add("Contact", LastName="One", Email=one)
        lead = org.add("Lead", LastName="Two", Company="Two Ltd", Email=two)
        people = org.gateway.find([one.upper(), two, nobody]).people
        assert [(p.object, p.id) for p in people[one]] == [("Contact", contact)]
        assert [(p.object, p.id) for p in people[two]] == [("Lead", lead)]
        assert nobody not in people

    def test_find_tells_the_oldest_first(self, org: OrgUnderTest) -> None:
        address = someone()
        first = org.add("Contact", LastName="First", Email=address)
        org.pass_time(60)
        second = org.add("Contact", LastName="Second", Email=address)
        assert [p.id for p in org.gateway.find([address]).people[address]] == [first, second]

    def test_find_leaves_out_the_converted_and_the_deleted(self, org: OrgUnderTest) -> None:
        converted, deleted = someone(), someone()
        contact = org.convert(org.add("Lead", LastName="L", Company="L", Email=converted))
        org.delete("Contact", org.add("Contact", LastName="D", Email=deleted))
        people = org.gateway.find([converted, deleted]).people
        assert [(p.object, p.id) for p in people[converted]] == [("Contact", contact)]
        assert deleted not in people

    def test_find_does_not_take_a_plus_address_for_another(self, org: OrgUnderTest) -> None:
        address = someone()
        org.add("Contact", LastName="P", Email=address.replace("@", "+shop@"))
        assert not org.gateway.find([address]).people

    def test_find_compares_addresses_as_salesforce_stores_them(self, org: OrgUnderTest) -> None:
        name = someone().partition("@")[0]
        dotted, quoted = f"{name}..x@docomo.example", f"{name}.@docomo.example"
        upper, lower = f"JÖRG.{name}@example.com", f"jörg.{name}@example.com"
        held = {
            dotted: org.add("Contact", LastName="Dots", Email=dotted),
            quoted: org.add("Contact", LastName="Quotes", Email=f'"{name}."@docomo.example'),
            lower: org.add("Contact", LastName="Case", Email=upper),
        }
        people = org.gateway.find([dotted.title(), quoted, upper, lower]).people
        held["jÖrg" + lower[4:]] = held[lower]
        assert {key: [one.id for one in found] for key, found in people.items()} == {
            key: [record_id] for key, record_id in held.items()
        }

    def test_find_by_search_tells_the_same_people(self, org: OrgUnderTest) -> None:
        one, two, nobody = someone(), someone(), someone()
        contact = org.add("Contact", LastName="One", Email=one)
        org.add("Contact", LastName="Plus", Email=one.replace("@", "+shop@"))
        lead = org.add("Lead", LastName="Two", Company="Two Ltd", Email=two)
        org.convert(org.add("Lead", LastName="L", Company="L", Email=nobody))
        addresses = [one.upper(), two, *(someone() for _ in range(200))]
        people = org.gateway.find(addresses, by_search=True).people
        assert {key: [(p.object, p.id) for p in found] for key, found in people.items()} == {
            one: [("Contact", contact)],
            two: [("Lead", lead)],
        }
        assert not org.gateway.find([], by_search=True).people

    def test_find_takes_a_thousand_addresses(self, org: OrgUnderTest) -> None:
        addresses = [someone() for _ in range(1_000)]
        last = org.add("Contact", LastName="Last", Email=addresses[-1])
        people = org.gateway.find(addresses).people
        assert {key: found[0].id for key, found in people.items()} == {addresses[-1]: last}

    def test_find_looks_for_markers_at_the_end_of_subjects(self, org: OrgUnderTest) -> None:
        marker, other = f"[{uuid.uuid4().hex[:10]}]", f"[{uuid.uuid4().hex[:10]}]"
        gateway = org.gateway
        since = (gateway.limits(), gateway.server_date)[1]
        assert since is not None
        subjects = [f"Email: A {marker}", f"Email: {other} B", f"Re: {marker} again"]
        made = gateway.create_many([NewRecord("Task", {"Subject": text}) for text in subjects])
        assert isinstance(made[0], Saved)
        org.delete("Task", made[0].id)
        look = TaskLook(frozenset({marker, other}), gateway.org_facts().user_id, since)
        assert gateway.find([], tasks=look).tasks == {marker: (made[0].id,)}

    def test_find_leaves_out_tasks_from_before(self, org: OrgUnderTest) -> None:
        marker = f"[{uuid.uuid4().hex[:10]}]"
        gateway = org.gateway
        gateway.create("Task", {"Subject": marker})
        later = (gateway.server_date or datetime.now(UTC)) + timedelta(hours=1)
        look = TaskLook(frozenset({marker}), gateway.org_facts().user_id, later)
        assert not gateway.find([], tasks=look).tasks

    def test_find_leaves_out_tasks_from_after(self, org: OrgUnderTest) -> None:
        marker = f"[{uuid.uuid4().hex[:10]}]"
        gateway = org.gateway
        gateway.create("Task", {"Subject": marker})
        now = gateway.server_date or datetime.now(UTC)
        user = gateway.org_facts().user_id
        hour = timedelta(hours=1)
        until_then = TaskLook(frozenset({marker}), user, now - 2 * hour, now - hour)
        assert not gateway.find([], tasks=until_then).tasks
        until_later = TaskLook(frozenset({marker}), user, now - hour, now + hour)
        assert gateway.find([], tasks=until_later).tasks

    # panel

    def test_panel_compares_addresses_as_salesforce_stores_them(
        self, org: OrgUnderTest, schemas: dict[str, ObjectSchema]
    ) -> None:
        dotted = someone().replace("@", "..x@")
        contact = org.add("Contact", LastName="Dots", Email=dotted)
        [match] = org.gateway.panel(dotted.upper(), schemas, SHOWN)
        assert isinstance(match, ContactMatch)
        assert match.contact.id == contact

    def test_panel_shows_a_contact_with_what_stands_around(
        self, org: OrgUnderTest, schemas: dict[str, ObjectSchema]
    ) -> None:
        address = someone()
        account = org.add("Account", Name="Acme", Phone="1")
        contact = org.add("Contact", LastName="Doe", Email=address, AccountId=account)
        for number in range(6):
            org.pass_time(1)
            org.add("Case", Subject=f"Case {number}", ContactId=contact)
        deal, spare = (
            org.add(
                "Opportunity",
                Name=name,
                StageName="Prospecting",
                CloseDate="2027-01-31",
                AccountId=account,
            )
            for name in ("With a role", "Without one")
        )
        for role in ("Decision Maker", "Other"):
            org.add("OpportunityContactRole", OpportunityId=deal, ContactId=contact, Role=role)
        [match] = org.gateway.panel(address, schemas, SHOWN)
        assert isinstance(match, ContactMatch)
        assert match.contact.id == contact
        assert list(match.contact.fields) == ["Name", "Email", "Phone", "Owner.Name"]
        assert match.contact.fields["Email"] == address
        assert match.account is not None
        assert match.account.fields == {"Name": "Acme", "Phone": "1"}
        assert [record.id for record in match.around["opportunities"]] == [deal]
        assert [record.id for record in match.around["account_opportunities"]] == [spare]
        subjects = [record.fields["Subject"] for record in match.around["cases"]]
        assert subjects == [f"Case {number}" for number in (5, 4, 3, 2, 1)]

    def test_panel_shows_open_records_before_closed_ones_and_those_with_a_number(
        self, org: OrgUnderTest, schemas: dict[str, ObjectSchema]
    ) -> None:
        address = someone()
        account = org.add("Account", Name="Acme")
        contact = org.add("Contact", LastName="Doe", Email=address, AccountId=account)
        colleague = org.add("Contact", LastName="Roe", AccountId=account)
        old = {}
        for number in range(8):
            org.pass_time(1)
            status = "Closed" if number in {2, 6} else "New"
            case = org.add("Case", Subject=str(number), ContactId=contact, Status=status)
            old[number] = org.gateway.read("Case", case, ["CaseNumber"]).fields["CaseNumber"]
        theirs = org.add("Case", Subject="Theirs", ContactId=colleague, AccountId=account)
        theirs_number = org.gateway.read("Case", theirs, ["CaseNumber"]).fields["CaseNumber"]
        stranger = org.add("Case", Subject="A stranger's")
        stranger_number = org.gateway.read("Case", stranger, ["CaseNumber"]).fields["CaseNumber"]
        shown = {**SHOWN, "Case": ["CaseNumber", "Subject", "IsClosed"]}
        numbers = [str(old[0]), str(theirs_number), str(stranger_number)]
        before = org.gateway.limits().used
        gateway = org.gateway
        [match] = gateway.panel(address, schemas, shown, numbers=numbers)
        assert isinstance(match, ContactMatch)
        subjects = {
            key: [record.fields["Subject"] for record in match.around[key]]
            for key in ("cases", "more_cases", "named_cases")
        }
        assert subjects["cases"] == ["7", "5", "4", "3", "6"]
        assert subjects["more_cases"] == ["1", "0"]
        assert sorted(subjects["named_cases"]) == ["0", "Theirs"]
        assert match.counts["cases"] == (8, False)
        assert match.counts["opportunities"] == (0, False)
        assert "tasks" not in match.counts, "nobody asked for Tasks"
        assert gateway.usage is not None
        assert gateway.usage.used == before + 1

    @pytest.mark.parametrize("person", [{}, {"Company": "C"}], ids=["Contact", "Lead"])
    def test_panel_shows_the_latest_tasks_where_they_are_wanted(
        self, org: OrgUnderTest, schemas: dict[str, ObjectSchema], person: dict[str, str]
    ) -> None:
        address = someone()
        who = org.add("Lead" if person else "Contact", LastName="Doe", Email=address, **person)
        for number in range(6):
            org.pass_time(1)
            org.add("Task", Subject=f"Task {number}", WhoId=who)
        schemas = {**schemas, "Task": shipped_schemas()["Task"]}
        [match] = org.gateway.panel(address, schemas, {**SHOWN, "Task": ["Subject"]})
        assert isinstance(match, LeadMatch if person else ContactMatch)
        subjects = [record.fields["Subject"] for record in match.around["tasks"]]
        assert subjects == [f"Task {number}" for number in (5, 4, 3, 2, 1)]

    def test_panel_costs_one_request(
        self, org: OrgUnderTest, schemas: dict[str, ObjectSchema]
    ) -> None:
        gateway = org.gateway
        before = gateway.limits().used
        gateway.panel(someone(), schemas, SHOWN)
        assert gateway.usage is not None
        assert gateway.usage.used == before + 1

    def test_panel_shows_leads_and_whom_a_converted_one_became(
        self, org: OrgUnderTest, schemas: dict[str, ObjectSchema]
    ) -> None:
        address, moved = someone(), someone()
        lead = org.add("Lead", LastName="Open", Company="C", Email=address)
        [match] = org.gateway.panel(address, schemas, SHOWN)
        assert isinstance(match, LeadMatch)
        assert match.lead.id == lead
        assert match.lead.fields == {"Name": "Open", "Company": "C"}
        contact = org.convert(org.add("Lead", LastName="Gone", Company="C", Email=moved))
        [met] = org.gateway.panel(moved, schemas, SHOWN)
        assert isinstance(met, ContactMatch)
        assert met.contact.id == contact

    def test_panel_asks_for_no_object_without_a_schema(
        self, org: OrgUnderTest, schemas: dict[str, ObjectSchema]
    ) -> None:
        address = someone()
        contact = org.add("Contact", LastName="Doe", Email=address)
        org.add("Case", Subject="Hidden", ContactId=contact)
        [match] = org.gateway.panel(address, {"Contact": schemas["Contact"]}, SHOWN)
        assert isinstance(match, ContactMatch)
        assert match.around["cases"] == ()

    # read, search

    def test_read_gives_what_was_asked_in_that_order(self, org: OrgUnderTest) -> None:
        account = org.add("Account", Name="Acme")
        contact = org.add("Contact", LastName="Doe", AccountId=account)
        record = org.gateway.read("Contact", contact, ["Account.Name", "LastName", "Email"])
        assert list(record.fields.items()) == [
            ("Account.Name", "Acme"),
            ("LastName", "Doe"),
            ("Email", None),
        ]

    def test_a_deleted_record_is_not_found(self, org: OrgUnderTest) -> None:
        contact = org.add("Contact", LastName="Doe")
        org.delete("Contact", contact)
        with pytest.raises(RecordNotFound):
            org.gateway.read("Contact", contact, ["LastName"])
        with pytest.raises(RecordNotFound):
            org.gateway.update("Contact", contact, {"LastName": "Roe"})

    @pytest.mark.parametrize(
        "bad", ["", "//evil.example/x", "../Account/001", "003", "003?_HttpMethod=DELETE", "1" * 18]
    )
    def test_a_bad_id_never_reaches_salesforce(self, org: OrgUnderTest, bad: str) -> None:
        gateway = org.gateway
        before = gateway.limits().used
        with pytest.raises(InvalidInput):
            gateway.read("Contact", bad, ["LastName"])
        with pytest.raises(InvalidInput):
            gateway.update("Contact", bad, {"LastName": "X"})
        assert gateway.limits().used == before + 1

    def test_a_field_that_is_gone_makes_the_schema_stale(self, org: OrgUnderTest) -> None:
        contact = org.add("Contact", LastName="Doe")
        with pytest.raises(SchemaStale) as stale:
            org.gateway.read("Contact", contact, ["Gone__c"])
        assert (stale.value.object, stale.value.field) == ("Contact", "Gone__c")

    def test_search_finds_part_of_a_name(self, org: OrgUnderTest) -> None:
        name = f"Zebra {uuid.uuid4().hex} 100%_'\\ Ltd"
        account = org.add("Account", Name=name)
        [found] = org.gateway.search("Account", f" {name[10:].upper()}")
        assert (found.id, found.fields) == (account, {"Name": name})
        assert not org.gateway.search("Account", name.replace("%", "x"))

    # the org

    def test_describe_leaves_out_what_the_user_cannot_see(self, org: OrgUnderTest) -> None:
        described = org.gateway.describe(["Contact", "Nothing__c", "Task"])
        assert [entry.object for entry in described] == ["Contact", "Task"]
        assert described[0].schema is not None
        assert described[0].schema.fields["LastName"].required

    def test_describe_sends_nothing_anew_that_did_not_change(self, org: OrgUnderTest) -> None:
        [first] = org.gateway.describe(["Contact"])
        [again] = org.gateway.describe(
            ["Contact"], unless_modified={"Contact": first.last_modified}
        )
        assert again.schema is None
        assert again.last_modified == first.last_modified

    def test_a_record_type_offers_its_own_values(self, org: OrgUnderTest) -> None:
        [described] = org.gateway.describe(["Contact"])
        assert described.schema is not None
        kinds = {kind.developer_name: kind.id for kind in described.schema.record_types}
        every = described.schema.fields["Office__c"].picklist
        offered = {
            name: org.gateway.picklist_values("Contact", kinds[name])
            for name in ("Customer", "Supplier")
        }
        assert [v.value for v in offered["Customer"]["Office__c"]] == [v.value for v in every]
        assert [v.value for v in offered["Supplier"]["Region__c"]] == ["Europe", "Asia Pacific"]
        assert "Boston" not in {value.value for value in offered["Supplier"]["Office__c"]}
        assert {value.valid_for for value in offered["Supplier"]["Office__c"]} == {None}
        [default] = [value for value in offered["Supplier"]["Language__c"] if value.default]
        assert default.value == "English"
        fields = {"LastName": "Typed", "RecordTypeId": kinds["Supplier"]}
        org.gateway.create("Contact", {**fields, "Region__c": "Asia Pacific"})
        with pytest.raises(RecordRejected) as refusal:
            org.gateway.create("Contact", {**fields, "Region__c": "North America"})
        [complaint] = refusal.value.complaints
        assert complaint.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        assert complaint.fields == ("Region__c",)
        org.gateway.create("Contact", {"LastName": "Untyped", "Region__c": "North America"})

    def test_the_closed_task_status_closes_a_task(self, org: OrgUnderTest) -> None:
        status = org.gateway.closed_task_status()
        assert status is not None
        saved = org.gateway.create("Task", {"Subject": "Done", "Status": status})
        assert org.fields("Task", saved.id)["IsClosed"] is True

    def test_usage_and_date_are_told(self, org: OrgUnderTest) -> None:
        gateway = org.gateway
        limits = gateway.limits()
        assert 0 < limits.used < limits.limit
        facts = gateway.org_facts()
        assert facts.timezone == "GMT"
        assert facts.user_id.startswith("005")
        assert facts.org_id.startswith("00D")
        assert gateway.usage is not None
        assert gateway.usage.used == limits.used + 1
        assert gateway.server_date is not None
        assert gateway.server_date.utcoffset() == timedelta(0)

    def test_every_request_that_left_is_counted(self, org: OrgUnderTest) -> None:
        gateway = org.gateway
        before = gateway.requests
        gateway.find([someone()])
        gateway.create("Contact", {"LastName": "Counted"})
        assert gateway.requests == before + 2
        with pytest.raises(InvalidInput):
            gateway.read("Contact", "//evil.example/x", ["Name"])
        with pytest.raises(CallNotStarted):
            gateway.find([someone()], start_by=float("-inf"))
        assert gateway.requests == before + 2

    # inspect

    def test_inspect_tells_who_made_and_changed_records_and_what_refers_to_them(
        self, org: OrgUnderTest
    ) -> None:
        gateway = org.gateway
        [described] = gateway.describe(["Contact"])
        schema = described.schema
        assert schema is not None
        assert schema.deletable
        made = gateway.create("Contact", {"LastName": "Alone", "Email": someone()}).id
        busy, gone = org.add("Contact", LastName="Busy"), org.add("Contact", LastName="Gone")
        task = org.add("Task", Subject="Call back", WhoId=busy)
        old = org.add("Task", Subject="Not any more", WhoId=busy)
        org.delete("Task", old)
        org.add("Case", Subject="Broken", ContactId=busy)
        org.delete("Contact", gone)
        before = gateway.limits().used
        found = gateway.inspect("Contact", [made, busy, gone], schema.related)
        assert gateway.usage is not None
        assert gateway.usage.used == before + 1
        assert found.unreadable == ()
        assert {key: one.deleted for key, one in found.records.items()} == {
            made: False,
            busy: False,
            gone: True,
        }
        me = gateway.org_facts().user_id
        alone = found.records[made]
        assert (alone.created_by, alone.modified_by) == (me, me)
        assert alone.created_at == alone.modified_at
        assert list(found.tasks) == [busy]
        assert {one.id: one.deleted for one in found.tasks[busy]} == {task: False, old: True}
        assert found.others == {busy: ("Case",)}

    def test_inspect_tells_a_converted_lead(self, org: OrgUnderTest) -> None:
        lead = org.add("Lead", LastName="L", Company="L", Email=someone())
        org.convert(lead)
        found = org.gateway.inspect("Lead", [lead], ())
        assert [one.converted for one in found.records.values()] in ([True], [])
