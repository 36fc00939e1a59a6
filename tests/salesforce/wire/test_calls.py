"""What goes over the wire with each call, and what of it is written down."""

from __future__ import annotations

import json
import logging
import time
import uuid
from datetime import UTC, datetime

import pytest

from keeping_plugin.errors import (
    CallNotStarted,
    ConnectionBarred,
    OutcomeUnclear,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.types import NewRecord, Tokens, Usage
from tests.salesforce.byte_server import Wire, reply, says, serving
from tests.salesforce.conftest import LiveOrg, MemoryTokens

ID = "003dM00001wBXYDQA4"
TOKEN = "00Dx0000000BV7z!AR8AQtoken"


def gateway_to(wire: Wire) -> Gateway:
    tokens = Tokens(TOKEN, "5Aep", wire.url, wire.url, f"{wire.url}/id/00Dx/005x")
    return Gateway(MemoryTokens(tokens), Transport(allow_loopback=True), version="66.0")


def headers_of(request: bytes) -> dict[str, str]:
    head = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    pairs = (line.partition(": ") for line in head)
    return {name.lower(): value for name, _, value in pairs}


def test_a_create_says_on_purpose_what_salesforce_would_default() -> None:
    body = json.dumps({"id": ID, "success": True, "errors": []}).encode()
    with serving(says(reply(body, status="201 Created"))) as wire:
        gateway_to(wire).create("Contact", {"LastName": "Doe"}, allow_duplicates=True)
    sent = headers_of(wire.requests[0])
    assert wire.requests[0].startswith(b"POST /services/data/v66.0/sobjects/Contact HTTP/1.1\r\n")
    assert sent["authorization"] == f"Bearer {TOKEN}"
    assert sent["sforce-auto-assign"] == "FALSE"
    assert sent["sforce-mru"] == "updateMru=false"
    assert sent["sforce-call-options"] == "client=keeping/create"
    assert sent["sforce-duplicate-rule-header"] == (
        "allowSave=true, includeRecordDetails=false, runAsCurrentUser=true"
    )
    assert sent["accept"] == "application/json"
    assert "x-prettyprint" not in sent


def test_an_update_asks_not_to_overwrite_a_later_edit() -> None:
    with serving(says(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")) as wire:
        gateway_to(wire).update(
            "Contact",
            ID,
            {"Phone": None},
            unless_modified_since=datetime(2026, 5, 6, 9, 49, 20, 999_000, tzinfo=UTC),
        )
    sent = headers_of(wire.requests[0])
    assert sent["if-unmodified-since"] == "Wed, 06 May 2026 09:49:20 GMT"
    assert sent["sforce-duplicate-rule-header"].startswith("allowSave=false")
    assert wire.requests[0].endswith(b'{"Phone": null}')


def test_collections_keep_types_together_and_say_the_same_as_a_single_save() -> None:
    with serving(says(reply(b'{"compositeResponse": []}'))) as wire:
        rows = [NewRecord(kind, {"X__c": n}) for n in range(150) for kind in ("Contact", "Task")]
        with pytest.raises(OutcomeUnclear):
            gateway_to(wire).create_many(rows)
    sent = json.loads(wire.requests[0].partition(b"\r\n\r\n")[2])
    assert sent["allOrNone"] is False
    first, second = sent["compositeRequest"]
    assert first["method"] == "POST"
    assert first["url"] == "/services/data/v66.0/composite/sobjects"
    assert first["httpHeaders"]["Sforce-Auto-Assign"] == "FALSE"
    assert first["body"]["allOrNone"] is False
    types = [row["attributes"]["type"] for row in first["body"]["records"]]
    assert types == ["Contact"] * 150 + ["Task"] * 50
    assert len(second["body"]["records"]) == 100


def test_one_collection_goes_by_itself() -> None:
    """So that no text in it can be taken for a reference to another part of a composite."""
    answer = json.dumps([{"id": ID, "success": True, "errors": []}] * 2).encode()
    with serving(says(reply(answer))) as wire:
        gateway_to(wire).create_many([NewRecord("Task", {"Subject": "@{a.b}"})] * 2)
    assert wire.requests[0].startswith(b"POST /services/data/v66.0/composite/sobjects HTTP/1.1")
    assert headers_of(wire.requests[0])["sforce-auto-assign"] == "FALSE"
    sent = json.loads(wire.requests[0].partition(b"\r\n\r\n")[2])
    row = {"attributes": {"type": "Task"}, "Subject": "@{a.b}"}
    assert sent == {"allOrNone": False, "records": [row, row]}


def test_describe_sends_the_time_of_the_last_change_back_verbatim() -> None:
    """In a composite the day is not padded with zeros."""
    moment = "Wed, 6 May 2026 09:49:20 GMT"
    answer = {
        "body": None,
        "httpHeaders": {"ETag": '"baf7f695"', "Last-Modified": moment},
        "httpStatusCode": 304,
        "referenceId": "d0",
    }
    with serving(says(reply(json.dumps({"compositeResponse": [answer]}).encode()))) as wire:
        [described] = gateway_to(wire).describe(["Contact"], unless_modified={"Contact": moment})
    [sub] = json.loads(wire.requests[0].partition(b"\r\n\r\n")[2])["compositeRequest"]
    assert sub["httpHeaders"] == {"If-Modified-Since": moment}
    assert (described.schema, described.last_modified) == (None, moment)


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=73/15000", Usage(73, 15_000)),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=keeping)", Usage(25, 5_000)),
        ("nonsense", None),
        ("", None),
    ],
)
def test_usage_and_date_are_read_from_each_answer(header: str, usage: Usage | None) -> None:
    more = (
        f"Sforce-Limit-Info: {header}\r\nDate: Wed, 06 May 2026 09:49:20 GMT\r\n"
        "Connection: close\r\n"
    )
    body = b'{"DailyApiRequests": {"Max": 100, "Remaining": 99}}'
    with serving(says(reply(body, headers=more))) as wire:
        gateway = gateway_to(wire)
        assert gateway.limits() == (usage or Usage(1, 100))
    assert gateway.usage == usage
    assert gateway.server_date == datetime(2026, 5, 6, 9, 49, 20, tzinfo=UTC)


