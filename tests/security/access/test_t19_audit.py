"""T19: every deed leaves one row: who, when, what record, which fields; never a value.

That rows are never changed or deleted is tested in tests/services/test_audit.py; here every deed is
done once through the routes, and both ways of reading the trail are read.
"""

from __future__ import annotations

import json

from lxml import html

from keeping_plugin.cli import keeping
from keeping_plugin.services.audit import Audited
from keeping_plugin.wording.audit import TITLES
from tests.security.town import Town

SETTINGS = "/salesforce/settings/"
VALUE = "Vqcanary"


def test_each_deed_leaves_one_row_and_no_value(working_town: Town) -> None:
    town = working_town
    town.work()
    ada, gus = town.visitor(), town.visitor("gus")
    ids = town.ids["acme"]
    jane, at = ids.records["Contact"], "/salesforce/conversations/c-1"
    new = {"sf_LastName": VALUE, "sf_Email": f"{VALUE}-{town.run}@example.com"}
    deeds = [
        (ada, f"{SETTINGS}fields/Contact", {"fields": ["Name", "Title"], "do": "save"}),
        (ada, f"{SETTINGS}automation?mailbox={ids.mailbox}", {"add_contacts": "1"}),
        (ada, f"{SETTINGS}automation/skip", {"domains": f"{VALUE}.example", "do": "add"}),
        (ada, f"{SETTINGS}preflight", {}),
        (gus, f"{at}/Contact/{jane}/edit", {"sf_Title": VALUE}),
        (gus, f"{at}/new/Contact", new),
        (gus, f"{at}/log/{ids.entry}/retry", {}),
        (gus, f"{at}/Contact/003000000000009AAA/edit", {"sf_Title": VALUE}),
        (ada, f"{SETTINGS}disconnect", {}),
    ]
    gus.get(at)
    done = []
    for visitor, path, form in deeds:
        before = len(town.audited("acme"))
        headers = {"X-CSRFToken": town.csrf(visitor)}
        answer = visitor.client.post(path, data=form, headers=headers)
        saved = path.endswith(f"{jane}/edit")
        assert answer.status_code in ((200,) if saved else (303, 404)), (path, answer.text)
        (row,) = town.audited("acme")[before:]
        done.append((row.action, row.agent_id, row.object, row.fields))
    assert done == [
        (Audited.FIELDS_CHOSEN, "ada", "Contact", done[0][3]),
        (Audited.AUTOMATION_CHANGED, "ada", "", None),
        (Audited.SKIP_LIST_CHANGED, "ada", "", None),
        (Audited.PREFLIGHT, "ada", "", None),
        (Audited.RECORD_UPDATED, "gus", "Contact", ["Title"]),
        (Audited.RECORD_CREATED, "gus", "Contact", done[5][3]),
        (Audited.ENTRY_RETRIED, "gus", "", None),
        (Audited.DENIED, "gus", "", None),
        (Audited.DISCONNECTED, "ada", "", None),
    ]
    assert set(done[5][3]) >= {"LastName", "Email"}
    exported = town.house.app.test_cli_runner().invoke(keeping, ["audit", "--company", "acme"])
    rows = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [row["action"] for row in rows] == [row.action for row in town.audited("acme")]
    assert VALUE.lower() not in exported.stdout.lower()
    assert rows[0]["action"] == "connected"
    assert "other" not in {row["company_id"] for row in rows}
    page = ada.get(f"{SETTINGS}audit").text
    titles = [TITLES[Audited(row["action"])] for row in reversed(rows)]
    shown = html.fromstring(page).xpath("//span[@class='ks-activity__who']/text()")
    assert [text.partition(":")[0] for text in shown] == titles
    assert VALUE.lower() not in page.lower()
    assert ids.records["Contact"] in page, "with the record"
    assert ids.records["Contact"] not in town.visitor("eve").get(f"{SETTINGS}audit").text
    assert gus.get(f"{SETTINGS}audit").status_code == 403


def test_what_automations_write_is_audited_with_the_record(working_town: Town) -> None:
    town = working_town
    town.arrive("acme", town.desk.companies["acme"].conversations["c-1"], number=2)
    town.work()
    (row,) = [row for row in town.audited("acme") if row.action == "record_created"]
    assert (row.agent_id, row.object, row.detail) == ("", "Task", "automation")
    assert row.record_id
    assert "Subject" in row.fields
