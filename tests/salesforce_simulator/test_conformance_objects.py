"""Sections 11 to 13: the objects, Tasks, exactly-once writing, and the order of a save."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.process import OrgProcess, RunningOrg

from .conftest import Api

LOGGED = {"Status": "Completed", "Priority": "Normal", "TaskSubtype": "Email"}


def code(api: Api, object_name: str, **fields: Any) -> str:
    answer = api.post(f"sobjects/{object_name}", fields)
    assert answer.status_code == 400, answer.text
    return str(answer.json()[0]["errorCode"])


# -- 11 --------------------------------------------------------------------------------------------


def test_defaults_come_with_a_new_record(api: Api, address: str) -> None:
    case = api.read("Case", api.create("Case", Subject="x"))
    assert case["CaseNumber"].isdigit()
    assert (case["Status"], case["IsClosed"]) == ("New", False)
    assert case["Priority"]
    deal = api.read(
        "Opportunity",
        api.create("Opportunity", Name="x", StageName="Closed Won", CloseDate="2026-01-01"),
    )
    assert (deal["IsClosed"], deal["IsWon"], deal["Probability"]) == (True, True, 100.0)
    lead = api.read("Lead", api.create("Lead", LastName="x", Company="y", Email=address))
    assert (lead["Status"], lead["IsConverted"]) == ("Open - Not Contacted", False)


# object, title field, its length, fields that are read-only state
OBJECTS = [
    ("Contact", "Name", 121, {"IsDeleted"}),
    (
        "Lead", "Name", 121,
        {"IsConverted", "ConvertedContactId", "ConvertedAccountId", "ConvertedOpportunityId"},
    ),
    ("Account", "Name", 255, set()),
    ("Opportunity", "Name", 120, {"IsClosed", "IsWon", "ExpectedRevenue"}),
    ("Case", "CaseNumber", 30, {"IsClosed", "ClosedDate", "ContactEmail"}),
]  # fmt: skip


@pytest.mark.parametrize(("object_name", "title", "length", "state"), OBJECTS)
def test_the_objects_are_described_as_the_table_says(
    api: Api, object_name: str, title: str, length: int, state: set[str]
) -> None:
    fields = {f["name"]: f for f in api.get(f"sobjects/{object_name}/describe").json()["fields"]}
    assert [name for name, field in fields.items() if field["nameField"]] == [title]
    assert fields[title]["length"] == length
    assert fields["OwnerId"]["defaultedOnCreate"] is True
    for name in state | ({title} if object_name in ("Contact", "Lead", "Case") else set()):
        assert (fields[name]["createable"], fields[name]["updateable"]) == (False, False)
    if object_name in ("Contact", "Lead"):
        email = fields["Email"]
        assert (email["length"], email["idLookup"], email["unique"]) == (80, True, False)
    if object_name == "Case":
        assert fields["Subject"]["length"] == 255
        assert fields["SuppliedEmail"]["length"] == 80
        assert fields["CaseNumber"]["autoNumber"] is True


def test_state_follows_from_stage_and_status(api: Api) -> None:
    deal = {"Name": "x", "CloseDate": "2026-01-01", "Amount": 200}
    open_one = api.read("Opportunity", api.create("Opportunity", StageName="Prospecting", **deal))
    assert (open_one["IsClosed"], open_one["IsWon"]) == (False, False)
    assert open_one["ForecastCategoryName"] is not None
    assert open_one["ExpectedRevenue"] == 200 * open_one["Probability"] / 100
    case = api.create("Case", Subject="x", Status="Closed")
    assert api.read("Case", case)["ClosedDate"] is not None


def test_the_roles_of_a_contact_are_the_way_to_its_opportunities(api: Api, contact: str) -> None:
    """Several roles of one contact on one opportunity are possible; ContactId is the primary."""
    deal = api.create("Opportunity", Name="x", StageName="Prospecting", CloseDate="2030-01-01")
    for role, primary in (("Decision Maker", True), ("Evaluator", False)):
        api.create(
            "OpportunityContactRole",
            OpportunityId=deal, ContactId=contact, Role=role, IsPrimary=primary,
        )  # fmt: skip
    soql = (
        "SELECT (SELECT OpportunityId FROM OpportunityContactRoles), "
        f"(SELECT Id FROM Opportunities) FROM Contact WHERE Id = '{contact}'"
    )
    [record] = api.query(soql).json()["records"]
    roles = record["OpportunityContactRoles"]["records"]
    assert [role["OpportunityId"] for role in roles] == [deal, deal]
    assert [found["Id"] for found in record["Opportunities"]["records"]] == [deal]
    answer = api.patch(f"sobjects/Opportunity/{deal}", {"ContactId": contact})
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_name_is_made_of_its_parts_and_not_writable(api: Api, contact: str) -> None:
    assert api.read("Contact", contact)["Name"] == "Jane Doe"
    answer = api.patch(f"sobjects/Contact/{contact}", {"Name": "x"})
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_an_address_may_be_shared_and_email_is_not_unique(api: Api, address: str) -> None:
    for _ in range(2):
        api.create("Contact", LastName="x", Email=address)
    assert api.query(f"SELECT Id FROM Contact WHERE Email = '{address}'").json()["totalSize"] == 2


def test_compound_fields_are_written_by_their_parts(api: Api) -> None:
    account = api.create("Account", Name="x", BillingCity="Lisbon", BillingCountry="PT")
    assert api.read("Account", account)["BillingAddress"]["city"] == "Lisbon"
    assert code(api, "Account", Name="x", BillingAddress={"city": "Lisbon"}) == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )


def test_a_converted_lead_stays_and_its_tasks_move_to_the_contact(
    org: RunningOrg, api: Api, address: str
) -> None:
    lead = api.create("Lead", FirstName="A", LastName="x", Company="y", Email=address)
    task = api.create("Task", Subject="x", WhoId=lead, Status="Completed")
    made = org.control.convert(lead)
    record = api.read("Lead", lead)
    assert (record["IsConverted"], record["ConvertedContactId"]) == (True, made["contact_id"])
    assert api.read("Task", task)["WhoId"] == made["contact_id"]
    assert api.read("Contact", made["contact_id"])["Email"] == address


def test_a_merge_moves_the_tasks_and_deletes_the_loser(
    org: RunningOrg, api: Api, contact: str, address: str
) -> None:
    loser = api.create("Contact", LastName="Loser", Email=address)
    task = api.create("Task", Subject="x", WhoId=loser, Status="Completed")
    org.control.merge("Contact", master=contact, loser=loser)
    assert api.read("Task", task)["WhoId"] == contact
    [gone] = org.control.query(
        f"SELECT IsDeleted, MasterRecordId FROM Contact WHERE Id = '{loser}'", all_rows=True
    )
    assert (gone["IsDeleted"], gone["MasterRecordId"]) == (True, contact)


def test_a_person_account_is_created_through_the_account() -> None:
    with OrgProcess(options=["--person-accounts", "--no-seed"]) as process:
        control = process.production.control
        [types] = [
            found
            for found in control.query("SELECT Id, IsPersonType FROM RecordType")
            if found["IsPersonType"]
        ]
        account = control.create(
            "Account",
            FirstName="Pilar",
            LastName="Ruiz",
            PersonEmail="pilar@example.org",
            RecordTypeId=types["Id"],
        )
        [person] = control.query(
            "SELECT Name, Email, IsPersonAccount, AccountId FROM Contact WHERE Name = 'Pilar Ruiz'"
        )
        assert (person["Email"], person["IsPersonAccount"]) == ("pilar@example.org", True)
        assert person["AccountId"] == account


# -- 12 --------------------------------------------------------------------------------------------


def test_a_logged_mail_lands_in_the_past_activity_of_its_contact(
    api: Api, contact: str, address: str
) -> None:
    task = api.create(
        "Task",
        Subject="Email: Where is my order? [#4711]",
        Description="Hello",
        WhoId=contact,
        ActivityDate="2026-05-06",
        **LOGGED,
    )
    record = api.read("Task", task)
    assert (record["IsClosed"], record["TaskSubtype"]) == (True, "Email")
    assert record["CompletedDateTime"] is not None
    soql = f"SELECT (SELECT Id FROM Tasks) FROM Contact WHERE Email = '{address}'"
    [person] = api.query(soql).json()["records"]
    assert [one["Id"] for one in person["Tasks"]["records"]] == [task]


def test_a_tasks_account_is_that_of_its_contact(api: Api) -> None:
    account = api.create("Account", Name="x")
    person = api.create("Contact", LastName="x", AccountId=account)
    assert api.read("Task", api.create("Task", Subject="x", WhoId=person))["AccountId"] == account


# field, and what the describe says of it: the rows of 12.1
TASK = [
    ("Subject", {"type": "combobox", "length": 255}),
    ("Description", {"type": "textarea", "length": 32_000, "filterable": False, "sortable": False}),
    ("WhoId", {"type": "reference", "polymorphicForeignKey": True}),
    ("WhatId", {"type": "reference", "polymorphicForeignKey": True}),
    ("AccountId", {"type": "reference", "createable": False, "updateable": False}),
    ("Status", {"type": "picklist", "length": 255, "defaultedOnCreate": True}),
    ("IsClosed", {"type": "boolean", "createable": False, "updateable": False}),
    ("IsHighPriority", {"type": "boolean", "createable": False, "updateable": False}),
    ("CompletedDateTime", {"type": "datetime", "createable": False, "updateable": False}),
    ("IsArchived", {"type": "boolean", "createable": False, "updateable": False}),
    ("Priority", {"type": "picklist", "length": 20, "defaultedOnCreate": True}),
    ("ActivityDate", {"type": "date"}),
    ("TaskSubtype", {"type": "picklist", "length": 40, "restrictedPicklist": True,
                     "createable": True, "updateable": False}),
    ("OwnerId", {"type": "reference", "referenceTo": ["Group", "User"],
                 "defaultedOnCreate": True}),
    ("CallObject", {"type": "string", "length": 255}),
    ("CallDisposition", {"type": "string", "length": 255}),
    ("CallType", {"type": "picklist", "length": 40}),
    ("CallDurationInSeconds", {"type": "int"}),
    ("IsReminderSet", {"type": "boolean", "createable": True}),
    ("ReminderDateTime", {"type": "datetime", "createable": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "flags"), TASK)
def test_the_fields_of_a_task_are_described_as_the_table_says(
    api: Api, name: str, flags: dict[str, Any]
) -> None:
    fields = {f["name"]: f for f in api.get("sobjects/Task/describe").json()["fields"]}
    assert {key: fields[name][key] for key in flags} == flags


def test_a_task_without_more_is_open_and_normal(api: Api) -> None:
    record = api.read("Task", api.create("Task", Subject="anything one likes"))
    assert (record["Status"], record["Priority"]) == ("Not Started", "Normal")
    assert (record["IsClosed"], record["IsHighPriority"], record["IsArchived"]) == (
        False, False, False,
    )  # fmt: skip
    assert record["CompletedDateTime"] is None
    high = api.read("Task", api.create("Task", Subject="x", Priority="High"))
    assert high["IsHighPriority"] is True


def test_only_the_id_of_a_task_is_a_key_until_an_administrator_adds_one(api: Api) -> None:
    fields = api.get("sobjects/Task/describe").json()["fields"]
    keys = {field["name"] for field in fields if field["idLookup"]}
    assert keys == {"Id", "Message_Key__c"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Subject": "s" * 256}, "STRING_TOO_LONG"),
        ({"Description": "d" * 32_001}, "STRING_TOO_LONG"),
        ({"TaskSubtype": "Pigeon"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"WhoId": "001000000000001AAA"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"WhatId": "003000000000001AAA"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"OwnerId": "003000000000001AAA"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"WhoId": "nonsense"}, "MALFORMED_ID"),
        ({"AccountId": "001000000000001AAA"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"IsClosed": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_what_a_task_refuses(api: Api, fields: dict[str, Any], expected: str) -> None:
    assert code(api, "Task", **fields) == expected


def test_a_description_of_32000_characters_fits(api: Api) -> None:
    text = "ä" * 32_000
    assert api.read("Task", api.create("Task", Subject="x", Description=text))[
        "Description"
    ] == text  # fmt: skip


def test_a_subtype_is_set_at_creation_and_never_changed(api: Api) -> None:
    task = api.create("Task", Subject="x", TaskSubtype="Email")
    answer = api.patch(f"sobjects/Task/{task}", {"TaskSubtype": "Call"})
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_lead_cannot_have_a_what(api: Api, address: str) -> None:
    lead = api.create("Lead", LastName="x", Company="y", Email=address)
    account = api.create("Account", Name="x")
    answer = api.post("sobjects/Task", {"Subject": "x", "WhoId": lead, "WhatId": account})
    [entry] = answer.json()
    assert (answer.status_code, entry["errorCode"]) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert set(entry["fields"]) == {"WhoId", "WhatId"}


def test_a_task_for_a_person_who_is_gone_is_refused(api: Api, contact: str) -> None:
    api.delete(f"sobjects/Contact/{contact}")
    assert code(api, "Task", Subject="x", WhoId=contact) in (
        "INVALID_CROSS_REFERENCE_KEY",
        "ENTITY_IS_DELETED",
    )


def test_the_closed_statuses_are_told_by_an_object(api: Api) -> None:
    soql = "SELECT ApiName, IsClosed FROM TaskStatus WHERE IsClosed = true"
    assert [r["ApiName"] for r in api.query(soql).json()["records"]] == ["Completed"]


def test_a_description_cannot_be_filtered_and_a_subject_can(api: Api) -> None:
    assert api.query("SELECT Id FROM Task WHERE Description LIKE 'x%'").status_code == 400
    assert api.query("SELECT Id FROM Task WHERE Subject LIKE 'x%'").status_code == 200


def test_an_external_id_makes_a_task_idempotent(api: Api, address: str) -> None:
    path = f"sobjects/Task/Message_Key__c/{address}"
    first = api.patch(path, {"Subject": "x", **LOGGED})
    again = api.patch(path, {"Subject": "y"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    overwriting = api.patch(path, {"TaskSubtype": "Email"})
    assert overwriting.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


# -- 13 --------------------------------------------------------------------------------------------


def test_earlier_steps_of_a_save_hide_later_ones(
    org: RunningOrg, api: Api, contact: str, address: str
) -> None:
    org.control.validation_rule("Contact", "Title = 'Bad'", "A better title is needed")
    org.control.duplicate_rule("Contact", "DR", action="block", match_on=["Email"])
    everything = {"FirstName": "x", "Email": address, "Title": "Bad", "Phone": "1" * 41}
    steps = []
    for repair in ({}, {"Phone": "1"}, {"LastName": "x"}, {"Title": "Good"}, {"Email": None}):
        everything |= repair
        answer = api.post("sobjects/Contact", everything)
        steps.append(answer.json()[0]["errorCode"] if answer.status_code == 400 else "saved")
    assert steps == [
        "STRING_TOO_LONG",
        "REQUIRED_FIELD_MISSING",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "DUPLICATES_DETECTED",
        "saved",
    ]


# -- lists that Salesforce keeps as objects --------------------------------------------------------


def test_the_stages_of_opportunities_tell_what_they_set(api: Api) -> None:
    soql = (
        "SELECT ApiName, MasterLabel, DefaultProbability, ForecastCategoryName, IsClosed, IsWon, "
        "SortOrder FROM OpportunityStage WHERE IsActive = true ORDER BY SortOrder"
    )
    rows = api.query(soql).json()["records"]
    stages = next(
        field["picklistValues"]
        for field in api.get("sobjects/Opportunity/describe").json()["fields"]
        if field["name"] == "StageName"
    )
    assert [row["ApiName"] for row in rows] == [stage["value"] for stage in stages]
    for row in rows:
        deal = {"Name": "x", "StageName": row["ApiName"], "CloseDate": "2026-01-01"}
        made = api.read("Opportunity", api.create("Opportunity", **deal))
        assert (row["IsClosed"], row["IsWon"]) == (made["IsClosed"], made["IsWon"])
        assert row["DefaultProbability"] == made["Probability"]
        assert row["ForecastCategoryName"] == made["ForecastCategoryName"]


def test_the_statuses_of_cases_tell_which_are_closed(api: Api) -> None:
    rows = api.query("SELECT ApiName, IsClosed, IsDefault FROM CaseStatus").json()["records"]
    assert [row["ApiName"] for row in rows if row["IsDefault"]] == ["New"]
    for row in rows:
        made = api.read("Case", api.create("Case", Subject="x", Status=row["ApiName"]))
        assert made["IsClosed"] == row["IsClosed"]


def test_a_user_is_found_by_email_username_or_federation_id_with_its_license(
    org: RunningOrg, api: Api
) -> None:
    org.control.change_user("few@example.com", federation_id="fred-at-sso")
    for wanted in (
        "Email = 'few@example.com'",
        "Username = 'few@example.com'",
        "FederationIdentifier = 'fred-at-sso'",
    ):
        soql = (
            "SELECT Id, Name, Email, Username, FederationIdentifier, IsActive, UserType, "
            "Profile.Name, Profile.UserLicense.LicenseDefinitionKey FROM User "
            f"WHERE IsActive = true AND UserType = 'Standard' AND ({wanted})"
        )
        [user] = api.query(soql).json()["records"]
        assert user["Username"] == "few@example.com"
        assert user["Profile"]["UserLicense"]["LicenseDefinitionKey"] == "SFDC"


def test_the_feature_licenses_of_a_user_are_boxes(org: RunningOrg, api: Api) -> None:
    def boxes() -> tuple[bool, bool, bool]:
        soql = (
            "SELECT UserPermissionsSupportUser, UserPermissionsMarketingUser, "
            "UserPermissionsKnowledgeUser FROM User WHERE Username = 'few@example.com'"
        )
        [row] = api.query(soql).json()["records"]
        return tuple(row[f"UserPermissions{n}User"] for n in ("Support", "Marketing", "Knowledge"))

    assert boxes() == (False, False, False)
    org.control.change_user("few@example.com", support_user=True, knowledge_user=True)
    assert boxes() == (True, False, True)
    org.control.change_user("few@example.com", support_user=False, knowledge_user=False)
    assert boxes() == (False, False, False)


def test_an_org_that_shares_everything_tells_no_defaults(api: Api) -> None:
    """The object reference warns that some show no value."""
    names = [f"Default{name}Access" for name in ("Account", "Contact", "Lead", "Case")]
    [row] = api.query(f"SELECT {', '.join(names)} FROM Organization").json()["records"]
    assert {row[name] for name in names} == {None}
