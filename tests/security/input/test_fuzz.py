"""Whatever comes in, no handler ends in a traceback, a 500 or a wait beyond its deadline.

The inputs are those that every handler must survive, and what Hypothesis and Schemathesis make of
them. The agents' JSON API meets its description in tests/blueprints/test_api.py; answers of
Salesforce of every shape are sorted in tests/salesforce/test_errors.py and test_faults.py. Examples
are bounded and the same in every run.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error

from keeping_plugin.errors import KeepingError
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.types import Address, ContactMatch, ObjectSchema, Tokens
from salesforce_simulator import describe
from tests.blueprints.inbox import ADMIN, AGENT, CUSTOMER, FIELDS, Inbox, open_inbox, token
from tests.fake_salesforce import FakeSalesforce
from tests.salesforce.byte_server import reply, says, serving
from tests.salesforce.conftest import MemoryTokens
from tests.security.routes import ROUTES, For
from tests.security.town import Ids

DEADLINE = 2.0  # seconds of processor time that a request may take here
PINNED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

TEXTS = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        [
            "o'hara\\@example.com",
            "a%b@example.com",
            "a@b.example, c@d.example",
            "a\x00@example.com",
            "a\u2028@example.com",
            "a" * 321 + "@example.com",
            "n" * 81,
            "<b onclick=x>",
            "\U0001f600" * 40,
            "=1+cmd|' /C calc'!A0",
            "x" * 32_001,
            "//evil.example/x",
            "../Account/001",
            "003000000000001?_HttpMethod=DELETE",
            "\ud800",
            "2026-13-45",
            "9" * 400,
            "NaN",
            "-1e999",
            "",
        ]
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
# Bodies that are no JSON object, or one that is hard to read.
RAW = [
    b"",
    b"[]",
    b"null",
    b'"text"',
    b"{",
    b"\xff\xfe",
    b"[" * 10_000 + b"]" * 10_000,
    b'{"fields":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"fields": {"Title": "' + b"x" * 1_000_000 + b'"}}',
    b'{"record": 1e999, "fields": {"Amount": 1e999}}',
    b'{"fields": {"Title": "\\ud800"}}',
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    file = tmp_path_factory.mktemp("fuzz") / "inbox.sqlite3"
    with open_inbox(f"sqlite:///{file}", limit=(10**9, 10**9)) as inbox:
        inbox.connect()
        inbox.app.config["PROPAGATE_EXCEPTIONS"] = True  # a traceback fails the test by itself
        fake = inbox.salesforce
        account = fake.add("Account", Name="Acme")
        fake.add("Contact", LastName="Doe", Email=CUSTOMER.email, AccountId=account)
        yield inbox


def ids_of(inbox: Inbox) -> Ids:
    rows = inbox.salesforce.rows
    contact, account = rows("Contact")[0]["Id"], rows("Account")[0]["Id"]
    records = {"Contact": contact, "Account": account, "Opportunity": contact, "Case": contact}
    return Ids(conversation="c-1", mailbox="support", customer=CUSTOMER, records=records, entry=1)


def send(inbox: Inbox, route: Any, **options: Any) -> None:
    """One request to a route; it ends in time, and in an answer of ours."""
    client = inbox.client(ADMIN if route.whom is For.ADMINS else AGENT)
    headers = {**options.pop("headers", {}), "X-CSRFToken": token(client)}
    path, _ = route.filled(ids_of(inbox))
    began = time.thread_time()
    answer = client.open(path, method=route.method, headers=headers, buffered=True, **options)
    assert answer.status_code not in (500, 501, 502), (route.name, answer.text)
    assert "Traceback" not in answer.text
    assert time.thread_time() - began < DEADLINE, route.name


WRITES = [r for r in ROUTES if r.method == "POST" and r.endpoint not in ("disconnect", "preflight")]
READS = [r for r in ROUTES if r.method == "GET" and r.endpoint not in ("static", "oauth_callback")]
NAMES = st.sampled_from(
    "sf_LastName sf_Email sf_Title sf_AccountId sf_MailingStreet was_Title record ticket replace "
    "record_type retype find q_AccountId in_AccountId save_anyway domains do skip_logging mailbox "
    "fields forget search answer window connection reason state action".split()
)


@PINNED
@given(form=st.lists(st.tuples(NAMES | TEXTS, TEXTS), max_size=6))
def test_forms_of_every_write_route(served: Inbox, form: list[tuple[str, str]]) -> None:
    body = urlencode(form, errors="surrogatepass").encode()
    for route in WRITES:
        kind = "application/x-www-form-urlencoded"
        send(served, route, data=body, content_type=kind)


@PINNED
@given(body=st.dictionaries(st.sampled_from(["fields", "seen", "record", "ticket"]), JSON))
def test_json_of_every_write_route(served: Inbox, body: dict[str, Any]) -> None:
    for route in WRITES:
        accept = {"Accept": "application/json"}
        send(served, route, data=json.dumps(body), content_type="application/json", headers=accept)


@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
def test_bodies_that_are_no_json_object(served: Inbox, raw: bytes) -> None:
    for route in WRITES:
        for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
            send(served, route, data=raw, content_type=kind)


@PINNED
@given(query=st.lists(st.tuples(NAMES | TEXTS, TEXTS), max_size=5))
def test_query_strings_of_every_read_route(served: Inbox, query: list[tuple[str, str]]) -> None:
    text = urlencode(query, errors="surrogatepass")
    for route in READS:
        path = route.path.partition("?")[0]
        send(served, replace(route, path=path), query_string=text)


@PINNED
@given(
    arguments=st.dictionaries(
        st.sampled_from(["code", "state", "error", "error_description", "again", "window"]), TEXTS
    )
)
def test_oauth_callbacks(served: Inbox, arguments: dict[str, str]) -> None:
    client = served.client(ADMIN)
    text = urlencode(arguments, errors="surrogatepass")
    answer = client.get("/salesforce/oauth/callback", query_string=text)
    assert answer.status_code == 400


@PINNED
@given(email=TEXTS, name=TEXTS)
def test_customers_of_every_kind(served: Inbox, email: str, name: str) -> None:
    try:
        served.customer(Address(email, name))
        for route in READS:
            if route.whom is For.AGENTS and route.endpoint in ("panel", "create", "search"):
                send(served, route)
    finally:
        served.customer(CUSTOMER)


@pytest.mark.parametrize("operation", ["pick", "create", "use", "edit", "edit_field", "retry"])
def test_the_api_without_and_with_a_login(served: Inbox, operation: str) -> None:
    """As tests/blueprints/test_api.py, for people who may not: nobody and another company."""
    api = schemathesis.openapi.from_wsgi("/salesforce/openapi.json", served.app)

    @PINNED
    @given(case=api.find_operation_by_id(operation).as_strategy(), logged_in=st.booleans())
    def check(case: Case, logged_in: bool) -> None:
        client = served.client(None)
        secret = token(client)
        cookie = client.get_cookie("session")
        assert cookie is not None
        headers = {"Accept": "application/json", **({"X-CSRFToken": secret} if logged_in else {})}
        before = len(served.salesforce.calls)
        answer = case.call_and_validate(
            headers=headers, cookies={"session": cookie.value}, checks=[not_a_server_error]
        )
        assert answer.status_code in (400, 401, 404, 405, 413, 415)
        assert len(served.salesforce.calls) == before

    check()


def tokens_at(url: str) -> Tokens:
    return Tokens(
        access_token="token",
        refresh_token="refresh",
        instance_url=url,
        login_url=url,
        identity_url=f"{url}/id/00D000000000001AAA/005000000000001AAA",
    )


@PINNED
@given(answers=st.lists(JSON, min_size=1, max_size=3), status=st.sampled_from([200, 201, 300, 400]))
def test_whatever_salesforce_answers_is_an_answer_or_an_error_of_ours(
    answers: list[Any], status: int
) -> None:
    """Through the true transport and gateway: reads and writes, with JSON of every shape."""

    def script(sock: socket.socket, request: bytes) -> None:
        body = json.dumps(answers[len(wire.requests) % len(answers)]).encode()
        sock.sendall(reply(body, status=f"{status} X"))

    schemas = FakeSalesforce().org.schemas
    with serving(script) as wire:
        transport = Transport(allow_loopback=True)
        gateway = Gateway(
            MemoryTokens(tokens_at(wire.url)), transport, version="66.0", deadline=DEADLINE
        )
        began = time.monotonic()
        verbs = (
            lambda: gateway.panel("a@example.com", schemas, {"Contact": ["Name"]}),
            lambda: gateway.find(["a@example.com"]),
            lambda: gateway.read("Contact", "003000000000001AAA", ["Name"]),
            lambda: gateway.create("Contact", {"LastName": "x"}),
            lambda: gateway.update("Contact", "003000000000001AAA", {"LastName": "x"}),
            lambda: gateway.search("Account", "acme"),
            lambda: gateway.describe(["Contact"]),
            lambda: gateway.org_facts(),
            lambda: gateway.limits(),
        )
        for verb in verbs:
            try:
                found = verb()
            except KeepingError:
                continue
            assert not isinstance(found, ContactMatch) or found.contact.id
        assert time.monotonic() - began < len(verbs) * DEADLINE
        transport.close()


# What a describe says, and what may stand there instead.
_SAYS = {
    "object": "label labelPlural keyPrefix createable updateable queryable name fields "
    "recordTypeInfos childRelationships",
    "field": "name label type length precision scale digits createable updateable nillable "
    "defaultedOnCreate defaultValue calculated autoNumber nameField extraTypeInfo "
    "compoundFieldName inlineHelpText picklistValues restrictedPicklist controllerName "
    "referenceTo relationshipName htmlFormatted encrypted",
    "value": "value label active defaultValue validFor",
    "kind": "recordTypeId name developerName available active defaultRecordTypeMapping master",
}
_PLACES = st.sampled_from([(of, name) for of, names in _SAYS.items() for name in names.split()])
_TYPES = st.sampled_from(
    "string picklist multipicklist reference boolean date datetime time double currency percent "
    "int long email phone url textarea combobox address location id base64 anyType "
    "encryptedstring complexvalue nothing".split()
)
_GONE = "gone"
_SAID = JSON | _TYPES | st.sampled_from([_GONE, 10**30, -1, 2**31, 1e300, True, False])


def edited(edits: list[tuple[tuple[str, str], int, Any]]) -> dict[str, Any]:
    """A Contact's describe with some of it said otherwise: place, which field, what."""
    body = describe.load("Contact")
    fields = list(body["fields"])
    lists = [field for field in fields if field.get("picklistValues")]
    places: dict[str, list[dict[str, Any]]] = {
        "object": [body],
        "field": fields,
        "value": [value for field in lists for value in field["picklistValues"]],
        "kind": list(body["recordTypeInfos"]),
    }
    for (of, name), number, said in edits:
        place = places[of][number % len(places[of])]
        if said == _GONE:
            place.pop(name, None)
        else:
            place[name] = said
    return body


