"""What this mail is about: the head, what stands around the person, and the log on the face."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lxml import html

from tests.blueprints.inbox import CONVERSATION, CUSTOMER, INSTANCE, Inbox, post, url
from tests.blueprints.ledger import Ledger
from tests.blueprints.panel.test_edit import edit
from tests.blueprints.panel.test_log import arrives, settle

JSON = {"Accept": "application/json"}
FRAGMENT = {"X-Keeping-Fragment": "1"}


def panel(inbox: Inbox) -> Any:
    return html.fromstring(inbox.client().get(url(), headers=FRAGMENT).text)


def section(page: Any, key: str) -> str:
    """The words of one section, blanks made one."""
    [found] = page.xpath(f"//section[@aria-labelledby='k-{key}']")
    return " ".join(found.xpath(".//text()[normalize-space()]")).strip()


def subject(inbox: Inbox, text: str, conversation_id: str = "c-1") -> None:
    conversation = replace(CONVERSATION, id=conversation_id, subject=text)
    inbox.desk.add_conversation("acme", conversation)


def test_the_head_says_who_this_is_and_lookups_lead_to_their_record(inbox: Inbox) -> None:
    fake = inbox.salesforce
    account = fake.add("Account", Name="Acme Roofing")
    owner = fake.user_id
    fake.add(
        "Contact",
        LastName="Doe",
        Email=CUSTOMER.email,
        AccountId=account,
        Title="CEO",
        OwnerId=owner,
        LastActivityDate="2026-05-03",
    )
    inbox.choose("Contact", "Email", "AccountId")
    assert "CEO" not in panel(inbox).text_content(), "nobody ticked it"
    inbox.choose("Contact", "Title", "OwnerId", "LastActivityDate", "Email", "AccountId")
    page = panel(inbox)
    [line] = page.xpath("//p[contains(@class, 'k-facts-line')]")
    words = " ".join(line.text_content().split())
    assert words.startswith("Acme Roofing CEO")
    assert "Last Activity 3 May 2026" in words
    pages = {link.get("href") for link in page.xpath("//a[@target='_blank']")}
    assert f"{INSTANCE}/lightning/r/Account/{account}/view" in pages
    assert any(f"/{owner}" in link for link in pages)
    assert page.xpath("//*[@data-k-age='0']")[0].text == "just now"
    assert page.xpath("//a[@id='k-refresh']/@href") == [url()]


def test_none_and_not_allowed_to_see_differ(inbox: Inbox, jane: str) -> None:
    page = panel(inbox)
    assert [section(page, key) for key in ("account", "opportunities", "cases")] == [
        "Account None",
        "Opportunities None",
        "Cases None",
    ]
    schemas = dict(inbox.salesforce.org.schemas)
    for name in ("Account", "Case"):
        del schemas[name]
    inbox.describe(schemas)
    page = panel(inbox)
    unseen = "Not visible to the connected user"
    assert section(page, "account") == f"Account {unseen}"
    assert section(page, "cases") == f"Cases {unseen}"
    assert section(page, "opportunities") == "Opportunities None"


def test_an_account_that_sharing_hides_is_not_none(inbox: Inbox, jane: str) -> None:
    inbox.salesforce.org.of("Contact")[0]["AccountId"] = "001000000000001AAA"
    assert section(panel(inbox), "account").endswith("Not visible to the connected user")


def test_what_is_not_on_the_face_is_counted_and_open_ones_are_folded_below(
    inbox: Inbox, jane: str
) -> None:
    for number in range(8):
        status = "Closed" if number % 2 else "New"
        inbox.salesforce.add("Case", Subject=f"Trouble {number}", ContactId=jane, Status=status)
    page = panel(inbox)
    [count] = page.xpath("//section[@aria-labelledby='k-cases']//a[contains(., ' of ')]")
    assert count.text_content() == "5 of 8"
    assert count.get("href") == f"{INSTANCE}/lightning/r/Contact/{jane}/related/Cases/view"
    [folded] = page.xpath("//details[@id='k-cases-more']")
    assert folded.get("open") is None
    assert folded.xpath("./summary")[0].text == "2 more open"
    body = inbox.client().get(url(), headers=JSON).json["match"]
    subjects = [record["title"].split(" · ")[-1] for record in body["cases"]]
    assert subjects == [f"Trouble {number}" for number in (6, 4, 7, 5, 3)]
    assert [record["title"][-1] for record in body["more_cases"]] == ["2", "0"]
    assert inbox.calls() == ["panel", "panel"]


def test_the_case_in_the_subject_comes_first_and_can_be_edited(inbox: Inbox) -> None:
    fake = inbox.salesforce
    account = fake.add("Account", Name="Acme Roofing")
    jane = fake.add("Contact", LastName="Doe", Email=CUSTOMER.email, AccountId=account)
    theirs = fake.add("Case", CaseNumber="00004711", Subject="Of the Account", AccountId=account)
    fake.add("Case", CaseNumber="00009999", Subject="A stranger's")
    for number in range(6):
        fake.add("Case", CaseNumber=f"0000500{number}", Subject="Later", ContactId=jane)
    subject(inbox, "Re: #4711, 00009999 and 00005002")
    page = panel(inbox)
    names = page.xpath("//section[@aria-labelledby='k-cases']//*[@class='k-record__name']")
    first = [" ".join(name.text_content().split()) for name in names]
    assert first[0] == "00005002 · Later In the subject"
    assert first[1] == "00004711 · Of the Account In the subject"
    assert "stranger" not in page.text_content()
    assert inbox.calls() == ["panel"]
    # Another conversation of the same person is opened meanwhile, and its card is kept instead.
    subject(inbox, "Hello", "c-2")
    other = inbox.client().get("/salesforce/conversations/c-2", headers=JSON).json["match"]
    assert other["named_cases"] == []
    client = inbox.client()
    assert edit(client, f"/Case/{theirs}/edit/Status", Status="Working").status_code == 200
    assert fake.org.row("Case", theirs)["Status"] == "Working"  # type: ignore[index]
    other_url = f"/salesforce/conversations/c-2/Case/{theirs}/edit"
    client.get("/salesforce/conversations/c-2")
    assert client.get(other_url).status_code == 404


def test_activities_are_shown_where_an_admin_wants_them_and_never_edited(
    inbox: Inbox, jane: str
) -> None:
    task = inbox.salesforce.add("Task", Subject="Call back", WhoId=jane, Status="Not Started")
    assert "Call back" not in panel(inbox).text_content()
    inbox.choose("Task", "Subject", "Status")
    page = panel(inbox)
    [folded] = page.xpath("//section[@aria-labelledby='k-tasks']/details")
    assert folded.get("open") is None
    assert "Call back" in folded.text_content()
    assert "Edit in Salesforce" in folded.text_content()
    client = inbox.client()
    assert client.get(url(f"/Task/{task}/edit")).status_code == 404
    sent = post(client, f"/Task/{task}/edit/Subject", {"sf_Subject": "x"})
    assert sent.status_code == 404
    assert inbox.calls() == ["panel", "panel"]


def test_activities_of_a_lead_are_shown_too(inbox: Inbox) -> None:
    inbox.choose("Task", "Subject", "Status")
    lead = inbox.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=CUSTOMER.email)
    page = panel(inbox)
    assert "None" in section(page, "tasks")
    assert not page.xpath("//section[@aria-labelledby='k-opportunities']"), "no Lead has any"
    for number in range(6):
        inbox.salesforce.add("Task", Subject=f"Call {number}", WhoId=lead, Status="Completed")
    asked = len(inbox.calls())
    client = inbox.client()
    for known in ("", "?known=1"):  # as Salesforce answers, and as the panel's own copy holds it
        told = client.get(url("") + known, headers=FRAGMENT).text
        assert sum(f"Call {number}" in told for number in range(6)) == 5
    assert inbox.calls()[asked:] == ["panel"]


@pytest.mark.parametrize("found", [True, False])
def test_the_log_is_on_the_face_with_the_reason(inbox: Inbox, found: bool) -> None:
    if found:
        inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email)
    arrives(inbox)
    words = [["FIELD_CUSTOM_VALIDATION_EXCEPTION", "No Tasks on Sundays", []]]
    entry = settle(inbox, "log_task", state="failed", reason="rejected", words=words)
    Ledger(inbox.database, inbox.connection_id).refusal(message_id="m-2")
    page = panel(inbox)
    [face] = page.xpath("//summary[@id='k-log-summary']")
    text = " ".join(face.text_content().split())
    assert text == "1 failed · 1 not loggedNo Tasks on Sundays"
    assert not page.xpath("//details[@id='k-log-all']/@open"), "the reason takes no click"
    client = inbox.client()
    retried = post(client, f"/log/{entry}/retry", headers=FRAGMENT, follow_redirects=True)
    fresh = html.fromstring(retried.text)
    assert fresh.get("id") == "k-log"
    assert "1 in progress" in fresh.text_content()
    assert fresh.xpath("//details[@id='k-log-all']/@open") is not None
