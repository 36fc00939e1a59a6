"""Each table of sentences knows every code that it may be asked for."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest

from keeping_plugin.blueprints.routes import ROUTES
from keeping_plugin.locales import Reader
from keeping_plugin.models import EntryState
from keeping_plugin.services.admin.activity import Outcome
from keeping_plugin.services.automation.policy import MailboxAutomation
from keeping_plugin.services.panel.view import PanelState
from keeping_plugin.services.schema.changes import Kind
from keeping_plugin.types import Action
from keeping_plugin.wording import actions
from keeping_plugin.wording.activity import OUTCOMES
from keeping_plugin.wording.audit import detail_text
from keeping_plugin.wording.corrections import told_sentence
from keeping_plugin.wording.entries import STATE_TAGS
from keeping_plugin.wording.errors import TITLES
from keeping_plugin.wording.panel import trouble
from keeping_plugin.wording.salesforce_errors import SENTENCES, WhoFixes
from keeping_plugin.wording.schema_changes import change_text
from tests.wording.codes import ERRORS, errors

_FOUND = {PanelState.MATCHED, PanelState.LEAD, PanelState.SEVERAL, PanelState.NO_MATCH}


def test_every_state_and_outcome_has_a_label() -> None:
    assert set(STATE_TAGS) == {*EntryState, "refused", "held"}
    assert set(OUTCOMES) == set(Outcome)


def test_every_action_and_switch_has_a_name() -> None:
    assert set(actions.TITLES) == set(actions.RECORDS) == set(Action)
    assert len(set(actions.TITLES.values())) == len(actions.TITLES)  # pages find actions by them
    assert set(actions.SWITCHES) == {field.name for field in fields(MailboxAutomation)}


def test_every_error_that_a_page_can_show_has_a_title() -> None:
    shown = {getattr(errors, name).code for name in ERRORS} - {"error", "configuration"}
    assert set(TITLES) == shown


@pytest.mark.parametrize("state", PanelState)
def test_a_panel_without_an_answer_says_why(state: PanelState) -> None:
    told = trouble(state, said="Said by the error.", is_admin=False)
    assert (told is None) == (state in _FOUND)
    assert told is None or (told.title and told.text.endswith("."))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("shown", [True, False])
def test_every_change_in_salesforce_is_said(kind: Kind, shown: bool) -> None:
    told = change_text(
        kind, shown=shown, was_required=False, label="Account", was="Text", now="Number"
    )
    assert told.tag
    assert told.text or told.link or kind is Kind.SHOWN


@pytest.mark.parametrize(
    ("action", "detail", "words"),
    [
        ("records_searched", "found=10", "10 records found"),
        ("records_searched", "found=1", "1 record found"),
        (
            "automation_changed",
            "add_contacts=true log_tasks=false",
            "adding Contacts on, logging Tasks off",
        ),
        ("people_changed", "add_as owner", "Contact or Lead, owner"),
        ("skip_list_changed", "added 2", "2 domains added"),
        ("skip_list_changed", "unlog", "mail of one domain is no longer logged"),
        ("backfill_changed", "7 paused", "import 7 paused"),
        ("unusual_use", "requests=6000 usual=300", "6,000 requests today, 300 on a usual day"),
        ("unusual_use", "searches=120", "120 searches today"),
        ("keys_rotated", "3", "3 tokens"),
        ("record_created", "automation", "by an automation"),
        ("login_refused", "inactive", "This Salesforce user or org is not active."),
        ("records_searched", "", ""),
        ("of_another_release", "a=1", "a=1"),
    ],
)
def test_a_detail_of_the_audit_trail_is_said_in_words(action: str, detail: str, words: str) -> None:
    assert detail_text(action, detail) == words


def test_counts_in_a_detail_are_grouped_as_the_reader_writes_them() -> None:
    def count(number: int) -> str:
        return Reader("de_DE").number(Decimal(number))

    told = detail_text("unusual_use", "requests=6000 usual=3000", count)
    assert told == "6.000 requests today, 3.000 on a usual day"
    many = detail_text("undo_started", "7 hour 10000+", count)
    assert many == "undo 7: one hour, more than 10.000 records chosen"
    told = told_sentence("attach", done=1000, refused=2000, left=3000, unclear=4000, count=count)
    assert [number for number in ("1.000", "2.000", "3.000", "4.000") if number not in told] == []


def test_every_route_that_can_be_denied_has_a_name() -> None:
    names = [endpoint for _, endpoint, _, _ in ROUTES]
    unnamed = [name for name in names if detail_text("denied", name) == name]
    assert unnamed == []


@pytest.mark.parametrize("row", SENTENCES, ids=lambda row: row.code)
def test_nobody_is_told_to_retry_what_is_retried_by_itself(row: object) -> None:
    [found] = [each for each in SENTENCES if each is row]
    assert found.again not in found.advice("retried")
    if found.who_fixes is WhoFixes.NOBODY:
        assert found.advice("retried").endswith("No action needed: it will be retried.")
    assert found.again in found.advice()
