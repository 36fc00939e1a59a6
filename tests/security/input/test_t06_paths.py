"""T6: no id, object or field name from a browser reaches Salesforce unless it is known to be one.

The patterns themselves are tried in tests/salesforce/queries/test_soql.py. Here they go through
every route that names one, as they stand, percent-encoded, and in forms and JSON; the org's log
stays empty.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.security.town import Town

IDS = [
    "//evil.example/x",
    "../Account/001",
    "..%2fAccount%2f001",
    "003000000000001?_HttpMethod=DELETE",
    "003000000000001AAA?_HttpMethod=DELETE",
    "003000000000001AAA/../../composite",
    "003000000000001AA",  # 17 characters
    "0030000000000010",
    "001000000000001AAA",  # an Account's
    "00Q000000000001AAA",
    "003000000000001AAA",  # well formed, and of nobody here
    "003000000000001AAA ",
    "003000000000001AAA\n",
    "003\u0660000000000001",
    "@{contact.id}",
    "' OR Id != '",
    "003000000000001\x00AA",
    "x" * 5_000,
    ".",
    "null",
]
OBJECTS = [
    "User",
    "Task",
    "ContentVersion",
    "Organization",
    "contact",
    "Contact ",
    "Contact/../User",
    "Contact,User",
    "Contact__c",
    "Contact' OR '",
    "Contact?x=1",
    "../Account",
    "sobjects",
    "x" * 300,
    "\u0421ontact",  # Cyrillic
]
FIELDS = [
    "Owner.Email",
    "OwnerId",
    "Id",
    "Secret__c",
    "Email,Phone",
    "Email FROM User",
    "(SELECT Id FROM Cases)",
    "FIELDS(ALL)",
    "__proto__",
    "Email' OR '",
    "../Email",
    "email",
    "x" * 300,
    "sf_Email",
]


def bad_paths(town: Town) -> list[tuple[str, str]]:
    ids = town.ids["acme"]
    jane, at = ids.records["Contact"], "/salesforce/conversations/c-1"
    found: list[tuple[str, str]] = []
    for bad in IDS:
        tails = ("/edit", "/edit/Phone", "/field/Phone")
        found += [(f"{at}/Contact/", bad + tail) for tail in tails]
        found += [(f"{at}/Account/", bad + tail) for tail in tails]
        found.append(("/salesforce/conversations/", bad if bad != "." else "x/."))
        found.append((f"{at}/log/", f"{bad}/retry"))
    for bad in OBJECTS:
        found.append((f"{at}/", f"{bad}/{jane}/edit"))
        found.append((f"{at}/", f"{bad}/{jane}/edit/Phone"))
        found.append((f"{at}/new/", bad))
        found.append((f"{at}/search/", f"{bad}?q=anything"))
        found.append(("/salesforce/settings/fields/", bad))
    for bad in FIELDS:
        found.append((f"{at}/Contact/{jane}/edit/", bad))
        found.append((f"{at}/Contact/{jane}/field/", bad))
    return found


@pytest.mark.parametrize("person", ["gus", "ada"])
def test_no_bad_path_reaches_salesforce(town: Town, person: str) -> None:
    visitor = town.visitor(person)
    visitor.get("/salesforce/conversations/c-1")  # the card that says what belongs here
    token = {"X-CSRFToken": town.csrf(visitor)}
    town.forget_calls()
    for start, bad in bad_paths(town):
        path, _, query = bad.partition("?q=")
        for spelt in {
            path.replace("?", "%3F").replace("\n", "%0A"),
            quote(path),
            quote(path, safe=""),
        }:
            url = f"{start}{spelt}" + (f"?q={query}" if query else "")
            for method in ("GET", "POST"):
                answer = visitor.client.open(url, method=method, headers=token, data={})
                refused = {302, 303, 308, 400, 403, 404, 405}
                assert answer.status_code in refused, (method, url, answer.status_code)
                assert not answer.headers.get("Location", "").startswith(("//", "https://evil"))
                assert "Traceback" not in answer.text
    assert town.calls("acme") == town.calls("other") == []


def test_no_bad_input_reaches_salesforce(town: Town) -> None:
    """Records to pick, fields to write, record types, references: in forms and in JSON."""
    gus = town.visitor("gus")
    gus.get("/salesforce/conversations/c-1")
    token = {"X-CSRFToken": town.csrf(gus)}
    at, jane = "/salesforce/conversations/c-1", town.ids["acme"].records["Contact"]
    town.forget_calls()
    for bad in IDS:
        for record in (f"Contact/{bad}", bad, f"{bad}/Contact", f"User/{bad}"):
            for sent in ({"data": {"record": record}}, {"json": {"record": record}}):
                answer = gus.client.post(f"{at}/pick", headers=token, **sent)
                assert answer.status_code == 404, record
        json = {"fields": {"AccountId": bad}}
        answer = gus.client.post(f"{at}/Contact/{jane}/edit/AccountId", headers=token, json=json)
        assert answer.status_code in (400, 422) or bad == "null", (bad, answer.text)
        # A well-formed id is a value like any other, which Salesforce judges.
        well_formed = re.fullmatch("[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", bad.strip())
        sent = [(call["method"], *call["parts"]) for call in town.calls("acme")]
        assert well_formed or not any("PATCH" in verbs for verbs in sent), bad
        town.forget_calls()
    gus.get(f"{at}/Contact/{jane}/edit")  # asks for the picklists once, and keeps them
    town.forget_calls()
    for bad in [*FIELDS, *IDS]:
        forms = ({f"sf_{bad}": "stolen"}, {"sf_": bad}, {f"in_{bad}": "User", f"q_{bad}": "x"})
        for form in forms:
            answer = gus.client.post(f"{at}/Contact/{jane}/edit", headers=token, data=form)
            assert answer.status_code == 303, "nothing of the form is a field of it"
        json = {"fields": {bad: "stolen"}}
        answer = gus.client.post(f"{at}/Contact/{jane}/edit", headers=token, json=json)
        assert answer.status_code == 303
    assert town.calls("acme") == []
