"""Where the caret stands, and what is shown around it, in messages that real orgs have sent.

Each line is the part of a statement that such a message quotes; what stood before it is made up.
"""

from __future__ import annotations

import pytest

from salesforce_simulator.query.soql.complaints import misplaced, pointing


@pytest.mark.parametrize(
    ("before", "shown", "token", "after"),
    [
        # Words are completed at both ends.
        ("SELECT Id, ", "CreatedDate, (SELECT Id FROM Tasks) FROM Lead WHERE Email='emailid'",
         "Lead", ""),
        ("SELECT ", "Id,Line_Number__c_____________,AssetReferenceId__c", "AssetRef", ""),
        ("SELECT Account.Name, ",
         "Account.Phone, Account.Rating, Account.RecordTypeId, Account.ShippingCity",
         "Account.RecordTypeId", ", Account.Site FROM Contact"),
        # A comma ends a word as a blank does.
        ("SELECT Id,",
         "Multiselect_Picklist_Test__c,Name,Test_Number__c,Test_Percentage2__c,Test_Phone__c",
         "Test_Percentage2__c", ",Test_Text__c FROM Test__c"),
        # A blank at either end is shown.
        ("SELECT Id, DeveloperName, Description,",
         " NamespacePrefix, Status FROM PermissionSetGroup", "PermissionSetGroup", ""),
        ("SELECT Id, Opportunity__c, ",
         "Opportunity__r.Name, Opportunity__r.Id, Stage                          ", "Stage",
         "   FROM Opportunity_Competitor__c"),
        ("", "SELECT Id, DepProbeField__c FROM Account LIMIT", "DepProbeField__c", " 1"),
        ("", "Select Value from OmniInteractionConfig where DeveloperName", "OmniInter", " = 'x'"),
    ],
)  # fmt: skip
def test_the_shown_part_is_cut_where_real_orgs_cut_it(
    before: str, shown: str, token: str, after: str
) -> None:
    text = before + shown + after
    offset = len(before) + shown.index(token)
    caret = " " * shown.index(token) + "^"
    place = f"ERROR at Row:1:Column:{offset + 1}"
    assert pointing(text, offset, "why") == f"\n{shown}\n{caret}\n{place}\nwhy"


@pytest.mark.parametrize(
    ("text", "token", "shown", "column"),
    [
        ("SELECT Id, FROM Account", "FROM", "SELECT Id, FROM Account", 11),
        ("select Id from Account where id = $sfid", "$", "select Id from Account where id = $sfid",
         34),
        ("SELECT Id FROM Account SET OPTIONS (honorEmptyStrings = true) LIMIT 1", "LIMIT",
         "OPTIONS (honorEmptyStrings = true) LIMIT 1", 62),
    ],
)  # fmt: skip
def test_the_parser_puts_the_caret_one_character_before_the_token(
    text: str, token: str, shown: str, column: int
) -> None:
    message = misplaced(text, text.index(token), "why").entries[0].message
    caret = " " * (shown.index(token) - 1) + "^"
    assert message == f"\n{shown}\n{caret}\nERROR at Row:1:Column:{column}\nwhy"


def test_a_token_at_the_beginning_of_a_line_has_the_caret_below_itself() -> None:
    message = misplaced("SELECT Id\n,FROM Account", 10, "why").entries[0].message
    assert message == "\n,FROM Account\n^\nERROR at Row:2:Column:1\nwhy"