def describe_over_the_wire(body: object) -> ObjectSchema | None:
    """What the gateway makes of it; None when it refuses it with an error of ours."""
    part = {"body": body, "httpHeaders": {}, "httpStatusCode": 200, "referenceId": "d0"}
    text = json.dumps({"compositeResponse": [part]}).encode()
    with serving(says(reply(text))) as wire:
        transport = Transport(allow_loopback=True)
        gateway = Gateway(MemoryTokens(tokens_at(wire.url)), transport, version="66.0")
        try:
            (found,) = gateway.describe(["Contact"])
        except KeepingError:
            return None
        finally:
            transport.close()
    return found.schema


@settings(PINNED, max_examples=60)
@example(edits=[(("object", "name"), 0, "User")])
@given(edits=st.lists(st.tuples(_PLACES, st.integers(0, 99), _SAID), min_size=1, max_size=8))
def test_describe_payloads_through_every_page(
    served: Inbox, edits: list[tuple[tuple[str, str], int, Any]]
) -> None:
    """The panel, the forms and the settings made of it, and what a person saves with them."""
    schema = describe_over_the_wire(edited(edits))
    if schema is None:
        return
    served.describe({**served.salesforce.org.schemas, "Contact": schema})
    try:
        served.choose("Contact", *list(schema.fields)[:40])
        for route in (*READS, *WRITES):
            if route.endpoint in ("panel", "create", "edit_record", "settings", "fields", "search"):
                options = {} if route.method == "GET" else {"data": {"sf_LastName": "Doe"}}
                send(served, route, **options)
    finally:
        served.describe(served.salesforce.org.schemas)
        served.choose("Contact", *FIELDS["Contact"])


def test_half_a_character_and_nul_from_salesforce_are_shown_as_such() -> None:
    """A trigger that cuts an emoji in two must not take the page away."""
    body = describe.load("Contact")
    body["label"] = "Kontakt\ud83d"
    body["fields"][1]["label"] = "a\x00b\udc00\ud83d\ude00"
    schema = describe_over_the_wire(body)
    assert schema is not None
    assert schema.label == "Kontakt\ufffd"
    assert list(schema.fields.values())[1].label == "a\ufffdb\ufffd\U0001f600"
