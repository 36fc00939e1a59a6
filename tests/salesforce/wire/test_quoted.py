"""Salesforce echoes a refused query; nothing of ours, and no address, is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from keeping_plugin.errors import SalesforceError, SchemaStale
from keeping_plugin.salesforce import errors
from keeping_plugin.salesforce.wire.client import Answer
from tests.salesforce.conftest import LiveOrg

ADDRESS = "jane.o'brien+x@customer.example"
QUERY = "SELECT Id, Email FROM Contact WHERE Email = 'jane.o\\'brien+x@customer.example'"
ECHO = f"\n{QUERY}\n       ^\nERROR at Row:1:Column:8\n"
CUT = "\nContact WHERE Email IN ('jane.o\\'brien+x@customer.example','sam@x.example')\n   ^\n"

MESSAGES = [
    ("INVALID_FIELD", ECHO + "No such column 'Email' on entity 'Contact'. If you are …"),
    ("INVALID_TYPE", ECHO + "sObject type 'Contact' is not supported. If you are …"),
    ("MALFORMED_QUERY", ECHO + "unexpected token: 'brien'"),
    ("MALFORMED_QUERY", f"line 1:40 no viable alternative at {QUERY}"),
    ("INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: jane.o'brien+x@customer.example"),
    ("SOMETHING_NEW", CUT + "is not liked"),
    ("SOMETHING_NEW", f"It was refused: {QUERY}"),
    ("INSUFFICIENT_ACCESS", "no access for sam@x.example by 'jane.o'brien+x@customer.example'"),
    ("QUERY_TIMEOUT", f"Your query request was running for too long: {QUERY}"),
    ("INVALID_FIELD", 'unexpected token: "taro..x"@customer.example near here'),
    ("INVALID_FIELD", "no such page: /query?Email=brien%40customer.example"),
]


@pytest.mark.field_case("A20")
@pytest.mark.parametrize(("code", "message"), MESSAGES)
def test_words_of_a_refused_question_hold_nothing_of_it(code: str, message: str) -> None:
    body: list[dict[str, Any]] = [{"errorCode": code, "message": message}]
    error = errors.of_answer(Answer(400, body), write=False)
    said = f"{error} {error.complaints}"
    for canary in ("SELECT", "WHERE", "@", "brien", "customer.example", "x.example"):
        assert canary not in said, said


def test_what_salesforce_says_after_the_query_stays_with_the_names_in_it() -> None:
    body = [{"errorCode": MESSAGES[0][0], "message": MESSAGES[0][1]}]
    error = errors.of_answer(Answer(400, body), write=False)
    assert isinstance(error, SchemaStale)
    assert error.complaints[0].message.startswith("No such column 'Email' on entity 'Contact'.")
    assert (error.object, error.field) == ("Contact", "Email")


def test_words_of_a_refused_save_stay_as_they_came() -> None:
    words = f"Email: invalid email address: {ADDRESS} (see SELECT in the manual)"
    body = [{"errorCode": "INVALID_EMAIL_ADDRESS", "message": words}]
    assert errors.of_answer(Answer(400, body), write=True).complaints[0].message == words


def test_a_long_message_is_read_in_little_time() -> None:
    for filler in ("a", "'", "@", "a@", " \n", "^\n", "SELECT ", "ERROR at Row:"):
        body = [{"errorCode": "X", "message": filler * 200_000}]
        error = errors.of_answer(Answer(400, body), write=False)
        assert len(error.complaints[0].message) <= 4_000


@pytest.mark.field_case("A20")
def test_a_right_taken_away_in_the_org_says_so_without_the_query(org: LiveOrg) -> None:
    user = org.running.login("admin").username
    org.control.field_rights(user, "Contact", "Email", readable=False, editable=False)
    try:
        with pytest.raises(SalesforceError) as refused:
            org.gateway.find([ADDRESS])
    finally:
        org.control.field_rights(user, "Contact", "Email", readable=True, editable=True)
    [complaint] = refused.value.complaints
    assert complaint.message.startswith("No such column 'Email' on entity 'Contact'.")
