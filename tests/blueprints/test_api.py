"""The JSON answers are what openapi.json says they are, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans, sampled_from
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.blueprints.inbox import CUSTOMER, Inbox, open_inbox

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    """One inbox for all cases, with somebody in the org and no limit on asking."""
    file = tmp_path_factory.mktemp("api") / "inbox.sqlite3"
    with open_inbox(f"sqlite:///{file}", limit=(10**9, 10**9)) as inbox:
        inbox.connect()
        fake = inbox.salesforce
        account = fake.add("Account", Name="Acme")
        jane = fake.add("Contact", LastName="Doe", Email=CUSTOMER.email, AccountId=account)
        fake.add("Case", CaseNumber="00001", Subject="Broken", ContactId=jane)
        yield inbox


OPERATIONS = (
    "panel",
    "pick",
    "new",
    "create",
    "use",
    "search",
    "edit_form",
    "edit",
    "edit_field_form",
    "edit_field",
    "field",
    "log",
    "retry",
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_as_described(served: Inbox, operation: str) -> None:
    api = schemathesis.openapi.from_wsgi("/salesforce/openapi.json", served.app)
    client = served.app.test_client()
    headers = {"Accept": "application/json", "X-CSRFToken": client.get("/token").text}
    cookie = client.get_cookie("session")
    assert cookie is not None
    jane = served.salesforce.rows("Contact")[0]["Id"]
    statuses = set()

    @given(
        case=api.find_operation_by_id(operation).as_strategy(),
        there=booleans(),
        field=sampled_from(["Phone", "Email", "MailingAddress", "AccountId"]),
    )
    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case, there: bool, field: str) -> None:
        if there:  # meet what exists, too
            case.path_parameters["conversation_id"] = "c-1"
            if "record_id" in case.path_parameters:
                case.path_parameters |= {"object": "Contact", "record_id": jane}
            if "field" in case.path_parameters:
                case.path_parameters["field"] = field
            if operation == "pick":
                case.body = {"record": f"Contact/{jane}"}
            if operation == "search":
                case.path_parameters["object"] = "Account"
        answer = case.call_and_validate(
            headers=headers, cookies={"session": cookie.value}, checks=CHECKS
        )
        statuses.add(answer.status_code)

    check()
    # A ticket and a failed entry cannot be guessed.
    assert operation in ("use", "retry") or any(status < 300 for status in statuses), statuses


def test_all_operations_are_tried(served: Inbox) -> None:
    document = served.app.test_client().get("/salesforce/openapi.json").json
    named = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert sorted(named) == sorted(OPERATIONS)


def test_the_document_names_the_prefix_of_this_host(served: Inbox) -> None:
    document = served.app.test_client().get("/salesforce/openapi.json").json
    assert document["servers"] == [{"url": "/salesforce"}]


def test_every_route_of_the_agents_is_described(served: Inbox) -> None:
    described = {
        (path, method)
        for path, item in served.app.test_client()
        .get("/salesforce/openapi.json")
        .json["paths"]
        .items()
        for method in item
        if method != "parameters"
    }
    routes = {
        (
            rule.rule.removeprefix("/salesforce")
            .replace("<int:", "<")
            .replace("<", "{")
            .replace(">", "}"),
            method.lower(),
        )
        for rule in served.app.url_map.iter_rules()
        if rule.rule.startswith("/salesforce/conversations")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes
