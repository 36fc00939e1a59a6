"""Section 3 and 10: versions, headers, ids, values, sizes, and what a call costs."""

from __future__ import annotations

import gzip
import json
import re
import threading
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from salesforce_simulator.process import RunningOrg

from .conftest import Api

USAGE = re.compile(r"^api-usage=\d+/15000$")


def used(answer: requests.Response) -> int:
    return int(answer.headers["Sforce-Limit-Info"].partition("=")[2].partition("/")[0])


# -- versions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/services/data", "/services/data/"])
def test_the_versions_need_no_login_and_are_not_counted(org: RunningOrg, path: str) -> None:
    before = org.control.usage()["used"]
    answer = requests.get(org.base_url + path, timeout=30)
    assert answer.status_code == 200
    assert answer.json()[-1] == {
        "label": "Spring '26",
        "url": "/services/data/v66.0",
        "version": "66.0",
    }
    assert [one["label"] for one in answer.json() if one["version"] in ("31.0", "65.0")] == [
        "Summer '14",
        "Winter '26",
    ]
    assert "Sforce-Limit-Info" not in answer.headers
    assert org.control.usage()["used"] == before


def test_the_resources_of_a_version_are_listed(api: Api) -> None:
    assert api.get("/services/data/v66.0/").json()["query"] == "/services/data/v66.0/query"


def test_a_removed_version_is_gone_and_an_unknown_one_not_found(api: Api) -> None:
    gone = api.get("/services/data/v21.0/limits")
    assert (gone.status_code, gone.json()[0]["errorCode"]) == (410, "GONE")
    for version in ("v99.0", "v66", "66.0", "v66.5"):
        answer = api.get(f"/services/data/{version}/limits")
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_a_deprecated_version_answers_with_a_warning(org: RunningOrg, api: Api) -> None:
    org.control.set(deprecated_versions=["40.0"])
    assert api.get("/services/data/v40.0/limits").headers["Warning"].startswith("299 - ")
    assert "Warning" not in api.get("limits").headers


# -- headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["limits", "sobjects/Nowhere", "query?q=nonsense"])
def test_every_answer_carries_the_recorded_headers(api: Api, path: str) -> None:
    headers = api.get(path).headers
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert headers["Cache-Control"] == "no-cache,must-revalidate,max-age=0,no-store,private"
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Server"] == "sfdcedge"
    assert re.match(r"^[0-9a-f]{32}$", headers["x-sfdc-request-id"])
    assert USAGE.match(headers["Sforce-Limit-Info"])


def test_the_date_follows_the_orgs_clock(org: RunningOrg, api: Api) -> None:
    org.control.advance(3600)
    shown = parsedate_to_datetime(api.get("limits").headers["Date"])
    assert abs((shown - org.control.now()).total_seconds()) < 10