@pytest.mark.parametrize("date", ["nonsense", "", "Wed, 99 May 2026 09:49:20 GMT"])
def test_a_date_that_cannot_be_read_is_none(date: str) -> None:
    with serving(says(reply(b"{}", headers=f"Date: {date}\r\nConnection: close\r\n"))) as wire:
        gateway = gateway_to(wire)
        with pytest.raises(SalesforceError):
            gateway.limits()
    assert gateway.server_date is None


def test_the_orgs_own_log_names_the_verb_of_each_call(org: LiveOrg) -> None:
    gateway = org.gateway
    gateway.find([f"{uuid.uuid4().hex}@example.com"])
    gateway.describe(["Contact"])
    gateway.create_many([NewRecord("Task", {"Subject": uuid.uuid4().hex})])
    told = [entry["call"] for entry in org.control.log()]
    assert told == ["keeping/find", "keeping/describe", "keeping/create_many"]


class SlowTokens(MemoryTokens):
    """A refresh that other processes hold up."""

    def renew(self, stale_access_token: str) -> Tokens:
        time.sleep(0.2)
        return super().renew(stale_access_token)


def test_a_call_held_up_by_a_refresh_is_not_started_anew(org: LiveOrg) -> None:
    """The refused request wrote nothing, and the mark of the repeat would be too old."""
    gateway = Gateway(SlowTokens(org.log_in("admin"), org.oauth), org.transport, version="66.0")
    name = uuid.uuid4().hex
    org.control.fault("unauthorized")
    with pytest.raises(CallNotStarted):
        gateway.create_many(
            [NewRecord("Contact", {"LastName": name})], start_by=time.monotonic() + 0.1
        )
    assert org.control.count(f"SELECT Id FROM Contact WHERE LastName = '{name}'") == 0


def test_a_refresh_that_outlives_the_deadline_leaves_nothing_unclear(org: LiveOrg) -> None:
    gateway = Gateway(
        SlowTokens(org.log_in("admin"), org.oauth), org.transport, version="66.0", deadline=0.15
    )
    org.control.fault("unauthorized")
    with pytest.raises(SalesforceUnavailable) as error:
        gateway.create("Contact", {"LastName": "X"})
    assert error.value.timed_out


def test_the_log_tells_what_a_call_cost_and_nothing_of_what_it_said(
    org: LiveOrg, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "canary.person@example.com"
    gateway = org.gateway
    gateway.find([canary])
    gateway.create("Contact", {"LastName": "Canary-Name", "Email": canary})
    with pytest.raises(SalesforceError):
        gateway.create("Contact", {"LastName": "Canary-Name" * 20})
    org.control.fault("reset", times=2)
    for act in (lambda: gateway.find([canary]), lambda: gateway.search("Contact", canary)):
        with pytest.raises(SalesforceError):
            act()
    lines = [record.getMessage() for record in caplog.records if "salesforce.call" in record.msg]
    assert [line.split(" ms=")[0] for line in lines] == [
        "salesforce.call name=find status=200",
        "salesforce.call name=create status=201",
        "salesforce.call name=create status=400",
        "salesforce.call name=find status=ConnectionError",
        "salesforce.call name=search status=ConnectionError",
    ]
    assert "usage=" in lines[0]
    for secret in ("canary", "Canary", org.tokens.tokens.access_token):
        assert secret not in caplog.text


@pytest.mark.field_case("A8")
@pytest.mark.parametrize("status", [401, 403])
def test_a_session_refused_with_any_status_is_renewed_once_and_then_told(
    org: LiveOrg, status: int
) -> None:
    """The code decides, whatever status stands on it."""
    body = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    scope = {"path": "/services/data/*"}
    org.control.fault("answer", times=None, scope=scope, status=status, body=body)
    before, told = org.tokens.renewed, len(org.tokens.refusals)
    with pytest.raises(ConnectionBarred):
        org.gateway.limits()
    assert org.tokens.renewed == before + 1
    assert len(org.tokens.refusals) == told + 1
