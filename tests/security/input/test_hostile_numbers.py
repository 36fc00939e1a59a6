"""Numbers and dates that nobody means, wherever a request may carry one: in an address, a query, a
form, a JSON body. Each is answered at once, and never by a traceback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest

from tests.blueprints.inbox import ADMIN, AGENT, CUSTOMER, Inbox, open_inbox, token
from tests.security.routes import ROUTES, For, Route
from tests.security.town import Ids

SOON = 1.0  # seconds of processor time for one answer

HOSTILE = [
    "1e500000",
    "Infinity",
    "NaN",
    "9" * 5_000,
    str(2**63),
    str(-(2**63) - 1),
    "\u0669" * 20,
    "9999-12-31",
    "9999-12-31T23:59:59-14:00",
    f"{'9' * 18}-{'9' * 18}",
]
QUERY = "since from to page after window automatic checking saved unclear mailbox q field".split()
FORM = "since connection do record ticket sf_Amount sf_CloseDate sf_LastName fields".split()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    file = tmp_path_factory.mktemp("numbers") / "inbox.sqlite3"
    with open_inbox(f"sqlite:///{file}", limit=(10**9, 10**9)) as inbox:
        inbox.connect()
        inbox.app.config["PROPAGATE_EXCEPTIONS"] = True
        fake = inbox.salesforce
        account = fake.add("Account", Name="Acme")
        contact = fake.add("Contact", LastName="Doe", Email=CUSTOMER.email, AccountId=account)
        deal = fake.add("Opportunity", Name="Deal", AccountId=account, StageName="Prospecting")
        fake.add("OpportunityContactRole", OpportunityId=deal, ContactId=contact)
        yield inbox


def ids_of(inbox: Inbox) -> Ids:
    records = {
        name: inbox.salesforce.rows(name)[0]["Id"] for name in ("Contact", "Account", "Opportunity")
    }
    records["Case"] = records["Contact"]
    return Ids(conversation="c-1", mailbox="support", customer=CUSTOMER, records=records, entry=1)


def answered(inbox: Inbox, route: Route, path: str, **options: object) -> None:
    """The route answers in time, with a status of ours."""
    client = inbox.client(ADMIN if route.whom is For.ADMINS else AGENT)
    headers = {"X-CSRFToken": token(client)}
    began = time.thread_time()  # its own, whatever else this process does
    answer = client.open(path, method=route.method, headers=headers, **options)  # type: ignore[arg-type]
    assert answer.status_code < 500, (route.name, path[:200], answer.text[:500])
    assert time.thread_time() - began < SOON, (route.name, path[:200])


WALKED = [route for route in ROUTES if route.endpoint not in ("disconnect", "static", "connect")]


@pytest.mark.field_case("B2")
@pytest.mark.parametrize("route", WALKED, ids=lambda route: route.name)
def test_no_number_in_an_address_a_query_a_form_or_a_body_stops_a_route(
    served: Inbox, route: Route
) -> None:
    ids = ids_of(served)
    path, form = route.filled(ids)
    path = path.partition("?")[0]
    mailbox = "" if route.endpoint in ("automation", "settings") else "mailbox=support&"
    for hostile in HOSTILE:
        numbered = replace(route, path=route.path)
        for name in ("entry", "run", "mailbox", "conversation"):
            there, _ = numbered.filled(ids, **{name: quote(hostile, safe="")})
            if there != route.filled(ids)[0]:
                answered(served, route, there, data=form if route.method == "POST" else None)
        query = urlencode({name: hostile for name in QUERY if name != "mailbox"})
        answered(served, route, f"{path}?{mailbox}{query}")
        if route.method == "POST":
            answered(served, route, path, data=dict.fromkeys(FORM, hostile))
            body = json.dumps({"fields": {"Amount": "x", "Phone": "x"}, "record": "x"})
            raw = hostile if hostile[:1].isdigit() and "-" not in hostile else json.dumps(hostile)
            answered(
                served,
                route,
                path,
                data=body.replace('"x"', raw),
                content_type="application/json",
            )
