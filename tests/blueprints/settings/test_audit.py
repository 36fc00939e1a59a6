"""The Audit tab shows the trail to the company's admins, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from lxml import html

from keeping_plugin.models import AuditRecord
from keeping_plugin.services.admin.audit_trail import PAGE
from keeping_plugin.services.audit import Audited
from keeping_plugin.types import Mailbox
from keeping_plugin.wording.audit import TITLES
from tests.blueprints.inbox import ADMIN, INSTANCE, Inbox, open_inbox

AUDIT = "/salesforce/settings/audit"


@pytest.fixture
def inbox(sqlite_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_url) as opened:
        opened.connect()
        yield opened


def done(inbox: Inbox, company_id: str = "acme", count: int = 1, **values: object) -> None:
    """Rows of one deed, all of them in the same second but the last."""
    at = datetime(2026, 5, 6, 9, 30, tzinfo=UTC)
    with inbox.database.write() as session:
        for number in range(count):
            late = timedelta(seconds=int(number == count - 1))
            row = {"company_id": company_id, "action": "denied", "detail": f"d{number}", **values}
            session.add(AuditRecord(at=at + late, **row))


def rows(inbox: Inbox, path: str = AUDIT) -> list[str]:
    answer = inbox.client(ADMIN).get(path)
    assert answer.status_code == 200, answer.text
    found = html.fromstring(answer.text).xpath("//li[@class='ks-activity__row']")
    return [" ".join(row.text_content().split()) for row in found]


def test_every_deed_has_a_title_for_people() -> None:
    assert set(TITLES) == set(Audited)


def test_nothing_yet_is_said(inbox: Inbox) -> None:
    assert "Nothing here yet." in inbox.client(ADMIN).get(AUDIT).text


def test_a_row_says_who_what_when_and_which_fields(inbox: Inbox) -> None:
    values = {"object": "Contact", "record_id": "003000000000001AAA", "fields": ["Phone", "Title"]}
    done(inbox, action="record_updated", agent_id="gus", detail="",
         connection_id=inbox.connection_id, **values)  # fmt: skip
    (row,) = rows(inbox)
    assert row.startswith("Changed a record in Salesforce: Contact gus · 6 May 2026, 09:30 UTC")
    assert "Phone, Title" in row
    page = html.fromstring(inbox.client(ADMIN).get(AUDIT).text)
    (link,) = page.xpath("//li[@class='ks-activity__row']//a[@target='_blank']/@href")
    assert link == f"{INSTANCE}/lightning/r/Contact/003000000000001AAA/view"


def test_counts_are_grouped_as_the_admin_writes_them(inbox: Inbox) -> None:
    done(inbox, action="unusual_use", detail="requests=6000 usual=300", times=1200)
    answer = inbox.client(ADMIN).get(AUDIT, headers={"Accept-Language": "de-DE"})
    assert "6.000 requests today" in answer.text
    assert "1.200 times within a minute" in answer.text


def test_ones_own_deeds_and_those_of_the_machine_are_told_apart(inbox: Inbox) -> None:
    done(inbox, agent_id=ADMIN.id, detail="mine")
    done(inbox, action="connection_lost", detail="")
    own, machine = sorted(rows(inbox))
    assert own.startswith("Access denied You")
    assert machine.startswith("Salesforce ended the connection Automatic")


def test_another_companys_deeds_are_not_shown(inbox: Inbox) -> None:
    done(inbox, "other", detail="theirs")
    assert rows(inbox) == []


def test_the_pages_show_every_row_once_newest_first(inbox: Inbox) -> None:
    done(inbox, count=2 * PAGE + 1)
    seen, path = [], AUDIT
    while path:
        seen += [int(row.rpartition(" d")[2]) for row in rows(inbox, path)]
        page = html.fromstring(inbox.client(ADMIN).get(path).text)
        path = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert seen == [2 * PAGE, *reversed(range(2 * PAGE))]


def test_people_automations_and_refusals_are_shown_alone(inbox: Inbox) -> None:
    done(inbox, agent_id="gus", action="fields_chosen", detail="")
    done(inbox, agent_id="gus", detail="panel")
    done(inbox, action="record_created", detail="")
    assert len(rows(inbox)) == 3
    assert len(rows(inbox, f"{AUDIT}?whose=people")) == 2
    (automatic,) = rows(inbox, f"{AUDIT}?whose=automatic")
    assert "Automatic" in automatic
    (refused,) = rows(inbox, f"{AUDIT}?whose=refused")
    assert refused.startswith("Access denied gus")


def test_the_next_page_stays_with_whose_it_is(inbox: Inbox) -> None:
    done(inbox, agent_id="gus", action="fields_chosen", detail="", count=PAGE + 1)
    done(inbox, action="record_created", detail="")
    page = html.fromstring(inbox.client(ADMIN).get(f"{AUDIT}?whose=people").text)
    (following,) = page.xpath("//a[@rel='next']/@href")
    (row,) = rows(inbox, following)
    assert row.startswith("Changed the fields agents see gus")


def test_a_switched_automation_names_its_mailbox(inbox: Inbox) -> None:
    done(
        inbox,
        agent_id="gus",
        action="automation_changed",
        record_id="sales",
        detail="log_tasks=true",
    )
    (row,) = rows(inbox)
    assert row.endswith("sales · logging Tasks on")


def test_whose_is_one_of_four(inbox: Inbox) -> None:
    assert inbox.client(ADMIN).get(f"{AUDIT}?whose=nobody").status_code == 400
    empty = inbox.client(ADMIN).get(f"{AUDIT}?whose=refused").text
    assert "Nothing of this kind yet." in empty


@pytest.mark.parametrize("after", ["x", "1-", "9" * 19 + "-1", "1-1-1"])
def test_a_place_that_is_none_is_refused(inbox: Inbox, after: str) -> None:
    assert inbox.client(ADMIN).get(f"{AUDIT}?after={after}").status_code == 400


def test_rows_speak_of_people_fields_and_mailboxes_by_their_names(inbox: Inbox) -> None:
    inbox.desk.company("acme").mailboxes.append(Mailbox("m-7", "Key accounts", "k@acme.example"))
    about = {"object": "Contact", "record_id": "003000000000001AAA", "fields": ["MobilePhone"]}
    done(inbox, action="record_updated", agent_id="gus", agent_name="Gus Gone", detail="", **about)
    done(inbox, action="record_updated", agent_id="gus", detail="", **about)  # of 0.1.0
    switched = {"record_id": "m-7", "detail": "log_tasks=true"}
    done(inbox, action="automation_changed", agent_id="ada", agent_name="Ada Admin", **switched)
    *updated, automation = sorted(rows(inbox), key=lambda row: "automations" in row)
    assert "Key accounts" in automation
    assert "Ada Admin" not in automation, "that is the reader"
    for row in updated:
        assert "Gus Gone" in row
        assert "MobilePhone" not in row
        assert "Mobile" in row


def test_what_a_person_does_is_kept_with_their_name(inbox: Inbox) -> None:
    client = inbox.client()
    assert client.get("/salesforce/settings/").status_code == 403
    with inbox.database.read() as session:
        assert [row.agent_name for row in session.query(AuditRecord)] == ["Gus Agent"]


def test_the_trail_is_narrowed_by_person_day_and_record(inbox: Inbox) -> None:
    about = {"action": "record_updated", "object": "Case", "detail": ""}
    done(inbox, agent_id="gus", record_id="500000000000001AAA", fields=["Subject"], **about)
    done(inbox, agent_id="eve", record_id="500000000000002AAA", fields=["Status"], **about)
    page = "https://acme.lightning.force.com/lightning/r/Case/500000000000001AAA/view"
    for narrowed, count in (
        ("?person=gus", 1),
        ("?day=2026-05-06", 2),
        ("?day=2026-05-07", 0),
        ("?record=500000000000001", 1),
        (f"?record={page}", 1),
        ("?person=eve&record=500000000000001AAA", 0),
        ("?whose=automatic&person=gus", 0),
    ):
        assert len(rows(inbox, AUDIT + narrowed)) == count, narrowed
    for refused in ("?day=tomorrow", "?record=%25"):
        answer = inbox.client(ADMIN).get(AUDIT + refused)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
    links = html.fromstring(inbox.client(ADMIN).get(f"{AUDIT}?person=gus").text)
    assert f"{AUDIT}?whose=people&person=gus" in links.xpath("//nav[@aria-label='Filter']//a/@href")
