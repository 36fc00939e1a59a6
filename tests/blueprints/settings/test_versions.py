"""A6: the version of Salesforce's API is agreed on at the login, and words stand where none is."""

from __future__ import annotations

import pytest

from keeping_plugin.cli import keeping
from tests.blueprints.admin_side import SETTINGS, AdminSide


def newest_only(side: AdminSide) -> None:
    side.orgs.production.control.set(oldest_version=67, newest_version=69)


@pytest.mark.field_case("A6")
def test_an_org_that_is_a_version_behind_is_connected_and_described(side: AdminSide) -> None:
    side.orgs.production.control.set(newest_version=65)
    side.orgs.production.control.reset_log()
    ada = side.connect()
    row = side.current()
    assert row is not None
    assert (row.api_version, row.task_status) == ("65.0", "Completed")
    assert "Contacts" in ada.text()
    paths = [entry["path"] for entry in side.orgs.production.control.log()]
    assert not [path for path in paths if path.startswith("/services/data/v66.0")]


@pytest.mark.field_case("A6")
def test_an_org_without_a_common_version_is_not_connected_and_says_why(side: AdminSide) -> None:
    newest_only(side)
    ada = side.visitor()
    ada.get(side.consent(side.login_url(ada)))
    text = ada.text()
    assert "no longer supports the API version" in text
    assert "67.0 to 69.0" in text
    assert side.connections() == []


@pytest.mark.field_case("A6")
def test_the_doctor_and_the_settings_say_when_the_last_common_version_is_gone(
    side: AdminSide,
) -> None:
    ada = side.connect()
    newest_only(side)
    ada.post(f"{SETTINGS}preflight")
    said = side.house.app.test_cli_runner().invoke(keeping, ["doctor"])
    assert said.exit_code == 1
    mend = [line for line in said.output.splitlines() if "67.0 to 69.0" in line]
    assert len(mend) == 1, said.output
    assert mend[0].startswith("FAIL")
    assert "KEEPING_SALESFORCE_API_VERSION" in mend[0]
    assert "67.0 to 69.0" in ada.text()


@pytest.mark.field_case("A6")
def test_the_doctor_says_which_older_version_is_spoken(side: AdminSide) -> None:
    side.orgs.production.control.set(newest_version=65)
    side.connect()
    said = side.house.app.test_cli_runner().invoke(keeping, ["doctor"])
    assert "version 65.0 of Salesforce's API is used" in said.output
