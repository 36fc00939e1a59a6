"""Semi-joins that the SOQL reference forbids, and those that it allows."""

from __future__ import annotations

import pytest

from tests.salesforce_simulator.conftest import Api

TOP_LEVEL = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested "
    "WHERE expressions."
)
CASES = "(SELECT ContactId FROM Case)"
ROLES = "(SELECT ContactId FROM OpportunityContactRole)"


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        # main query
        (f"SELECT Id FROM Contact WHERE Id IN {CASES} OR LastName = 'x'", TOP_LEVEL),
        (f"SELECT Id FROM Contact WHERE NOT Id IN {CASES}", TOP_LEVEL),
        (f"SELECT Id FROM Contact WHERE LastName = 'x' AND (FirstName = 'y' AND Id IN {CASES})",
         TOP_LEVEL),
        (f"SELECT Id, (SELECT Id FROM Tasks WHERE WhoId IN {CASES}) FROM Contact", TOP_LEVEL),
        (f"SELECT Id FROM Contact WHERE Id IN {CASES} AND Id IN {ROLES} AND Id NOT IN {CASES}",
         "Maximum 2 semi join sub-selects are allowed"),
        (f"SELECT Id FROM Case WHERE Contact.Id IN {ROLES}",
         "The left operand 'Contact.Id' cannot have more than one level of relationships"),
        # inner query
        (f"SELECT Id FROM Case WHERE ContactId IN (SELECT Id FROM Contact WHERE Id IN {ROLES})",
         "Nesting of semi join sub-selects is not supported"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT Contact.Id FROM Case)",
         "The inner select field 'Contact.Id' cannot have more than one level of relationships"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT ReportsToId FROM Contact)",
         "The inner and outer selects should not be on the same object type"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT WhoId FROM Task)",
         "Entity 'Task' is not supported for semi join inner selects"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT AccountId FROM Case)",
         ("The selected field 'AccountId' in the subquery and the left operand field in the where "
          "expression in the outer query 'Id' should point to the same object type")),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT Subject FROM Case)",
         ("The selected field 'Subject' in the subquery and the left operand field in the where "
          "expression in the outer query 'Id' should point to the same object type")),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT ContactId FROM Case LIMIT 5)",
         "Semi join sub-selects can not use ORDER BY, LIMIT or OFFSET"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT ContactId FROM Case ORDER BY ContactId)",
         "Semi join sub-selects can not use ORDER BY, LIMIT or OFFSET"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT COUNT(ContactId) FROM Case)",
         "Semi join sub-selects must select exactly one field"),
    ],
)  # fmt: skip
def test_what_the_reference_forbids_is_refused(api: Api, soql: str, message: str) -> None:
    answer = api.query(soql)
    assert answer.status_code == 400
    [entry] = answer.json()
    assert entry["errorCode"] == "MALFORMED_QUERY"
    assert entry["message"].rpartition("\n")[2] == message


@pytest.mark.parametrize(
    "soql",
    [
        f"SELECT Id FROM Contact WHERE Id IN {CASES}",
        f"SELECT Id FROM Contact WHERE (Id NOT IN {CASES})",
        f"SELECT Id FROM Contact WHERE LastName LIKE 'D%' AND Id IN {CASES}",
        "SELECT Id FROM Task WHERE WhoId IN (SELECT Id FROM Contact WHERE MailingCity = 'Leeds')",
        "SELECT Id FROM Opportunity WHERE AccountId NOT IN (SELECT AccountId FROM Contact)",
        f"SELECT Id, (SELECT Id FROM Cases) FROM Contact WHERE Id IN {ROLES}",
        "SELECT COUNT() FROM Contact WHERE AccountId IN (SELECT Id FROM Account)",
    ],
)
def test_what_the_reference_allows_is_answered(api: Api, soql: str) -> None:
    answer = api.query(soql)
    assert answer.status_code == 200, answer.text
