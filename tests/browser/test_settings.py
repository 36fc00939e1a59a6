"""The admin's settings in a real browser: the login window, the pages, the keyboard, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update

from demo.running import Demo
from keeping_plugin.models import Installation
from tests.blueprints.inbox import ADMIN, CUSTOMER
from tests.browser.served import Served
from tests.fake_salesforce.addresses import with_email_fields
from tests.servers.chromium import PageGuard
from tests.servers.demos import WarmDemo
from tests.servers.needs import require
from tests.servers.ports import free_port

SETTINGS = "/salesforce/settings/"
PAGES = {
    "connection": SETTINGS,
    "fields": f"{SETTINGS}fields/Contact",
    "automation": f"{SETTINGS}automation/try?mailbox=support&address=anna@example.com",
    "preview": f"{SETTINGS}automation/preview?mailbox=support",
    "people": f"{SETTINGS}automation/people?mailbox=support",
    "values": f"{SETTINGS}automation/people/Contact",
    "owners": f"{SETTINGS}automation/owners?mailbox=support",
    "finding": f"{SETTINGS}finding",
    "creating": f"{SETTINGS}creating",
    "create-form": f"{SETTINGS}creating/Case",
    "audit": f"{SETTINGS}audit",
    "disconnect": f"{SETTINGS}disconnect",
    "tile": "/settings/integrations",
}
VIEWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1200, "height": 800}, "color_scheme": "light"},
    "wide-dark": {"viewport": {"width": 1200, "height": 800}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
    "narrow-dark": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    # A window of 1280 by 800 at 200 %, in a system's own colours.
    "forced": {"viewport": {"width": 640, "height": 400}, "forced_colors": "active"},
}
NewContext = Callable[..., BrowserContext]
Screenshot = Callable[[Page, str], Path]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    require("redis")
    require("chromium")
    with WarmDemo(tmp_path_factory.mktemp("settings") / "data", first_port=free_port()) as running:
        yield running


def open_settings(context: BrowserContext, demo: Demo, path: str = SETTINGS) -> Page:
    """Maya, an admin, logged in and on a page of the settings."""
    page = context.new_page()
    page.goto(f"{demo.url}/login")
    page.get_by_label("Email address").fill("maya@outdoor.example.com")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{demo.url}{path}")
    return page


def approve(login: Page, demo: Demo) -> None:
    """Log in at Salesforce and allow the access."""
    login.get_by_label("Username").fill(demo.org.production.login("admin").username)
    login.get_by_label("Password").fill("demo")
    login.get_by_role("button", name="Log In").click()
    login.get_by_role("button", name="Allow", exact=True).click()


def disconnected(page: Page) -> Page:
    """The connection page with a Connect button, whatever was before."""
    if page.get_by_role("link", name="Disconnect").count():
        page.get_by_role("link", name="Disconnect").click()
        page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("button", name="Connect Salesforce")).to_be_visible()
    return page


def connected(page: Page, demo: Demo) -> Page:
    """The connection page, connected and described."""
    disconnected(page)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect Salesforce").click()
    with opened.value.expect_event("close"):
        approve(opened.value, demo)
    expect(page.get_by_role("heading", name="Fields and objects")).to_be_visible(timeout=30_000)
    return page


def test_the_window_closes_and_the_page_shows_the_org(
    demo: Demo, new_context: NewContext, screenshot: Screenshot
) -> None:
    page = disconnected(open_settings(new_context(), demo))
    screenshot(page, "settings-before")
    connected(page, demo)
    expect(page.get_by_role("heading", name="Example Outdoor Company")).to_be_visible()
    expect(page.get_by_role("row", name="Contacts")).to_be_visible()
    expect(page.get_by_text("Everything needed is in place.")).to_be_visible()


def test_a_long_list_of_domains_scrolls_in_its_own_place(
    demo: Demo, new_context: NewContext
) -> None:
    """What is there for screen readers only must not stretch the page below the list."""
    page = open_settings(new_context(), demo, f"{SETTINGS}automation")
    before = page.evaluate("document.documentElement.scrollHeight")
    page.get_by_label("Add domains").fill("\n".join(f"d{n}.example.net" for n in range(200)))
    page.get_by_role("button", name="Add to the list").click()
    expect(page.get_by_text("200 domains are now skipped.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") < before + 600


def test_everything_works_without_javascript(
    demo: Demo, page_guard: PageGuard, new_context: NewContext, screenshot: Screenshot
) -> None:
    page_guard.expect("422")  # the refused domains
    page = disconnected(open_settings(new_context(java_script_enabled=False), demo))
    page.get_by_role("button", name="Connect Salesforce").click()
    approve(page, demo)
    expect(page.get_by_role("heading", name="Example Outdoor Company")).to_be_visible()

    def described() -> bool:
        page.goto(f"{demo.url}{SETTINGS}fields/Contact")
        return page.get_by_role("button", name="Save").count() > 0

    for _ in range(100):
        if described():
            break
    page.get_by_label("Search fields").fill("birth")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("MobilePhone")).to_be_hidden()
    page.get_by_label("Birthdate").check()
    page.get_by_label("Search fields").fill("")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("button", name="Move Birthdate up").click()
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Agents see 7 fields.")).to_be_visible()
    screenshot(page, "settings-fields-without-javascript")
    page.goto(f"{demo.url}{SETTINGS}automation?mailbox=sales")
    page.get_by_role("switch", name="Push conversations as Salesforce Tasks").check()
    page.get_by_role("form", name="Sales").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Sales: saved.")).to_be_visible()
    page.get_by_label("Add domains").fill("acme.com\n@acme")
    page.get_by_role("button", name="Add to the list").click()
    expect(page.get_by_text("Nothing has been added yet.")).to_be_visible()
    expect(page.get_by_label("Add domains")).to_have_value("acme.com\n@acme")
    page.goto(f"{demo.url}{SETTINGS}")
    disconnected(page)
    expect(page.get_by_text("The panel and all automations stopped")).to_be_visible()


def test_fields_are_chosen_by_keyboard_and_leaving_is_guarded(
    demo: Demo, new_context: NewContext
) -> None:
    page = connected(open_settings(new_context(), demo), demo)
    page.goto(f"{demo.url}{SETTINGS}fields/Lead")
    page.get_by_label("Search fields").focus()
    page.keyboard.type("website")
    expect(page.get_by_text("1 of")).to_be_visible()
    page.keyboard.press("Enter")  # filters already, and must not save
    page.get_by_label("Website").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.get_by_label("Search fields").fill("")
    down = page.get_by_role("button", name="Move First Name down")
    down.focus()
    page.keyboard.press("Enter")
    expect(down).to_be_focused()
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    page.once("dialog", stay)
    page.get_by_role("link", name="Cases").click()
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Leads: saved.")).to_be_visible()
    shown = page.locator("[data-k-shown] .ks-pick__name").all_inner_texts()
    assert shown[:2] == ["LastName", "FirstName"]
    assert shown[-1] == "Website"


def test_what_has_the_focus_is_never_behind_the_save(demo: Demo, new_context: NewContext) -> None:
    page = open_settings(new_context(**VIEWS["narrow"]), demo)
    if not page.get_by_role("link", name="Disconnect").count():
        connected(page, demo)
    page.goto(f"{demo.url}{SETTINGS}fields/Contact")
    page.get_by_label("Search fields").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        bottom, save = page.evaluate(
            """() => [document.activeElement, document.querySelector(".ks-save")].map(
            (element, at) => element.getBoundingClientRect()[at ? "top" : "bottom"])"""
        )
        assert bottom <= save


def test_domains_typed_and_not_added_are_guarded(demo: Demo, new_context: NewContext) -> None:
    page = open_settings(new_context(), demo, f"{SETTINGS}automation")
    expect(page.get_by_text("Not added yet")).to_be_hidden()
    page.get_by_label("Add domains").press_sequentially("kites.example")
    expect(page.get_by_text("Not added yet")).to_be_visible()
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    page.once("dialog", stay)
    page.get_by_role("link", name="Cases").click()
    expect(page.get_by_label("Add domains")).to_have_value("kites.example")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Add to the list").click()
    expect(page.get_by_text("1 domain is now skipped.")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_an_owner_is_found_and_chosen(
    demo: Demo,
    page_guard: PageGuard,
    new_context: NewContext,
    axe: Callable[[Page], None],
    screenshot: Screenshot,
    script: bool,
) -> None:
    page_guard.expect("422")  # a name that nobody has
    page = open_settings(new_context(java_script_enabled=script), demo)
    if not page.get_by_role("link", name="Disconnect").count():
        if script:
            connected(page, demo)
        else:
            page.get_by_role("button", name="Connect Salesforce").click()
            approve(page, demo)
    page.goto(f"{demo.url}{SETTINGS}automation/owners?mailbox=support")
    user = page.get_by_label("User", exact=True)
    user.fill("Zz")
    user.press("Enter")
    expect(
        page.get_by_text("No active user and no queue for Leads in your Salesforce org")
    ).to_be_visible()
    user.fill("few")
    user.press("Enter")
    expect(page.get_by_role("radio", name="Fred Few-Rights")).to_be_checked()
    if script:
        axe(page)
    page.set_viewport_size(VIEWS["narrow"]["viewport"])
    screenshot(page, f"settings-owner-found-{'script' if script else 'plain'}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Support: saved.")).to_be_visible()
    expect(page.get_by_role("radio", name="One user (Fred Few-Rights)")).to_be_checked()
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_text("The agents were compared")).to_be_visible()
    page.get_by_role("link", name="Change the user of Maya").click()
    page.get_by_label("Salesforce user").fill("ada")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("group", name="Found")).to_be_visible()
    if script:
        axe(page)
    screenshot(page, f"settings-agent-{'script' if script else 'plain'}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Set by an admin").first).to_be_visible()
    page.get_by_role("link", name="Support (own choice)").click()
    page.get_by_role("button", name="Use the choice of all mailboxes").click()
    expect(page.get_by_text("Support follows the company again.")).to_be_visible()


def test_every_page_is_accessible_and_fits(
    demo: Demo,
    new_context: NewContext,
    axe: Callable[[Page], None],
    screenshot: Screenshot,
) -> None:
    """In every view; each page is loaded once, and the window and the colours change around it."""
    page = open_settings(new_context(reduced_motion="reduce"), demo)
    if not page.get_by_role("link", name="Disconnect").count():
        connected(page, demo)
    for name, path in PAGES.items():
        page.goto(f"{demo.url}{path}")
        for view, how in VIEWS.items():
            page.set_viewport_size(how["viewport"])
            dress = {"color_scheme": "light", "forced_colors": "none", **how}
            page.emulate_media(**{key: dress[key] for key in ("color_scheme", "forced_colors")})
            screenshot(page, f"settings-{name}-{view}")
            axe(page)
            too_wide = "document.documentElement.scrollWidth > innerWidth"
            assert not page.evaluate(too_wide), f"{name} is wider than the window ({view})"


def test_refused_input_is_accessible_too(
    demo: Demo, page_guard: PageGuard, new_context: NewContext, axe: Callable[[Page], None]
) -> None:
    page_guard.expect("422")
    page = open_settings(new_context(), demo, f"{SETTINGS}automation")
    page.get_by_label("Add domains").fill("@acme\n*.acme.com")
    page.get_by_role("button", name="Add to the list").click()
    expect(page.get_by_role("alert").filter(has_text="Nothing has been added yet.")).to_be_visible()
    axe(page)


def test_fields_are_ordered_by_mouse_and_by_key_beside_their_preview(
    demo: Demo, new_context: NewContext
) -> None:
    page = open_settings(new_context(viewport={"width": 1280, "height": 900}), demo)
    if not page.get_by_role("link", name="Disconnect").count():
        connected(page, demo)
    page.goto(f"{demo.url}{SETTINGS}fields/Account")
    labels = page.locator("[data-k-shown] .ks-pick__label")
    preview = page.locator("[data-k-preview] dt")
    before = labels.all_inner_texts()
    assert preview.all_inner_texts() == before
    rows = page.locator("[data-k-shown] .ks-pick")
    rows.nth(2).drag_to(rows.nth(0), target_position={"x": 200, "y": 4})
    dragged = [before[2], before[0], before[1], *before[3:]]
    expect(labels).to_have_text(dragged)
    expect(preview).to_have_text(dragged)
    top = page.get_by_role("button", name=f"Move {before[1]} to the top")
    top.press("Enter")
    expect(page.get_by_role("button", name=f"Move {before[1]} down")).to_be_focused()
    expect(preview.first).to_have_text(before[1])
    expect(page.get_by_text(f"{before[1]}: position 1")).to_be_attached()
    page.get_by_label("Annual Revenue").check()
    expect(preview.filter(has_text="Annual Revenue")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Accounts: saved.")).to_be_visible()
    expect(labels.first).to_have_text(before[1])


def test_what_is_wrong_with_a_domain_is_in_view_and_has_the_focus(
    demo: Demo, page_guard: PageGuard, new_context: NewContext
) -> None:
    page_guard.expect("422")
    page = open_settings(new_context(**VIEWS["narrow"]), demo, f"{SETTINGS}automation")
    page.get_by_label("Add domains").fill("@acme")
    page.get_by_role("button", name="Add to the list").click()
    expect(page.get_by_text("Nothing has been added yet.")).to_be_in_viewport()
    expect(page.get_by_label("Add domains")).to_be_focused()
    page.get_by_label("Add domains").fill("in-view.example")
    page.get_by_role("button", name="Add to the list").click()
    expect(page.get_by_text("1 domain is now skipped.")).to_be_in_viewport()


@pytest.fixture
def town(served: Served) -> Served:
    org = served.inbox.salesforce.org
    plain = {"external_id": False, "id_lookup": False}
    schemas = with_email_fields(org.schemas, "Private_Email__c")
    schemas = with_email_fields(schemas, "Assistant_Email__c", **plain)
    org.schemas = with_email_fields(schemas, "Old_Email__c", filterable=False, encrypted=True)
    served.inbox.describe(org.schemas)
    with served.inbox.database.write() as session:
        session.execute(update(Installation).values(contract=1))
    served.inbox.desk.agent = ADMIN
    return served


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_admin_ticks_a_field_and_the_panel_finds_by_it(
    town: Served,
    new_context: Callable[..., BrowserContext],
    screenshot: Callable[[Page, str], Path],
    axe: Callable[[Page], None],
    script: bool,
) -> None:
    fake = town.inbox.salesforce
    jane = fake.add("Contact", LastName="Doe", Email="j@work.example", FirstName="Jane")
    page = new_context(java_script_enabled=script).new_page()
    page.goto(town.address + PAGES["fields"])
    group = page.get_by_role("group", name="Also find people by")
    expect(group.get_by_role("checkbox", checked=True)).to_have_count(0)
    expect(group.get_by_role("checkbox", name="Old Email")).to_be_disabled()
    expect(group.get_by_role("checkbox", name="Assistant Email")).to_have_accessible_description(
        "Not indexed: Salesforce reads every record, which is slow in a large org. To index it, "
        "make it an External ID in Salesforce."
    )
    box = group.get_by_role("checkbox", name="Private Email")
    box.focus()
    page.keyboard.press("Space")
    if script:
        expect(page.get_by_text("Not saved yet")).to_be_visible()
        axe(page)
        _pictures(page, screenshot, "tab-finds")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(group.get_by_role("checkbox", name="Private Email")).to_be_checked()

    fake.org.row("Contact", jane)["Private_Email__c"] = CUSTOMER.email.upper()  # type: ignore[index]
    at = town.address + ("/inbox/c-1" if script else "/salesforce/conversations/c-1")
    page.goto(at)
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()
    expect(page.get_by_text(f"Found by Private Email: {CUSTOMER.email}")).to_be_visible()
    if script:
        _pictures(page, screenshot, "panel-found-by")
    fake.add("Contact", LastName="Roe", Private_Email__c=CUSTOMER.email)
    page.goto(at)
    expect(page.get_by_role("heading", name="2 records have this address")).to_be_visible()
    expect(page.get_by_text("Found by Private Email")).to_have_count(2)
    expect(page.get_by_text("Until then, mail is not logged on any")).to_be_visible()
    if script:
        axe(page)
        _pictures(page, screenshot, "panel-found-by-several")
    page.get_by_role("button", name="Choose Jane Doe").click()
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()


def _pictures(page: Page, screenshot: Callable[[Page, str], Any], name: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            screenshot(page, f"{name}-{width}-{scheme}")
