"""No template or blueprint holds a sentence about a fixed code: those stand in wording/."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment

from tests.servers.needs import ROOT
from tests.wording.codes import in_python, in_template

PACKAGE = ROOT / "keeping_plugin"
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))
BLUEPRINTS = sorted((PACKAGE / "blueprints").rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.fixture(scope="module")
def environment() -> Environment:
    return Environment(autoescape=True)


def test_there_is_something_to_read() -> None:
    assert len(TEMPLATES) > 30
    assert len(BLUEPRINTS) > 25


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_no_template_holds_a_sentence_about_a_fixed_code(
    path: Path, environment: Environment
) -> None:
    assert in_template(path.read_text(), environment) == [], "its place is wording/"


@pytest.mark.parametrize("path", BLUEPRINTS, ids=_name)
def test_no_blueprint_holds_a_sentence_about_a_fixed_code(path: Path) -> None:
    assert in_python(path.read_text()) == [], "its place is wording/"


@pytest.mark.parametrize(
    "source",
    [
        '{% if line.state == "failed" %}<p>It cannot be retried now.</p>{% endif %}',
        '{% if run.state in ("running", "paused") %}{% else %}It has ended now.{% endif %}',
        '{{ "Look for all again" if cause.reason == "outcome_unknown" else "Retry" }}',
        '{% set words = {"connection_lost": ("Lost", "Salesforce ended the connection.")} %}',
        '{% set lost = page.standing == "lost" %}{% if lost %}An admin has to reconnect{% endif %}',
        '{% if row.who_fixes == "you" %}<a title="x">Who can fix it</a>{% endif %}',
        '{% if message.occasion.startswith("backfill:") %}earlier mail brought over{% endif %}',
        '{% if a %}{% elif error.code == "duplicates" %}There is one already{% endif %}',
    ],
)
def test_a_sentence_about_a_code_in_a_template_is_found(
    source: str, environment: Environment
) -> None:
    assert in_template(source, environment)


@pytest.mark.parametrize(
    "source",
    [
        'WORDS = {"rate_limited": "Salesforce is not accepting more."}',
        'WORDS = {PanelState.LIMITED: ("Limited", "It is restored within a day.")}',
        'STATUS = ((NotReady, 503, "It is not ready"),)',
        'if error.code == "csrf":\n    text = "This page is old."',
        'text = "It was sent already." if entry.state == EntryState.DONE else ""',
        'if isinstance(error, PermissionDenied):\n    advice = "Ask a Salesforce admin."',
        'match code:\n    case "away":\n        text = "Nobody has to act."',
    ],
)
def test_a_sentence_about_a_code_in_a_blueprint_is_found(source: str) -> None:
    assert in_python(source)


@pytest.mark.parametrize(
    "source",
    [
        '{% if page.standing == "never" %}{% include "keeping/settings/welcome.html" %}{% endif %}',
        '{% if line.state == "failed" %}<p class="k-tag k-tag--bad k-text">Failed</p>{% endif %}',
        "{% if first %}Nothing in this period.{% endif %}",
    ],
)
def test_pages_of_a_state_and_sentences_about_other_things_are_not(
    source: str, environment: Environment
) -> None:
    assert in_template(source, environment) == []
