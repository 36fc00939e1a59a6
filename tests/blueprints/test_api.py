"""The JSON answers are what openapi.json says they are, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

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
from sqlalchemy import update

from keeping_plugin.blueprints.web.guards import MAX_BYTES, ROW_ID
from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import FindingPolicy, Installation
from keeping_plugin.objects import CREATED
from keeping_plugin.services.people import picks
from keeping_plugin.services.schema import creating
from keeping_plugin.types import Address, Direction, Message
from tests.blueprints.inbox import ADMIN, AGENT, CONVERSATION, CUSTOMER, Inbox, open_inbox

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

MAIL = Message(
    company_id="acme",
    mailbox_id="support",
    conversation_id="c-1",
    message_id="m-1",
    direction=Direction.INBOUND,
    opens_conversation=True,
    customer=CUSTOMER,
    sender=CUSTOMER,
    recipients=(),
    sent_at=datetime(2026, 5, 6, tzinfo=UTC),
    subject="Where is my order?",
)


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
        with inbox.database.write() as session:
            named = {"Contact": "Second_Email__c"}
            for row in CREATED:
                creating.change(session, ADMIN, row.name, allowed=True)
            session.add(FindingPolicy(company_id="acme", search=True, add_to=named))
            session.execute(update(Installation).values(contract=1))
            other = "other@acme.example"
            picks.keep(session, AGENT, inbox.connection_id, other, "Contact", jane)
        picked = replace(CONVERSATION, id="c-picked", customer=Address(other))
        inbox.desk.add_conversation("acme", picked)
        inbox.desk.add_message(MAIL)
        yield inbox


@pytest.fixture
def inbox(sqlite_url: str) -> Iterator[Inbox]:
    """One of its own, for what must not stay."""
    with open_inbox(sqlite_url) as opened:
        opened.connect()
        yield opened


OPERATIONS = (
    "panel",
    "pick",
    "unpick",
    "find",
    "address_look",
    "address",
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
    "log_now",
    "do_not_log",
    "log_again",
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
            if operation.startswith("address"):
                case.path_parameters["conversation_id"] = "c-picked"
            if operation == "address":
                case.body = {"do": "add"}
            if operation == "log_now":
                case.body = {"message": "m-1"}
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


def test_a_body_that_is_too_large_is_refused_as_described(served: Inbox) -> None:
    """On every operation that takes one; in JSON, as everything else is."""
    document = served.app.test_client().get("/salesforce/openapi.json").json
    client = served.app.test_client()
    headers = {"Accept": "application/json", "X-CSRFToken": client.get("/token").text}
    writes = [path for path, item in document["paths"].items() if "post" in item]
    assert len(writes) == 11
    for path in writes:
        assert "413" in document["paths"][path]["post"]["responses"], path
        values = {"conversation_id": "c-1", "object": "Contact", "record_id": "003000000000001AAA"}
        url = path.format(**values, field="Phone", entry_id=1)
        answer = client.post(
            f"/salesforce{url}",
            data=b'{"fields": {"Phone": "' + b"x" * MAX_BYTES + b'"}}',
            content_type="application/json",
            headers=headers,
        )
        assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large"), path


@pytest.mark.parametrize("state", ["lost", "away", "crowded"])
def test_what_goes_wrong_outside_is_described_as_well(inbox: Inbox, state: str) -> None:
    """Every operation on what exists, while Salesforce does not serve."""
    jane = inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email)
    document = inbox.app.test_client().get("/salesforce/openapi.json").json
    client = inbox.app.test_client()
    headers = {"Accept": "application/json", "X-CSRFToken": client.get("/token").text}
    if state == "lost":
        inbox.lose()
    elif state == "crowded":
        for _ in range(60):
            inbox.runtime.rate.hit("acme", inbox.desk.agent.id)
    seen = set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            if state == "away":
                for verb in ("panel", "find", "read", "update", "create", "search"):
                    inbox.salesforce.fail(verb, SalesforceUnavailable("away"))
            values = {"conversation_id": "c-1", "object": "Contact", "record_id": jane}
            url = path.format(**values, field="Phone", entry_id=1)
            body = {"fields": {"LastName": "Doe", "Phone": "1"}, "record": "Contact/x"}
            sent = {"json": body} if method == "post" else {"query_string": {"q": "acme"}}
            answer = client.open(f"/salesforce{url}", method=method, headers=headers, **sent)
            assert str(answer.status_code) in operation["responses"], (operation, answer.text)
            seen.add(answer.status_code)
    assert 503 in seen


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
            .replace(f"<{ROW_ID}:", "<")
            .replace("<", "{")
            .replace(">", "}"),
            method.lower(),
        )
        for rule in served.app.url_map.iter_rules()
        if rule.rule.startswith("/salesforce/conversations")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes
