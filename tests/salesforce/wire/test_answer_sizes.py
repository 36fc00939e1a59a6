"""However much Salesforce, or whoever answers in its place, says: it costs little, and in time."""

from __future__ import annotations

import gzip
import json
import socket
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from keeping_plugin.errors import OutcomeUnclear, SalesforceError, SalesforceUnavailable
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.salesforce.wire.answer_sizes import (
    FRAMING,
    KB,
    LARGEST,
    MAX_BYTES,
    MB,
    too_many_values,
)
from keeping_plugin.salesforce.wire.transport import NoAnswer, Transport
from keeping_plugin.types import CreateLook, NewRecord, Tokens
from keeping_plugin.types.describe_result import schema_of
from salesforce_simulator.describe import load as described
from tests.salesforce.byte_server import Script, Wire, reply, says, serving
from tests.salesforce.conftest import MemoryTokens

CONTACT = "003dM00001wBXYDQA4"
SCHEMAS = {"Contact": schema_of(described("Contact"))}
LOOK = CreateLook(
    object="Case",
    person="Contact",
    person_id=CONTACT,
    created_by="005000000000001AAA",
    field="ContactId",
)
DEADLINE = 5.0


def gateway_to(wire: Wire) -> Gateway:
    tokens = Tokens(
        "token", "5Aep", wire.url, wire.url, f"{wire.url}/id/00D000000000001/005000000000001"
    )
    return Gateway(
        MemoryTokens(tokens), Transport(allow_loopback=True), version="66.0", deadline=DEADLINE
    )


VERBS: dict[str, Callable[[Gateway], object]] = {
    "find": lambda gateway: gateway.find(["jane@example.com"]),
    "panel": lambda gateway: gateway.panel("jane@example.com", SCHEMAS, {"Contact": ("LastName",)}),
    "read": lambda gateway: gateway.read("Contact", CONTACT, ["LastName"]),
    "search": lambda gateway: gateway.search("Account", "acme"),
    "create": lambda gateway: gateway.create("Contact", {"LastName": "X"}),
    "created": lambda gateway: gateway.created(LOOK),
    "create_many": lambda gateway: gateway.create_many([NewRecord("Contact", {"LastName": "X"})]),
    "update": lambda gateway: gateway.update("Contact", CONTACT, {"LastName": "Y"}),
    "accounts": lambda gateway: gateway.accounts(["acme.example"], person_accounts=False),
    "successors": lambda gateway: gateway.successors([CONTACT]),
    "find_by_text": lambda gateway: gateway.find_by_text("jane doe", {"Contact": ("LastName",)}),
    "inspect": lambda gateway: gateway.inspect("Contact", [CONTACT], ()),
    "read_many": lambda gateway: gateway.read_many("Contact", [CONTACT], ["LastName"]),
    "update_many": lambda gateway: gateway.update_many("Contact", {CONTACT: {"LastName": "Y"}}),
    "delete_many": lambda gateway: gateway.delete_many([CONTACT]),
    "describe": lambda gateway: gateway.describe(["Contact"]),
    "picklist_values": lambda gateway: gateway.picklist_values("Contact", "012000000000000AAA"),
    "closed_task_status": lambda gateway: gateway.closed_task_status(),
    "org_facts": lambda gateway: gateway.org_facts(),
    "visibility": lambda gateway: gateway.visibility("005000000000001AAA"),
    "users": lambda gateway: gateway.users(["jane@example.com"]),
    "limits": lambda gateway: gateway.limits(),
}
WRITES = {"create", "create_many", "delete_many", "update", "update_many"}


def ends(verb: str, script: Script) -> tuple[SalesforceError, float]:
    """The error of one call of this verb and how many MB of memory it took at most."""
    with serving(script) as wire:
        gateway = gateway_to(wire)
        tracemalloc.start()
        try:
            began = time.monotonic()
            with pytest.raises(
                OutcomeUnclear if verb in WRITES else SalesforceUnavailable
            ) as error:
                VERBS[verb](gateway)
            assert time.monotonic() - began < DEADLINE + 1
            return error.value, tracemalloc.get_traced_memory()[1] / MB
        finally:
            tracemalloc.stop()


def test_every_verb_has_a_cap() -> None:
    assert set(VERBS) | {"token", "revoke", "versions"} == set(MAX_BYTES)
    assert max(MAX_BYTES.values()) == LARGEST


