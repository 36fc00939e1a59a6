"""A mail's markup stands in the host's page, beside the panel. Our script does nothing for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, Response, redirect, render_template_string, request
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from keeping_plugin.types import Address
from tests.blueprints.inbox import CONVERSATION, Inbox, open_inbox
from tests.servers.chromium import PageGuard

FRAGMENT = {
    "X-Keeping-Fragment": "1",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": "*",
}
_INBOX = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Inbox</title></head>
<body><aside aria-label="Beside">{{ keeping_panel("c-1") }}</aside>
<main><h1>Mail</h1>{{ mail|safe }}</main></body></html>"""


class Place:
    """An inbox that browsers can reach, and a server of somebody else's; what each was asked."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.asked: list[str] = []
        self.lured: list[str] = []
        self.mail = ""
        inbox.app.before_request(lambda: self.asked.append(f"{request.method} {request.full_path}"))
        inbox.app.add_url_rule("/read", "read", self._read)
        inbox.app.add_url_rule("/away", "away", lambda: redirect(f"{self.other}/", 307))
        theirs = Flask("theirs")
        theirs.add_url_rule("/", "all", self._theirs, methods=["GET", "POST"])
        theirs.add_url_rule("/<path:p>", "all", self._theirs, methods=["GET", "POST"])
        self._servers = [
            make_server("127.0.0.1", 0, app, threaded=True) for app in (inbox.app, theirs)
        ]
        self.address, self.other = (f"http://127.0.0.1:{each.port}" for each in self._servers)
        self._threads = [
            threading.Thread(target=each.serve_forever, daemon=True) for each in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()

    def _read(self) -> str:
        return render_template_string(_INBOX, mail=self.mail)

    def _theirs(self, p: str = "") -> Response:
        self.lured.append(f"{request.method} /{p}")
        body = f"<section id='k-panel' data-k-region><b>LURED</b><i id='{p}'></i></section>"
        return Response(body, headers=FRAGMENT)

    def open(self, page: Page, mail: str) -> None:
        """A conversation whose mail holds this, once its panel has loaded."""
        self.mail = mail.replace("OTHER", self.other)
        page.goto(f"{self.address}/read")
        expect(page.locator("#k-panel[data-k-state]")).to_be_visible()
        page.wait_for_load_state("networkidle")

    def of_the_plugin(self) -> list[str]:
        """What was asked of the plugin's pages, with the panel's own one request taken out."""
        asked = [one for one in self.asked if " /salesforce/" in one and "/static/" not in one]
        asked.remove("GET /salesforce/conversations/c-1?")
        return asked


@pytest.fixture
def place(sqlite_url: str) -> Iterator[Place]:
    with open_inbox(sqlite_url) as inbox:
        inbox.connect()
        opened = Place(inbox)
        yield opened
        opened.close()


OTHER = replace(CONVERSATION, id="c-2", customer=Address("secret@acme.example", "Secret"))
REGION = '<div id="lure" data-k-region data-k-src="OTHER/region"></div>'
SHADOW = '<template shadowrootmode="open">{}</template>'
LURES = {
    "a region with an address elsewhere": REGION,
    "a region with an address of ours": (
        '<div data-k-region data-k-src="/salesforce/conversations/c-2"></div>'
    ),
    "a region that polls": (
        '<div data-k-region data-k-poll="0.01" data-k-src="/salesforce/conversations/c-1"></div>'
    ),
    "a declarative shadow root": f"<div>{SHADOW.format(REGION)}</div>",
    "a panel of its own": f"<keeping-panel>{SHADOW.format(REGION)}</keeping-panel>",
    "a panel of its own with an address of ours": (
        "<keeping-panel>"
        + SHADOW.format('<p data-k-region data-k-src="/salesforce/conversations/c-2"></p>')
        + "</keeping-panel>"
    ),
    "a panel before a script that is none of ours": (
        f"<keeping-panel>{SHADOW.format(REGION)}</keeping-panel>"
        '<script type="text/plain" src="/salesforce/static/keeping.js"></script>'
    ),
    "names of the script's own": (
        '<form name="querySelectorAll"></form><img name="getElementById" alt="">'
        '<form data-k-fetch data-k-region><input name="matches"><input name="closest">'
        '<input name="__proto__"><input name="constructor"></form>' + REGION
    ),
}


@pytest.mark.field_case("B3")
@pytest.mark.parametrize("lure", LURES)
def test_nothing_in_a_mail_is_fetched_or_filled(place: Place, page: Page, lure: str) -> None:
    place.inbox.desk.add_conversation("acme", OTHER)
    place.open(page, LURES[lure])
    assert place.lured == []
    assert place.of_the_plugin() == []
    assert "LURED" not in page.content()


@pytest.mark.field_case("B3")
def test_a_select_in_a_mail_presses_nothing_and_its_forms_and_links_are_the_browsers_own(
    place: Place, page: Page
) -> None:
    place.open(
        page,
        '<button id="archive" onclick="window.pressed = true">Archive</button>'
        '<select data-k-press="archive" aria-label="Lure"><option>1<option>2</select>'
        '<form data-k-auto action="/read" data-k-region>'
        '<select aria-label="Auto"><option>1<option>2</select></form>'
        '<div data-k-region><a data-k-fetch href="/read?plain">Look</a></div>',
    )
    assert page.locator("#archive").is_visible(), "the script hides what it presses"
    page.get_by_label("Lure").select_option("2")
    page.get_by_label("Auto").select_option("2")
    assert page.evaluate("window.pressed") is None
    page.get_by_role("link", name="Look").click()
    page.wait_for_url("**/read?plain")
    assert place.lured == []


@pytest.mark.field_case("B3")
def test_a_base_address_in_a_mail_leads_the_panel_nowhere_else(place: Place, page: Page) -> None:
    place.inbox.salesforce.add("Contact", LastName="Doe", Email="jane@acme.example")
    place.open(page, '<base href="OTHER/">')
    with page.expect_response(lambda answer: answer.url.endswith("/conversations/c-1")):
        page.get_by_role("link", name="Refresh").click()
    page.get_by_role("button", name="Edit Email").click()
    expect(page.get_by_role("textbox", name="Email")).to_be_visible()
    assert place.lured == []


FRAGMENTS = {
    "a region elsewhere": '<div data-k-region data-k-src="OTHER/x"></div>',
    "a region at a data address": ('<div data-k-region data-k-src="data:text/html,LURED"></div>'),
    "a region at a script address": (
        '<div data-k-region data-k-src="javascript:void(window.ran = 1)"></div>'
    ),
    "a region of the host's": '<div data-k-region data-k-src="/inbox/c-1"></div>',
    "a region that a proxy would take elsewhere": (
        '<div data-k-region data-k-src="/salesforce/..%2finbox/c-1"></div>'
    ),
    "a link elsewhere": '<a data-k-fetch href="OTHER/x">Press</a>',
    "a link to a script": '<a data-k-fetch href="javascript:void(window.ran = 1)">Press</a>',
    "a form elsewhere": (
        '<form data-k-fetch method="post" action="OTHER/x"><input name="csrf_token" value="secret">'
        "<button>Press</button></form>"
    ),
    "a form elsewhere that asks for nothing": (
        '<form method="post" action="OTHER/x"><button>Press</button></form>'
    ),
    "a button that sends its form elsewhere": (
        '<form data-k-fetch method="post" action="/salesforce/conversations/c-1/pick">'
        '<button formaction="//OTHERHOST/x">Press</button></form>'
    ),
    "a form to a script": (
        '<form data-k-fetch method="post" action="javascript:void(window.ran = 1)">'
        "<button>Press</button></form>"
    ),
    "a search elsewhere": (
        '<form><input id="s" aria-label="Find" data-k-suggest="OTHER/x">'
        '<ul id="s-found" data-k-region></ul></form>'
    ),
}


@pytest.mark.field_case("B3")
@pytest.mark.parametrize("kind", FRAGMENTS)
def test_a_fragment_that_names_somebody_elses_address_is_not_obeyed(
    place: Place, page: Page, kind: str
) -> None:
    """Even should a fragment of ours ever hold one."""
    host = place.other.removeprefix("http://")
    inside = FRAGMENTS[kind].replace("OTHERHOST", host).replace("OTHER", place.other)
    page.route(
        "**/salesforce/conversations/c-1",
        lambda route: route.fulfill(
            body=f'<section id="k-panel" data-k-region data-k-state="x">.{inside}</section>',
            headers={**FRAGMENT, "Content-Type": "text/html"},
        ),
    )
    place.open(page, "")
    press = page.get_by_text("Press", exact=True)
    if press.count():
        press.click()
    if page.get_by_label("Find").count():
        page.get_by_label("Find").press_sequentially("ab")
        page.get_by_label("Find").press("Enter")
    else:
        expect(page.locator("[data-k-broken]")).to_be_visible()
    assert page.url == f"{place.address}/read"
    assert place.lured == []
    assert page.evaluate("window.ran") is None
    assert "LURED" not in page.content()
    assert not any("/inbox" in one for one in place.asked)


@pytest.mark.field_case("B3")
def test_a_redirect_to_another_origin_is_not_followed(
    place: Place, page: Page, page_guard: PageGuard
) -> None:
    """Not with what was typed, and not by the browser behind our back."""
    page_guard.expect("Unsafe attempt to load URL")
    page_guard.expect("failed: POST .*/away: origin")
    page.route(
        "**/salesforce/conversations/c-1",
        lambda route: route.fulfill(
            body='<section id="k-panel" data-k-region data-k-state="x">'
            '<form data-k-fetch method="post" action="/salesforce/away">'
            '<input name="typed" value="1"><button>Press</button></form></section>',
            headers={**FRAGMENT, "Content-Type": "text/html"},
        ),
    )
    place.inbox.app.add_url_rule(
        "/salesforce/away", "ours_away", lambda: redirect(f"{place.other}/", 307), methods=["POST"]
    )
    place.open(page, "")
    page.get_by_role("button", name="Press").click()
    expect(page.locator("[data-k-broken]")).to_be_visible()
    assert place.lured == []


@pytest.mark.field_case("B3")
def test_an_answer_from_outside_the_plugin_is_not_shown(place: Place, page: Page) -> None:
    """A redirect within the origin, to a page that claims to be a fragment."""
    place.inbox.app.add_url_rule(
        "/claims", "claims", lambda: Response("<p>LURED</p>", headers=FRAGMENT)
    )
    place.inbox.app.add_url_rule("/salesforce/hop", "hop", lambda: redirect("/claims"))
    page.route(
        "**/salesforce/conversations/c-1",
        lambda route: route.fulfill(
            body='<section id="k-panel" data-k-region data-k-state="x">'
            '<a data-k-fetch href="/salesforce/hop">Press</a></section>',
            headers={**FRAGMENT, "Content-Type": "text/html"},
        ),
    )
    place.open(page, "")
    page.get_by_role("link", name="Press").click()
    expect(page.locator("[data-k-broken]")).to_be_visible()
    assert "LURED" not in page.content()


def test_a_panel_that_a_script_of_the_hosts_inserts_later_loads(
    place: Place, page: Page, page_guard: PageGuard
) -> None:
    """What keeping_panel() printed, put in as a piece: its script stands behind it, not run."""
    page_guard.expect("declarative Shadow DOM")
    place.open(page, "")
    page.evaluate(
        """async () => {
          const text = await (await fetch("/read")).text();
          const piece = document.createElement("div");
          piece.innerHTML = text.slice(text.indexOf("<keeping-panel"), text.indexOf("</aside>"));
          document.querySelector("aside").replaceChildren(...piece.childNodes);
        }"""
    )
    expect(page.locator("#k-panel[data-k-state]")).to_be_visible()
