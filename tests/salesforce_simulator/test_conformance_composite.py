"""Section 7: composite, batch, collections, graph and tree."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.process import RunningOrg

from .conftest import Api

BASE = "/services/data/v66.0"
HALTED = "PROCESSING_HALTED"
UNDONE = {
    "errorCode": HALTED,
    "message": (
        "The transaction was rolled back since another operation in the same transaction failed."
    ),
}


def get(reference: str, url: str) -> dict[str, Any]:
    return {"method": "GET", "referenceId": reference, "url": url}


def post(reference: str, url: str, body: Any) -> dict[str, Any]:
    return {"method": "POST", "referenceId": reference, "url": url, "body": body}


def find(address: str) -> dict[str, Any]:
    soql = f"SELECT+Id,Title+FROM+Contact+WHERE+Email%3D%27{address}%27"
    return get("contact", f"query/?q={soql}")


def task(**fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Task"}, **fields}


# -- 7.1 composite ---------------------------------------------------------------------------------


def test_later_parts_use_the_answers_of_earlier_ones(api: Api, contact: str, address: str) -> None:
    who = "@{contact.records[0].Id}"
    answers = api.composite(
        find(address),
        post("task", "sobjects/Task", {"Subject": f"for {who}", "WhoId": who}),
        get("read", "sobjects/Task/@{task.id}?fields=WhoId,Subject"),
    )
    assert [set(a) for a in answers] == [
        {"body", "httpHeaders", "httpStatusCode", "referenceId"}
    ] * 3
    assert [a["referenceId"] for a in answers] == ["contact", "task", "read"]
    assert [a["httpStatusCode"] for a in answers] == [200, 201, 200]
    assert answers[0]["httpHeaders"] == {}
    assert answers[1]["httpHeaders"]["Location"].endswith(answers[1]["body"]["id"])
    assert answers[2]["body"]["WhoId"] == contact
    assert answers[2]["body"]["Subject"] == f"for {contact}"


def test_a_write_without_a_body_answers_null(api: Api, contact: str) -> None:
    [answer] = api.composite(
        {
            "method": "PATCH",
            "referenceId": "p",
            "url": f"sobjects/Contact/{contact}",
            "body": {"Title": "x"},
        }
    )
    assert (answer["httpStatusCode"], answer["body"]) == (204, None)


def test_only_dependants_of_a_failure_halt(api: Api, address: str) -> None:
    answers = api.composite(
        find(address),
        post("a", "sobjects/Task", {"Subject": "x", "WhoId": "@{contact.records[0].Id}"}),
        post("b", "sobjects/Task", {"Subject": "x"}),
        post("c", "sobjects/Contact", {"FirstName": "x"}),
    )
    assert [a["httpStatusCode"] for a in answers] == [200, 400, 201, 400]
    assert answers[1]["body"] == [
        {
            "errorCode": HALTED,
            "message": (
                "Invalid reference specified. No value for contact.records[0].Id found in contact."
            ),
        }
    ]
    assert answers[3]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_a_reference_to_a_field_that_is_null_gives_null(
    api: Api, contact: str, address: str
) -> None:
    answers = api.composite(
        find(address), post("t", "sobjects/Task", {"Subject": "@{contact.records[0].Title}"})
    )
    assert answers[1]["httpStatusCode"] == 201
    assert api.read("Task", answers[1]["body"]["id"])["Subject"] is None


@pytest.mark.parametrize("reference", ["Contact.records[0].Id", "contact.Records[0].Id"])
def test_references_are_case_sensitive(
    api: Api, contact: str, address: str, reference: str
) -> None:
    answers = api.composite(
        find(address), post("t", "sobjects/Task", {"WhoId": f"@{{{reference}}}"})
    )
    assert answers[1]["body"][0]["errorCode"] == HALTED


@pytest.mark.parametrize("null", [False, True])
def test_a_reference_to_a_refused_collection_row_halts_or_is_null(
    org: RunningOrg, api: Api, null: bool
) -> None:
    org.control.set(refused_rows_are_null=null)
    records = [{"attributes": {"type": "Contact"}, "FirstName": "no last name"}]
    answers = api.composite(
        post("people", "composite/sobjects", {"records": records}),
        post("t", "sobjects/Task", {"Subject": "x", "WhoId": "@{people[0].id}"}),
    )
    assert answers[0]["httpStatusCode"] == 200
    if null:
        assert api.read("Task", answers[1]["body"]["id"])["WhoId"] is None
    else:
        assert answers[1]["body"][0]["message"].startswith(
            "Invalid reference specified. No value for people[0].id"
        )


def test_all_or_none_undoes_everything(org: RunningOrg, api: Api, address: str) -> None:
    answers = api.composite(
        post("good", "sobjects/Contact", {"LastName": "x", "Email": address}),
        post("bad", "sobjects/Contact", {"FirstName": "x"}),
        post("later", "sobjects/Contact", {"LastName": "y", "Email": address}),
        allOrNone=True,
    )
    assert [a["httpStatusCode"] for a in answers] == [400, 400, 400]
    assert answers[0]["body"] == answers[2]["body"] == [UNDONE]
    assert answers[1]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert org.control.count(f"SELECT Id FROM Contact WHERE Email = '{address}'") == 0


def test_more_than_25_parts_are_refused_with_status_200(api: Api) -> None:
    assert api.composite(*(get(f"r{n}", "sobjects") for n in range(26))) == [
        {
            "body": [
                {
                    "errorCode": "LIMIT_EXCEEDED",
                    "message": "The request can’t contain more than 25 operations.",
                }
            ],
            "httpHeaders": {},
            "httpStatusCode": 400,
            "referenceId": None,
        }
    ]
    assert len(api.composite(*(get(f"r{n}", "sobjects/Task") for n in range(25)))) == 25


@pytest.mark.parametrize("url", ["query?q=SELECT+Id+FROM+User", "queryAll?q=SELECT+Id+FROM+User"])
def test_at_most_five_parts_are_queries_or_collections(api: Api, url: str) -> None:
    collection = post("c", "composite/sobjects", {"records": [task(Subject="x")]})
    queries = [get(f"q{n}", url) for n in range(5)]
    assert [a["httpStatusCode"] for a in api.composite(*queries[:4], collection)] == [200] * 5
    [refused] = api.composite(*queries, collection)
    assert (refused["httpStatusCode"], refused["referenceId"]) == (400, None)
    assert refused["body"][0]["errorCode"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("url", ["limits", "search?q=FIND+%7Bx%7D", "composite", "composite/batch"])
def test_what_may_not_travel_in_a_composite_is_refused(api: Api, url: str) -> None:
    [answer] = api.composite(get("r", url))
    assert answer["httpStatusCode"] == 400


@pytest.mark.parametrize(
    "change",
    [
        {"referenceId": "not valid"},
        {"referenceId": "a-b"},
        {"referenceId": None},
        {"method": "get"},
        {"method": None},
        {"url": "sobjects"},
        {"url": "https://evil.example/services/data/v66.0/sobjects"},
        {"httpHeaders": {"Authorization": "Bearer x"}},
        {"httpHeaders": {"accept": "text/html"}},
        {"httpHeaders": {"Content-Type": "text/html"}},
    ],
)
def test_a_malformed_part_refuses_the_whole_call(
    org: RunningOrg, api: Api, address: str, change: dict[str, Any]
) -> None:
    good = post("good", f"{BASE}/sobjects/Contact", {"LastName": "x", "Email": address})
    bad = get("bad", f"{BASE}/sobjects") | change
    answer = api.post("composite", {"compositeRequest": [good, bad]})
    assert answer.status_code == 400
    assert isinstance(answer.json(), list)
    assert org.control.count(f"SELECT Id FROM Contact WHERE Email = '{address}'") == 0


def test_reference_ids_are_unique(api: Api) -> None:
    parts = [get("same", f"{BASE}/sobjects")] * 2
    assert api.post("composite", {"compositeRequest": parts}).status_code == 400


def test_the_outer_all_or_none_undoes_a_collection_whose_rows_say_success(
    org: RunningOrg, api: Api, address: str
) -> None:
    """As the documentation shows it: the collection's own answer does not tell."""
    records = [
        {"attributes": {"type": "Contact"}, "LastName": "x", "Email": address},
        {"attributes": {"type": "Contact"}, "FirstName": "x"},
    ]
    body = {"allOrNone": False, "records": records}
    for outer in (True, False):
        first, second = api.composite(
            post("rows", "composite/sobjects", body),
            post("one", "sobjects/Contact", {"LastName": "y", "Email": address}),
            allOrNone=outer,
        )
        assert (first["httpStatusCode"], first["body"][0]["success"]) == (200, True)
        assert second["httpStatusCode"] == (400 if outer else 201)
        found = org.control.count(f"SELECT Id FROM Contact WHERE Email = '{address}'")
        assert found == (0 if outer else 2)


