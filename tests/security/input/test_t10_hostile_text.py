"""T10: text from Salesforce, mail and admins is text, on every page, in a browser, under the CSP.

Labels, values, picklists, help texts, errors, names, subjects and the org's own name are hostile:
script, quotes, right-to-left marks, 32,000 characters. A page on which anything of it ran would
have set `window.pwned`, opened a dialog, asked for another host or met the CSP (which the page
guard reports as a console error).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from keeping_plugin.errors import Complaint, DuplicatesFound, RecordRejected
from keeping_plugin.models import (
    AgentUser,
    AuditRecord,
    Connection,
    FindingPolicy,
    Pick,
    UndoRun,
    now,
)
from keeping_plugin.types import Address, Conversation, FieldSpec, ObjectSchema
from tests.blueprints.inbox import ADMIN, AGENT, FIELDS, Inbox, open_inbox
from tests.blueprints.panel.test_log import arrives, settle
from tests.security.routes import ROUTES, For
from tests.security.town import Ids

RUN = "window.pwned=1"
EVIL = (
    f'<script>{RUN}</script>"\'><img src=x onerror="{RUN}"><svg onload={RUN}></textarea>'
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe><keeping-panel onclick={RUN}>"
    f"{{{{7*7}}}} ${{{RUN}}} `</template></title><style>*{{display:none}}</style>\u202e\u2066gnp"
)
LONG = (EVIL + " ") * (32_000 // len(EVIL))
LINKS = [f"javascript:{RUN}", f"data:text/html,<script>{RUN}</script>", f"java\tscript:{RUN}"]
CUSTOMER = Address("mallory@evil.example", EVIL[:200])
INJECTED = "script:not([src]), iframe, img[src='x'], svg[onload], [onerror], [onclick], [style]"


def hostile(schema: ObjectSchema) -> ObjectSchema:
    """The same object as an admin with bad intentions would have set it up."""

    def field(spec: FieldSpec) -> FieldSpec:
        picklist = tuple(replace(value, label=f"{EVIL} {value.label}") for value in spec.picklist)
        return replace(spec, label=f"{EVIL} {spec.name}", help_text=EVIL, picklist=picklist)

    fields = {name: field(spec) for name, spec in schema.fields.items()}
    return replace(schema, label=EVIL, label_plural=EVIL, fields=fields)


@pytest.fixture
def inbox(sqlite_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_url, limit=(10**6, 10**6)) as opened:
        fake = opened.salesforce
        opened.connect({name: hostile(schema) for name, schema in fake.org.schemas.items()})
        opened.desk.add_conversation(
            "acme",
            Conversation("c-1", "support", EVIL, "/inbox/c-1", customer=CUSTOMER),
        )
        opened.choose("Contact", *FIELDS["Contact"], "Description")
        with opened.database.write() as session:
            row = session.get_one(Connection, opened.connection_id)
            row.org_name = row.username = EVIL[:255]
            row.lost_reason = EVIL[:255]
        yield opened


@pytest.fixture
def address(inbox: Inbox) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, inbox.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def people(inbox: Inbox) -> Ids:
    fake = inbox.salesforce
    account = fake.add("Account", Name=EVIL, Website=LINKS[0], Industry=EVIL, Phone=EVIL[:40])
    contact = fake.add(
        "Contact",
        FirstName=EVIL,
        LastName=EVIL,
        Title=EVIL,
        Phone=f"tel:{EVIL}",
        Email=CUSTOMER.email,
        Description=LONG,
        AccountId=account,
    )
    deal = fake.add("Opportunity", Name=EVIL, StageName=EVIL, CloseDate="2026-12-01", Amount=1)
    fake.add("OpportunityContactRole", ContactId=contact, OpportunityId=deal)
    case = fake.add("Case", CaseNumber=EVIL, Subject=EVIL, Status=EVIL, ContactId=contact)
    arrives(inbox, customer=CUSTOMER, sender=CUSTOMER)
    words = [["FIELD_CUSTOM_VALIDATION_EXCEPTION", EVIL, [EVIL]]]
    entry = settle(inbox, "log_task", state="failed", reason="rejected", words=words)
    records = {"Contact": contact, "Account": account, "Opportunity": deal, "Case": case}
    with inbox.database.write() as session:
        time = now(session)
        session.add(FindingPolicy(company_id="acme", search=True))
        user = EVIL[:255]
        session.add(
            AgentUser(
                connection_id=inbox.connection_id, agent_id="support", name=EVIL[:255], email=user,
                user_name=user, found="several", candidates=[["005000000000001AAA", EVIL, EVIL]],
                seen_at=time,
            )
        )  # fmt: skip
        undo = UndoRun(
            connection_id=inbox.connection_id, epoch=1, company_id="acme", chosen_by="domain",
            value=EVIL[:255], started_by=EVIL[:255], started_at=time,
        )  # fmt: skip
        session.add(undo)
        session.flush()
        undo_id = undo.id
    return Ids(
        conversation="c-1", mailbox="support", customer=CUSTOMER, records=records, entry=entry,
        undo=undo_id,
    )  # fmt: skip


def assert_nothing_ran(page: Page, where: str) -> None:
    assert page.evaluate("window.pwned === undefined"), where
    # Inside the panel's shadow root, too, which Playwright's selectors see into.
    found = page.locator(INJECTED)
    assert found.count() == 0, f"{where}: {found.first.evaluate('e => e.outerHTML')[:300]}"
    for link in page.locator("a[href]").all():
        scheme = link.evaluate("e => e.protocol")
        assert scheme in ("http:", "https:", "mailto:", "tel:", ""), (where, scheme)


def test_nothing_runs_on_any_page(inbox: Inbox, address: str, page: Page) -> None:
    dialogs: list[str] = []
    asked: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    ids = people(inbox)
    with inbox.database.write() as session:
        # Somebody has chosen the record, so that its address may be replaced.
        picked = Pick(
            connection_id=inbox.connection_id,
            address=CUSTOMER.email,
            object="Contact",
            record_id=ids.records["Contact"],
            picked_by=EVIL[:255],
            picked_at=now(session),
        )
        session.add(picked)
    for route in ROUTES:
        if route.method != "GET" or route.endpoint in ("static", "openapi", "oauth_callback"):
            continue
        inbox.desk.agent = ADMIN if route.whom is For.ADMINS else AGENT
        path, _ = route.filled(ids)
        page.goto(address + path)
        assert_nothing_ran(page, route.name)
    inbox.desk.agent = ADMIN
    page.goto(f"{address}/salesforce/settings/fields/Contact")
    expect(page.get_by_text("<script>").first).to_be_visible()  # shown as it stands
    assert dialogs == []
    assert all(url.startswith(address) for url in asked), asked


def test_nothing_runs_in_the_panel_while_it_is_used(
    inbox: Inbox, address: str, page: Page, page_guard: Any
) -> None:
    """Open everything, edit with a hostile refusal, and see it all beside the inbox."""
    ids = people(inbox)
    inbox.desk.agent = AGENT
    page.goto(f"{address}/inbox/c-1")
    expect(page.locator("#k-panel[data-k-state]")).to_be_visible()
    for summary in page.locator("summary").all():
        summary.click()
    assert_nothing_ran(page, "the panel")
    page_guard.expect("status of 422")
    complaints = (Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", f"refused: {EVIL}", ()),)
    inbox.salesforce.fail("update", RecordRejected(complaints=complaints))
    page.locator(f"#k-{ids.records['Contact']}-Title-edit").click()
    page.locator("[name=sf_Title]").fill("Somebody")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("refused: <script>").first).to_be_visible()
    assert_nothing_ran(page, "a refusal")
    assert page.title() == "Inbox"


def test_nothing_runs_where_salesforce_and_admins_speak_on_bad_days(
    inbox: Inbox, address: str, page: Page, page_guard: Any
) -> None:
    """What a search finds, duplicates, somebody else's edit, another org's name, the reason for
    which a connection is lost, and an audit trail with hostile names."""
    ids = people(inbox)
    inbox.desk.agent = AGENT
    at = f"{address}/salesforce/conversations/c-1"
    page.goto(f"{at}/search/Account?q=script&field=AccountId")
    expect(page.get_by_text("<script>").first).to_be_visible()
    assert_nothing_ran(page, "what a search finds")

    page_guard.expect("status of 409")
    twin = inbox.salesforce.add("Contact", LastName=EVIL, Title=EVIL, Email="twin@evil.example")
    complaints = (Complaint("DUPLICATES_DETECTED", EVIL, ()),)
    found = DuplicatesFound(complaints=complaints, record_ids=(("Contact", twin),), may_save=True)
    inbox.salesforce.fail("create", found)
    inbox.customer(Address("new@evil.example", EVIL[:200]))
    page.goto(f"{at}/new/Contact")
    page.locator("[name=sf_LastName]").fill("Somebody")
    # The form names the customer, too, so its text does not say that the answer is here.
    with page.expect_response(lambda answer: answer.status == 409):
        page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("<script>").first).to_be_visible()
    assert_nothing_ran(page, "duplicates")

    inbox.customer(CUSTOMER)
    page.goto(f"{at}/Contact/{ids.records['Contact']}/edit/Title")
    inbox.salesforce.update("Contact", ids.records["Contact"], Title=f"{EVIL} theirs")
    page.locator("[name=sf_Title]").fill("Mine")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("theirs").first).to_be_visible()
    assert_nothing_ran(page, "somebody else's edit")

    inbox.desk.agent = ADMIN
    with inbox.database.write() as session:
        at_once = now(session)
        session.get_one(Connection, inbox.connection_id).lost_at = at_once
        session.get_one(Connection, inbox.connection_id).status = "lost"
        session.add(
            Connection(
                company_id="acme", org_id="00D000000000099AAA", org_name=EVIL[:255],
                username=EVIL[:255], instance_url="https://evil.my.salesforce.com",
                login_url="https://login.salesforce.com", user_id="005000000000099AAA",
                tokens=b"sealed", connected_at=at_once, connected_by=EVIL[:255],
                confirmed=False, current=False, status="disconnected",
            )
        )  # fmt: skip
        session.add(
            AuditRecord(
                at=at_once, company_id="acme", agent_id=EVIL[:255], action="record_updated",
                connection_id=inbox.connection_id, object=EVIL[:80], record_id=EVIL[:255],
                fields=[EVIL, "javascript:"], detail=EVIL[:255],
            )
        )  # fmt: skip
    for path in ("settings/", "settings/audit", "settings/activity", "settings/automation"):
        page.goto(f"{address}/salesforce/{path}")
        assert_nothing_ran(page, path)
        if path in ("settings/", "settings/audit"):
            expect(page.get_by_text("<script>").filter(visible=True).first).to_be_visible()
    inbox.desk.agent = AGENT
    page_guard.expect("status of 503")
    page.goto(f"{address}/inbox/c-1")
    expect(page.get_by_text("Connection lost").first).to_be_visible()
    assert_nothing_ran(page, "a lost connection")