@pytest.mark.field_case("B14")
@pytest.mark.parametrize(
    ("verb", "unit"), [("panel", b"[],"), ("describe", b'{"a":0},'), ("create_many", b"{},")]
)
def test_32_mb_of_json_take_little_memory_and_end_in_time(verb: str, unit: bytes) -> None:
    body = b"[" + unit * (32 * MB // len(unit) - 1) + b"0]"
    _, megabytes = ends(verb, says(reply(body)))
    assert megabytes < 50


@pytest.mark.field_case("B14")
@pytest.mark.parametrize("verb", VERBS)
def test_an_answer_of_more_than_the_verb_can_need_is_not_read(verb: str) -> None:
    body = b'"' + b"x" * MAX_BYTES[verb] + b'"'
    ends(verb, says(reply(body)))
    _, megabytes = ends(
        verb, says(reply(gzip.compress(body, 1), headers="Content-Encoding: gzip\r\n"))
    )
    assert megabytes < 4 * MAX_BYTES[verb] / MB + 4


@pytest.mark.field_case("B14")
@pytest.mark.parametrize("unit", [b"[],", b'"\\"",', b'"\\u0000",'])
def test_an_answer_just_below_the_cap_takes_little_memory(unit: bytes) -> None:
    body = b"[" + unit * (MAX_BYTES["panel"] // len(unit) - 1) + b"0]"
    _, megabytes = ends("panel", says(reply(body)))
    assert megabytes < 64


@pytest.mark.field_case("B14")
def test_an_answer_that_comes_with_the_deadline_is_not_parsed() -> None:
    late = [0.0]
    transport = Transport(allow_loopback=True, monotonic=lambda: time.monotonic() + late[0])

    def script(sock: socket.socket, request: bytes) -> None:
        answer = reply(b"{}")
        sock.sendall(answer[:-1])
        late[0] = 60.0
        sock.sendall(answer[-1:])

    with serving(script) as wire, transport.call(seconds=30), pytest.raises(NoAnswer) as error:
        transport.get(wire.url + "/services/data/v66.0/limits")
    assert error.value.timed_out


def test_values_in_what_people_wrote_do_not_count() -> None:
    text = json.dumps({"Description": 'a,b,[{"' * 100_000, "Broken": "\\" * 50_001}).encode()
    assert not too_many_values(text, KB)
    assert too_many_values(b"0," * 20_000, KB)
    assert not too_many_values(b'"' + b'\\"' * 500_000, KB)  # no end: still linear


@pytest.mark.parametrize("name", ["Account", "Case", "Contact", "Lead", "Opportunity", "Task"])
def test_describes_are_far_from_their_bounds(name: str) -> None:
    """A thousand fields more, and it is still taken."""
    body: Any = described(name)
    fields = [
        {**field, "name": f"{field['name']}{n}__c"} for n in range(20) for field in body["fields"]
    ]
    large = json.dumps({**body, "fields": fields}, separators=(",", ":")).encode()
    assert not too_many_values(large, MAX_BYTES["describe"])
    assert len(schema_of(json.loads(large), name).fields) == len(fields)


def test_bitmaps_that_would_fill_the_memory_are_no_describe() -> None:
    value = {"value": "x", "validFor": "/" * 3_000_000}
    body: Any = described("Contact")
    body = {**body, "fields": [{**body["fields"][0], "picklistValues": [value]}]}
    with pytest.raises(ValueError, match="bitmaps"):
        schema_of(body, "Contact")


@pytest.mark.field_case("B14")
@pytest.mark.parametrize(
    "number", ["1e999999", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 5_000, "9" * 21]
)
@pytest.mark.parametrize("verb", ["panel", "limits", "create_many", "create"])
def test_a_number_that_no_field_can_hold_is_no_answer(verb: str, number: str) -> None:
    body = f'{{"id": "{CONTACT}", "success": true, "x": {number}}}'
    ends(verb, says(reply(body.encode(), status="201 Created")))


@pytest.mark.field_case("B14")
@pytest.mark.parametrize(
    "header",
    [
        "Sforce-Limit-Info: api-usage=" + "9" * 5_000 + "/15000",
        "Sforce-Limit-Info: api-usage=1/" + "9" * 12,
        "Date: Wed, 06 May 99999999999 09:49:20 GMT",
        "Date: Fri, 31 Dec 9999 23:59:59 -0800",
    ],
)
def test_a_header_that_nobody_could_keep_is_passed_over(header: str) -> None:
    body = b'{"DailyApiRequests": {"Max": 15000, "Remaining": 14976}}'
    with serving(says(reply(body, headers=header + "\r\n"))) as wire:
        gateway = gateway_to(wire)
        assert gateway.limits().used == 24
        assert gateway.server_date is None
        assert gateway.usage is None


@pytest.mark.field_case("B14")
def test_lines_without_an_end_are_not_read_on() -> None:
    """http.client bounds headers; urllib3 reads the size of a chunk to the end of its line."""

    def script(sock: socket.socket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(64):
            sock.sendall(b"0" * MB)

    _, megabytes = ends("limits", script)
    assert megabytes < 4 * FRAMING / MB


@pytest.mark.parametrize("packed", ["br", "zstd", "deflate", "gzip, gzip", "gzip,br"])
def test_what_is_packed_otherwise_than_asked_is_no_answer(packed: str) -> None:
    body = gzip.compress(b"{}")
    ends("limits", says(reply(body, headers=f"Content-Encoding: {packed}\r\n")))


def test_only_gzip_is_asked_for() -> None:
    with serving(says(reply(b"{}"))) as wire, pytest.raises(SalesforceUnavailable):
        gateway_to(wire).limits()
    assert b"Accept-Encoding: gzip\r\n" in wire.requests[0]


@pytest.mark.field_case("B14")
def test_of_a_refusal_no_more_is_kept_than_anybody_reads() -> None:
    row = {"errorCode": "X" * 1_000, "message": "words " * 100, "fields": ["Name"] * 60}
    many = json.dumps([{**row, "message": "w" * 100_000}, *[row] * 100]).encode()
    answer = says(reply(many, status="400 Bad Request"))
    with serving(answer) as wire, pytest.raises(SalesforceError) as refused:
        gateway_to(wire).create("Contact", {"LastName": "X"})
    complaints = refused.value.complaints
    assert len(complaints) == 50
    assert max(len(each.message) for each in complaints) == 4_000
    assert {len(each.code) for each in complaints} == {128}
    assert {len(each.fields) for each in complaints} == {50}
