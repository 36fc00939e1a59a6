"""Which version of the API is spoken, and what becomes of one that the org does not serve."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from keeping_plugin.errors import (
    ConnectionBarred,
    RecordNotFound,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.salesforce.versions import lower, newest_common
from keeping_plugin.types import NewRecord, Saved
from tests.salesforce.conftest import LiveOrg

GONE = "003dM00001wBXYDQA4"


@pytest.fixture
def org(admin: LiveOrg) -> Iterator[LiveOrg]:
    admin.control.reset()
    admin.tokens.version = None
    admin.tokens.refusals.clear()
    yield admin
    admin.control.reset()
    admin.tokens.version = None


def paths(org: LiveOrg) -> list[str]:
    return [entry["path"] for entry in org.control.log()]


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"),
    [
        ("66.0", ("64.0", "65.0", "66.0", "67.0"), "66.0"),
        ("66.0", ("64.0", "65.0"), "65.0"),
        ("66.0", ("64.0", "67.0"), "64.0"),
        ("66.0", ("67.0", "68.0"), None),
        ("100.0", ("99.0", "101.0"), "99.0"),
    ],
)
def test_the_newest_version_of_both_is_spoken(
    ours: str, theirs: tuple[str, ...], agreed: str | None
) -> None:
    assert newest_common(ours, theirs) == agreed
    assert lower("99.0", "100.0") == "99.0"
    assert lower("66.0", None) == "66.0"


@pytest.mark.field_case("A6")
def test_it_is_agreed_on_with_the_facts_of_the_org_at_no_cost(org: LiveOrg) -> None:
    org.control.set(newest_version=65)
    facts = org.gateway.org_facts()
    assert facts.api_version == org.tokens.version == "65.0"
    assert paths(org) == ["/services/data/", "/services/data/v65.0/composite"]
    assert org.control.usage()["used"] == 1


@pytest.mark.field_case("A6")
@pytest.mark.parametrize("change", [{"newest_version": 65}, {"retired_versions": ["66.0"]}])
def test_a_version_that_is_not_served_is_agreed_on_again_and_the_work_goes_on(
    org: LiveOrg, change: dict[str, Any]
) -> None:
    org.control.set(**change)
    assert org.gateway.find(["nobody@example.com"]).people == {}
    assert org.tokens.version == "65.0"
    [saved] = org.gateway.create_many([NewRecord("Contact", {"LastName": "Versioned"})])
    assert isinstance(saved, Saved)
    asked = [path for path in paths(org) if path.startswith("/services/data/v66.0/")]
    assert len(asked) == 1


@pytest.mark.field_case("A6")
@pytest.mark.parametrize("change", [{"newest_version": 65}, {"retired_versions": ["66.0"]}])
def test_a_write_in_a_version_that_is_not_served_is_sent_once_in_another(
    org: LiveOrg, change: dict[str, Any]
) -> None:
    contact = org.add("Contact", LastName="X")
    org.control.set(**change)
    org.gateway.update("Contact", contact, {"LastName": "Y"})
    assert org.fields("Contact", contact)["LastName"] == "Y"
    org.tokens.version = None
    name = uuid.uuid4().hex
    org.gateway.create("Contact", {"LastName": name})
    assert org.control.count(f"SELECT Id FROM Contact WHERE LastName = '{name}'") == 1


@pytest.mark.field_case("A6")
def test_an_org_without_a_common_version_is_barred_with_words(org: LiveOrg) -> None:
    org.control.set(oldest_version=67, newest_version=69)
    with pytest.raises(ConnectionBarred, match=r"67\.0 to 69\.0") as refused:
        org.gateway.find(["nobody@example.com"])
    assert refused.value.reason == "version"
    with pytest.raises(ConnectionBarred):
        org.gateway.org_facts()


@pytest.mark.field_case("A6")
@pytest.mark.parametrize("status", [404, 410])
def test_every_resource_refused_says_nothing_of_a_record(org: LiveOrg, status: int) -> None:
    """Even where the org lists the version that it refuses, or does not list any."""
    body = '[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]'
    for scope in ({"path": "/services/data/v66.0/*"}, {"path": "/services/data/*"}):
        org.control.clear_faults()
        org.control.fault("answer", status=status, body=body, times=None, scope=scope)
        for act in (
            lambda: org.gateway.find(["nobody@example.com"]),
            lambda: org.gateway.read("Contact", GONE, ["LastName"]),
            lambda: org.gateway.limits(),
            lambda: org.gateway.create_many([NewRecord("Contact", {"LastName": "X"})]),
        ):
            with pytest.raises(ConnectionBarred) as refused:
                act()
            assert refused.value.reason == "version"


@pytest.mark.field_case("A6")
def test_a_record_that_is_not_there_is_not_a_version_that_is_not_there(org: LiveOrg) -> None:
    with pytest.raises(RecordNotFound):
        org.gateway.update("Contact", GONE, {"LastName": "Y"})
    assert org.control.usage()["used"] == 1


@pytest.mark.field_case("A6")
def test_a_page_instead_of_the_api_is_no_record_that_is_not_there(org: LiveOrg) -> None:
    org.control.fault(
        "answer", status=404, body="<h1>404</h1>", content_type="text/html", times=None
    )
    for act in (
        lambda: org.gateway.find(["nobody@example.com"]),
        lambda: org.gateway.update("Contact", GONE, {"LastName": "Y"}),
    ):
        with pytest.raises(SalesforceError) as refused:
            act()
        assert type(refused.value) is SalesforceUnavailable