def test_a_query_and_collections_share_one_call(org: RunningOrg, api: Api, address: str) -> None:
    """Each part has its own headers, and a row names its parent by the parent's external key."""
    key = address[:12]
    account = api.create("Account", Name="x", Customer_Number__c=key)
    person = api.create("Contact", LastName="x", Email=address)
    org.control.reset_log()
    old = {"If-Unmodified-Since": "Tue, 01 Sep 2020 08:00:00 GMT"}
    change = {"Title": "CTO"}
    child = {"attributes": {"type": "Contact"}, "LastName": "c"}
    by_key = {**child, "Account": {"Customer_Number__c": key}}
    rows = [task(Subject="a", WhoId="@{contact.records[0].Id}"), by_key]
    keyed = task(Message_Key__c=address, Subject="b", WhoId="@{contact.records[0].Id}")
    read = f"sobjects/Contact/{person}?fields=Id"
    answers = api.composite(
        find(address),
        {**post("c", f"sobjects/Contact/{person}", change), "method": "PATCH", "httpHeaders": old},
        post("t", "composite/sobjects", {"allOrNone": False, "records": rows}),
        {**post("u", "composite/sobjects/Task/Message_Key__c", {"records": [keyed]}),
         "method": "PATCH"},
        get("read", read),
        post("good", "sobjects/Task", {"Subject": "x", "WhoId": "@{read.Id}"}),
        post("bad", "sobjects/Task", {"Subject": "x", "WhoId": "@{read.id}"}),
        collateSubrequests=False,
    )  # fmt: skip
    assert [a["httpStatusCode"] for a in answers] == [200, 412, 200, 200, 200, 201, 400]
    assert answers[-1]["body"][0]["errorCode"] == HALTED
    assert api.read("Contact", answers[2]["body"][1]["id"])["AccountId"] == account
    assert answers[3]["body"][0]["created"] is True
    assert org.control.log()[0]["api_requests"] == 1