@pytest.mark.parametrize("scheme", ["Bearer", "OAuth", "bearer"])
def test_both_authorization_schemes_are_accepted(api: Api, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {api.grant.access_token}"}
    assert api.get("limits", headers=headers).status_code == 200


def test_answers_are_compressed_and_bodies_may_be(api: Api, contact: str) -> None:
    answer = api.get("sobjects/Contact/describe")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["ETag"].endswith('--gzip"')
    plain = api.get("sobjects/Contact/describe", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json() == answer.json()
    sent = api.call(
        "PATCH",
        f"sobjects/Contact/{contact}",
        raw=gzip.compress(b'{"Title":"Compressed"}'),
        headers={"Content-Encoding": "gzip"},
    )
    assert sent.status_code == 204
    assert api.read("Contact", contact)["Title"] == "Compressed"


def test_chunked_bodies_are_accepted(api: Api, contact: str) -> None:
    answer = api.http.patch(
        f"{api.grant.instance_url}{api.base}/sobjects/Contact/{contact}",
        data=iter([b'{"Title":', b'"In chunks"}']),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )
    assert answer.status_code == 204
    assert api.read("Contact", contact)["Title"] == "In chunks"


@pytest.mark.parametrize(
    "path",
    [
        "query/?q=SELECT+Id+FROM+User",
        "query/?q=SELECT%20Id%20FROM%20User",
        "limits/",
        "sobjects/",
        "sobjects/Contact/",
    ],
)
def test_a_trailing_slash_does_not_matter(api: Api, path: str) -> None:
    assert api.get(path).status_code == 200


def test_post_may_stand_in_for_patch(api: Api, contact: str) -> None:
    answer = api.post(f"sobjects/Contact/{contact}?_HttpMethod=PATCH", {"Title": "Escaped"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.read("Contact", contact)["Title"] == "Escaped"


def test_head_answers_the_headers_alone(api: Api) -> None:
    answer = api.call("HEAD", "sobjects/Contact/describe")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "Last-Modified" in answer.headers


def test_sixteen_callers_at_once_are_all_answered(org: RunningOrg, api: Api) -> None:
    statuses: list[int] = []

    def call() -> None:
        for number in range(5):
            body = {"Subject": f"by many {number}", "Status": "Completed"}
            headers = {"Authorization": f"Bearer {api.grant.access_token}"}
            url = f"{org.base_url}{api.base}/sobjects/Task"
            statuses.append(requests.post(url, json=body, headers=headers, timeout=30).status_code)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 80
    assert org.control.counters()["api_requests"] == 80


def test_an_answer_without_a_body_has_no_content_type_and_keeps_the_connection(
    api: Api, contact: str
) -> None:
    answer = api.patch(f"sobjects/Contact/{contact}", {"Title": "x"})
    assert answer.status_code == 204
    assert "Content-Type" not in answer.headers
    assert answer.headers.get("Connection", "").lower() != "close"


# -- sizes -----------------------------------------------------------------------------------------


def test_a_uri_above_16384_bytes_is_refused_by_the_edge_and_not_as_json(api: Api) -> None:
    answer = api.get("query?q=" + "x" * 16_384)
    assert answer.status_code == 414
    assert "html" in answer.headers["Content-Type"]


def test_uri_and_headers_above_16384_bytes_are_refused_by_the_edge(api: Api) -> None:
    answer = api.get("query?q=" + "x" * 15_000, headers={"X-Long": "y" * 1500})
    assert answer.status_code == 431


def test_the_same_query_fits_into_a_composite(api: Api) -> None:
    soql = "SELECT+Id+FROM+Contact+WHERE+Email+IN+(" + ",".join(["'x'"] * 5000) + ")"
    [answer] = api.composite(
        {"method": "GET", "referenceId": "q", "url": f"query?q={soql.replace(' ', '+')}"}
    )
    assert answer["httpStatusCode"] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_is_not_json_is_an_unsupported_type(api: Api, kind: str) -> None:
    answer = api.post("sobjects/Contact", raw=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"LastName":',
        b"[]",
        b'"text"',
        b"null",
        b'{"LastName":NaN}',
        b'{"LastName":"\xff"}',
        b"[" * 10_000 + b"]" * 10_000,
    ],
)
def test_malformed_json_is_refused(api: Api, raw: bytes) -> None:
    answer = api.post("sobjects/Contact", raw=raw)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


# -- ids and values --------------------------------------------------------------------------------


def test_ids_come_with_18_characters_and_are_taken_with_15(api: Api, contact: str) -> None:
    assert re.match(r"^003[a-zA-Z0-9]{15}$", contact)
    assert api.get(f"sobjects/Contact/{contact[:15]}").json()["Id"] == contact


def test_names_of_objects_and_fields_do_not_mind_case(api: Api, address: str) -> None:
    answer = api.post("sobjects/cONTACT", {"lastname": "Case", "EMAIL": address})
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith("/services/data/v66.0/sobjects/Contact/003")
    found = api.query(f"select id, EMAIL from contact where email = '{address.upper()}'").json()
    assert found["records"][0]["Email"] == address


def test_values_come_out_as_the_service_writes_them(api: Api, contact: str) -> None:
    record = api.read("Contact", contact)
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$", record["CreatedDate"])
    assert record["IsDeleted"] is False
    assert record["Phone"] is None


def test_text_is_trimmed_and_empty_text_becomes_null(api: Api, contact: str) -> None:
    assert api.patch(f"sobjects/Contact/{contact}", {"Title": "  Boss  "}).status_code == 204
    assert api.read("Contact", contact)["Title"] == "Boss"
    for empty in ("", None, "   "):
        api.patch(f"sobjects/Contact/{contact}", {"Title": "Boss"})
        assert api.patch(f"sobjects/Contact/{contact}", {"Title": empty}).status_code == 204
        assert api.read("Contact", contact)["Title"] is None


# -- what a call costs (section 10) ----------------------------------------------------------------


def test_each_call_counts_one_errors_included(api: Api) -> None:
    first = used(api.get("limits"))
    assert used(api.get("sobjects/Nowhere")) == first + 1
    assert used(api.query("nonsense")) == first + 2


def test_a_composite_counts_one_and_a_batch_each_of_its_subrequests(api: Api) -> None:
    first = used(api.get("limits"))
    get = {"method": "GET", "url": "query?q=SELECT+Id+FROM+User+LIMIT+1"}
    api.composite(*({**get, "referenceId": f"r{n}"} for n in range(5)))
    assert used(api.get("limits")) == first + 2
    batch = {"batchRequests": [{"method": "GET", "url": "v66.0/limits"}] * 7}
    assert used(api.post("composite/batch", batch)) == first + 9


def test_a_collection_counts_one(api: Api) -> None:
    first = used(api.get("limits"))
    records = [{"attributes": {"type": "Task"}, "Subject": f"n{n}"} for n in range(50)]
    assert used(api.post("composite/sobjects", {"records": records})) == first + 1


def test_limits_tell_what_is_left_to_those_who_may_view_the_setup(api: Api, few: Api) -> None:
    daily = api.get("limits").json()["DailyApiRequests"]
    assert daily["Max"] == 15_000
    assert daily["Remaining"] < 15_000
    assert few.get("limits").status_code == 403


def test_at_the_daily_limit_every_call_is_refused_until_the_window_has_passed(
    org: RunningOrg, api: Api
) -> None:
    org.control.usage(limit=15_000, used=0)
    assert api.get("limits").status_code == 200
    org.control.usage(limit=1)
    answer = api.get("limits")
    assert answer.status_code == 403
    assert answer.json() == [
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    ]
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/1"
    org.control.advance(24 * 3600 + 120)
    org.control.call("PATCH", "/settings", {"session_seconds": 10**6})
    assert api.get("limits").status_code in (200, 401)


def test_userinfo_and_the_versions_are_not_counted(org: RunningOrg, api: Api) -> None:
    before = org.control.usage()["used"]
    api.get("/services/oauth2/userinfo")
    api.get("/services/data/")
    assert org.control.usage()["used"] == before


# -- the log ---------------------------------------------------------------------------------------


def test_the_log_tells_what_a_call_was_and_never_its_token(org: RunningOrg, api: Api) -> None:
    headers = {"Sforce-Call-Options": "client=panel"}
    # Other tests add users of their own.
    api.get("query", params={"q": "SELECT Id FROM User LIMIT 4"}, headers=headers)
    part = {"method": "GET", "url": "/services/data/v66.0/sobjects", "referenceId": "a"}
    api.post("composite", {"compositeRequest": [part]})
    single, whole = org.control.log()
    expected: dict[str, Any] = {
        "method": "GET",
        "path": "/services/data/v66.0/query",
        "call": "panel",
        "user": "admin@example.com",
        "status": 200,
        "api_requests": 1,
        "subrequests": 0,
        "rows": 4,
        "faults": [],
    }
    assert {name: single[name] for name in expected} == expected
    assert (whole["subrequests"], whole["parts"]) == (1, ["GET sobjects"])
    assert single["token"] == whole["token"]
    assert api.grant.access_token not in json.dumps(org.control.log())
    assert org.control.counters() == {
        "http_round_trips": 2,
        "data_round_trips": 2,
        "oauth_round_trips": 0,
        "browser_round_trips": 0,
        "api_requests": 2,
        "composite_subrequests": 1,
        "rows": 4,
    }


# -- what is not modelled --------------------------------------------------------------------------


def test_resources_that_are_not_modelled_are_not_found(org: RunningOrg, api: Api) -> None:
    """Bulk, Tooling, SOAP, actions, the UI API for records, lists and layouts, streaming."""
    asked = [
        ("GET", "tooling/query?q=SELECT+Id+FROM+EntityDefinition"),
        ("POST", "tooling/sobjects/PlatformEventChannel"),
        ("GET", "jobs/ingest"),
        ("POST", "jobs/ingest"),
        ("POST", "jobs/query"),
        ("POST", "actions/standard/convertLead"),
        ("POST", "actions/standard/invocableApplyLeadAssignmentRules"),
        ("POST", "actions/custom/flow/Convert"),
        ("POST", "ui-api/records"),
        ("GET", "ui-api/records/003000000000001AAA"),
        ("GET", "ui-api/layout/Contact?layoutType=Compact"),
        ("GET", "ui-api/related-list-info/Contact"),
        ("POST", "ui-api/related-list-records/003000000000001AAA/Cases"),
        ("GET", "/cometd/66.0"),
        ("POST", "/services/Soap/u/67.0"),
        ("POST", "/services/apexrest/convert"),
    ]
    body = {"object": "Task", "operation": "insert"}
    for method, path in asked:
        answer = api.call(method, path, body if method == "POST" else None)
        assert answer.status_code == 404, path
    xml = {"Content-Type": "text/xml", "SOAPAction": '""'}
    url = f"{org.base_url}/services/Soap/u/67.0"
    assert requests.post(url, data=b"<x/>", headers=xml, timeout=30).status_code == 404