# -- 7.2 batch -------------------------------------------------------------------------------------


def test_a_batch_answers_each_of_its_parts(api: Api, contact: str) -> None:
    body = {
        "batchRequests": [
            {"method": "GET", "url": f"v66.0/sobjects/Contact/{contact}?fields=Id"},
            {
                "method": "PATCH",
                "url": f"v66.0/sobjects/Contact/{contact}",
                "richInput": {"Title": "x"},
            },
            {"method": "GET", "url": "v66.0/limits"},
            {"method": "GET", "url": "v66.0/search/?q=FIND+%7Bnobody%7D+RETURNING+Lead(Id)"},
        ]
    }
    answer = api.post("composite/batch", body).json()
    assert set(answer) == {"hasErrors", "results"}
    assert answer["hasErrors"] is False
    assert [r["statusCode"] for r in answer["results"]] == [200, 204, 200, 200]
    assert answer["results"][0]["result"]["Id"] == contact
    assert answer["results"][1] == {"statusCode": 204, "result": None}


@pytest.mark.parametrize("halt", [False, True])
def test_a_batch_goes_on_after_an_error_unless_told_to_halt(api: Api, halt: bool) -> None:
    parts = [{"method": "GET", "url": f"v66.0/sobjects/{name}"} for name in ("Nowhere", "Task")]
    answer = api.post("composite/batch", {"haltOnError": halt, "batchRequests": parts}).json()
    assert answer["hasErrors"] is True
    first, second = answer["results"]
    assert (first["statusCode"], first["result"][0]["errorCode"]) == (404, "NOT_FOUND")
    if halt:
        assert second == {
            "statusCode": 412,
            "result": [
                {
                    "errorCode": "BATCH_PROCESSING_HALTED",
                    "message": "Batch processing halted per request",
                }
            ],
        }
    else:
        assert second["statusCode"] == 200


def test_a_batch_has_at_most_25_parts(api: Api) -> None:
    parts = [{"method": "GET", "url": "v66.0/limits"}] * 26
    assert api.post("composite/batch", {"batchRequests": parts}).status_code == 400


# -- 7.3 collections -------------------------------------------------------------------------------


def test_a_collection_answers_row_by_row_in_order(api: Api) -> None:
    records = [
        task(Subject="one"),
        {"attributes": {"type": "Contact"}, "FirstName": "x"},
        task(Subject="two"),
    ]
    answer = api.post("composite/sobjects", {"allOrNone": False, "records": records})
    first, refused, second = answer.json()
    assert answer.status_code == 200
    assert first == {"id": first["id"], "success": True, "errors": []}
    assert refused == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [LastName]",
                "fields": ["LastName"],
            }
        ],
    }
    assert api.read("Task", second["id"])["Subject"] == "two"


def test_all_or_none_turns_good_rows_back(org: RunningOrg, api: Api, address: str) -> None:
    records = [
        {"attributes": {"type": "Contact"}, "LastName": "x", "Email": address},
        {"attributes": {"type": "Contact"}, "FirstName": "x"},
    ]
    answer = api.post("composite/sobjects", {"allOrNone": True, "records": records}).json()
    assert answer[0] == {
        "success": False,
        "errors": [
            {
                "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "message": (
                    "Record rolled back because not all records were valid and the request was "
                    "using AllOrNone header"
                ),
                "fields": [],
            }
        ],
    }
    assert answer[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert org.control.count(f"SELECT Id FROM Contact WHERE Email = '{address}'") == 0


def test_a_collection_changes_records_by_their_id(api: Api, contact: str) -> None:
    records = [
        {"attributes": {"type": "Contact"}, "id": contact, "Title": "Changed"},
        {"attributes": {"type": "Contact"}, "Title": "no id"},
        {"attributes": {"type": "Contact"}, "id": "003000000000001AAA", "Title": "x"},
    ]
    rows = api.patch("composite/sobjects", {"records": records}).json()
    assert [row["success"] for row in rows] == [True, False, False]
    assert rows[0] == {"id": contact, "success": True, "errors": []}
    assert api.read("Contact", contact)["Title"] == "Changed"


def test_a_collection_upserts_by_an_external_id(api: Api, address: str) -> None:
    path = "composite/sobjects/Task/Message_Key__c"
    record = task(Subject="x", Message_Key__c=address)
    first = api.patch(path, {"records": [record]}).json()[0]
    second = api.patch(path, {"records": [record]}).json()[0]
    assert first == {"id": first["id"], "success": True, "errors": [], "created": True}
    assert second == {**first, "created": False}


def test_a_collection_reads_and_deletes_by_ids(api: Api, contact: str) -> None:
    ids = [contact, "003000000000001AAA"]
    found = api.get(f"composite/sobjects/Contact?ids={','.join(ids)}&fields=Id,LastName").json()
    assert [None if row is None else row["LastName"] for row in found] == ["Doe", None]
    same = api.post("composite/sobjects/Contact", {"ids": ids, "fields": ["Id", "LastName"]})
    assert same.json() == found
    task_id = api.create("Task", Subject="x")
    rows = api.delete(f"composite/sobjects?ids={contact},{task_id}&allOrNone=false").json()
    assert rows == [{"id": i, "success": True, "errors": []} for i in (contact, task_id)]
    assert api.get(f"sobjects/Contact/{contact}").status_code == 404


def test_a_collection_reads_up_to_2000_records(api: Api, contact: str) -> None:
    body = {"ids": ["003000000000001AAA"] * 1999 + [contact], "fields": ["Id"]}
    found = api.post("composite/sobjects/Contact", body).json()
    assert (found[:-1], found[-1]["Id"]) == ([None] * 1999, contact)
    more = api.post("composite/sobjects/Contact", {**body, "ids": [contact] * 2001})
    assert (more.status_code, more.json()[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")


def test_more_than_200_records_are_refused_whole(api: Api) -> None:
    answer = api.post("composite/sobjects", {"records": [task(Subject="x")] * 201})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "errorCode": "EXCEEDED_ID_LIMIT",
            "message": "record limit reached. cannot submit more than 200 records into this call",
        }
    ]
    assert len(api.post("composite/sobjects", {"records": [task(Subject="x")] * 200}).json()) == 200


def test_a_value_no_parser_reads_refuses_the_whole_collection(
    org: RunningOrg, api: Api, address: str
) -> None:
    records = [
        {"attributes": {"type": "Contact"}, "LastName": "x", "Email": address},
        task(Subject="x", ActivityDate="soon"),
    ]
    answer = api.post("composite/sobjects", {"records": records})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert org.control.count(f"SELECT Id FROM Contact WHERE Email = '{address}'") == 0


@pytest.mark.parametrize("body", [{}, {"records": []}, {"records": {}}, {"records": [{"a": 1}]}])
def test_a_collection_without_typed_records_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.post("composite/sobjects", body).status_code == 400


def test_types_may_change_ten_times_in_a_collection(api: Api) -> None:
    pair = [task(Subject="x"), {"attributes": {"type": "Case"}, "Subject": "x"}]
    assert api.post("composite/sobjects", {"records": pair * 5}).status_code == 200
    assert api.post("composite/sobjects", {"records": pair * 6}).status_code == 400


# -- 7.4 graph, and the tree -----------------------------------------------------------------------


def test_graphs_are_all_or_none_each_for_itself(org: RunningOrg, api: Api, address: str) -> None:
    def graph(name: str, last_name: str | None) -> dict[str, Any]:
        person = {"Email": f"{name}.{address}", "LastName": last_name}
        parts = [
            post("account", f"{BASE}/sobjects/Account", {"Name": name}),
            post("person", f"{BASE}/sobjects/Contact", {**person, "AccountId": "@{account.id}"}),
        ]
        return {"graphId": name, "compositeRequest": parts}

    answer = api.post("composite/graph", {"graphs": [graph("a", "x"), graph("b", None)]})
    good, bad = answer.json()["graphs"]
    assert answer.status_code == 200
    assert set(good) == {"graphId", "graphResponse", "isSuccessful"}
    assert (good["isSuccessful"], bad["isSuccessful"]) == (True, False)
    assert [r["httpStatusCode"] for r in good["graphResponse"]["compositeResponse"]] == [201, 201]
    assert bad["graphResponse"]["compositeResponse"][0]["body"] == [UNDONE]
    assert org.control.count(f"SELECT Id FROM Contact WHERE Email = 'a.{address}'") == 1
    assert org.control.count(f"SELECT Id FROM Contact WHERE Email = 'b.{address}'") == 0


@pytest.mark.parametrize("url", ["query?q=SELECT+Id+FROM+User", "composite/sobjects", "limits"])
def test_a_graph_holds_records_only(api: Api, url: str) -> None:
    parts = [get("r", f"{BASE}/{url}")]
    answer = api.post("composite/graph", {"graphs": [{"graphId": "1", "compositeRequest": parts}]})
    assert answer.status_code == 400


def test_graphs_came_with_version_50_and_have_limits(api: Api) -> None:
    part = {"method": "GET", "url": f"{BASE}/sobjects/Task", "referenceId": "r"}
    one = {"graphId": "1", "compositeRequest": [part]}
    assert api.post("/services/data/v49.0/composite/graph", {"graphs": [one]}).status_code == 404
    graphs = [{**one, "graphId": f"g{n}"} for n in range(76)]
    assert api.post("composite/graph", {"graphs": graphs}).status_code == 400
    nodes = [{**part, "referenceId": f"r{n}"} for n in range(501)]
    graph = {"graphId": "1", "compositeRequest": nodes}
    assert api.post("composite/graph", {"graphs": [graph]}).status_code == 400


def test_a_graph_is_at_most_15_nodes_deep(api: Api, address: str) -> None:
    def chain(length: int) -> dict[str, Any]:
        parts = [post("n1", f"{BASE}/sobjects/Contact", {"LastName": "x", "Email": address})]
        for number in range(2, length + 1):
            body = {"LastName": "x", "Email": address, "ReportsToId": f"@{{n{number - 1}.id}}"}
            parts.append(post(f"n{number}", f"{BASE}/sobjects/Contact", body))
        return {"graphs": [{"graphId": "1", "compositeRequest": parts}]}

    assert api.post("composite/graph", chain(15)).json()["graphs"][0]["isSuccessful"] is True
    assert api.post("composite/graph", chain(16)).status_code == 400


@pytest.mark.parametrize("graph_id", ["x" * 40, "", "a b", None])
def test_a_graph_id_has_at_most_39_characters(api: Api, graph_id: str | None) -> None:
    part = get("r", f"{BASE}/sobjects/Task")
    graph = {"graphId": graph_id, "compositeRequest": [part]}
    assert api.post("composite/graph", {"graphs": [graph]}).status_code == 400
    longest = {**graph, "graphId": "x" * 39}
    assert api.post("composite/graph", {"graphs": [longest]}).status_code == 200


def test_graphs_combine_at_most_15_versions_methods_and_objects(api: Api) -> None:
    def graphs(count: int) -> dict[str, Any]:
        part = {"method": "GET", "referenceId": "r"}
        urls = [f"/services/data/v{66 - n}.0/sobjects/Task" for n in range(count)]
        return {
            "graphs": [
                {"graphId": f"g{n}", "compositeRequest": [{**part, "url": url}]}
                for n, url in enumerate(urls)
            ]
        }

    assert api.post("composite/graph", graphs(15)).status_code == 200
    refused = api.post("composite/graph", graphs(16))
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_after_more_than_14_failed_graphs_the_rest_is_not_carried_out(
    org: RunningOrg, api: Api, address: str
) -> None:
    def graph(number: int, last_name: str | None) -> dict[str, Any]:
        body = {"LastName": last_name, "Email": address}
        part = post("r", f"{BASE}/sobjects/Contact", body)
        return {"graphId": f"g{number}", "compositeRequest": [part]}

    def answers(failing: int) -> list[dict[str, Any]]:
        graphs = [*(graph(n, None) for n in range(failing)), graph(99, "x")]
        found: list[dict[str, Any]] = api.post("composite/graph", {"graphs": graphs}).json()[
            "graphs"
        ]
        return found

    assert answers(14)[-1]["isSuccessful"] is True
    last = answers(15)[-1]
    [row] = last["graphResponse"]["compositeResponse"]
    assert (last["isSuccessful"], row["referenceId"]) == (False, "r")
    assert row["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert org.control.count(f"SELECT Id FROM Contact WHERE Email = '{address}'") == 1


def test_a_graph_counts_one_and_a_tree_counts_one(org: RunningOrg, api: Api) -> None:
    parts = [
        post(f"r{n}", f"{BASE}/sobjects/Task", {"Subject": "x", "Status": "Completed"})
        for n in range(5)
    ]
    org.control.reset_log()
    api.post("composite/graph", {"graphs": [{"graphId": "1", "compositeRequest": parts}]})
    root = {"attributes": {"type": "Account", "referenceId": "a"}, "Name": "Tree"}
    api.post("composite/tree/Account", {"records": [root]})
    assert [entry["api_requests"] for entry in org.control.log()] == [1, 1]


def test_a_tree_has_at_most_200_records_and_5_levels(api: Api) -> None:
    def account(name: str, **more: Any) -> dict[str, Any]:
        return {"attributes": {"type": "Account", "referenceId": name}, "Name": name, **more}

    many = [account(f"a{number}") for number in range(201)]
    assert api.post("composite/tree/Account", {"records": many}).status_code == 400
    assert api.post("composite/tree/Account", {"records": many[:200]}).status_code == 201
    for levels, status in ((5, 201), (6, 400)):
        nested = account(f"l{levels}")
        for level in range(levels - 1, 0, -1):
            nested = account(f"l{level}", ChildAccounts={"records": [nested]})
        answer = api.post("composite/tree/Account", {"records": [nested]})
        assert answer.status_code == status, answer.text


def test_a_tree_has_at_most_5_types(api: Api) -> None:
    def children(kind: str, **fields: Any) -> dict[str, Any]:
        attributes = {"type": kind, "referenceId": kind}
        return {"records": [{"attributes": attributes, **fields}]}

    root = {
        "attributes": {"type": "Account", "referenceId": "a"},
        "Name": "Tree",
        "Contacts": children("Contact", LastName="x"),
        "Cases": children("Case", Subject="x"),
        "Tasks": children("Task", Subject="x"),
        "Opportunities": children(
            "Opportunity", Name="x", StageName="Prospecting", CloseDate="2030-01-01"
        ),
    }
    assert api.post("composite/tree/Account", {"records": [root]}).status_code == 201
    role = children("OpportunityContactRole")
    root["Opportunities"]["records"][0]["OpportunityContactRoles"] = role
    answer = api.post("composite/tree/Account", {"records": [root]})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_a_tree_creates_children_with_their_parent(api: Api, address: str) -> None:
    child = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "x"}
    root = {
        "attributes": {"type": "Account", "referenceId": "a"},
        "Name": "Tree",
        "Contacts": {"records": [{**child, "Email": address}]},
    }
    answer = api.post("composite/tree/Account", {"records": [root]})
    body = answer.json()
    assert answer.status_code == 201
    assert body["hasErrors"] is False
    assert [row["referenceId"] for row in body["results"]] == ["a", "c"]
    account, person = (row["id"] for row in body["results"])
    assert api.read("Contact", person)["AccountId"] == account


def test_a_refused_child_refuses_the_tree(org: RunningOrg, api: Api) -> None:
    child = {"attributes": {"type": "Contact", "referenceId": "c"}, "FirstName": "x"}
    root = {
        "attributes": {"type": "Account", "referenceId": "a"},
        "Name": "Felled tree",
        "Contacts": {"records": [child]},
    }
    answer = api.post("composite/tree/Account", {"records": [root]})
    assert answer.status_code == 400
    [row] = answer.json()["results"]
    assert (row["referenceId"], row["errors"][0]["statusCode"]) == ("c", "REQUIRED_FIELD_MISSING")
    assert org.control.count("SELECT Id FROM Account WHERE Name = 'Felled tree'") == 0
