"""Any id of 1 to 255 characters works in every address, over a real server."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import requests
from flask import url_for
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.serving import make_server

from keeping_plugin.blueprints.web.conversation_ids import read, written
from tests.blueprints.inbox import CONVERSATION, Inbox

IDS = [
    "a/b",
    "/a",
    "a/../b",
    ".",
    "..",
    "a%2Fb",
    "%2e%2e",
    "a?b=c",
    "#",
    " ",
    "a+b",
    "a\\b",
    "~YS9i",
    "~",
    "new/Contact",
    "<urn:message:1@host>",
    "会話/一",
    "a\nb",
    "😀" * 255,
    "/" * 255,
]
JSON = {"Accept": "application/json"}


@pytest.fixture
def address(inbox: Inbox) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, inbox.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.field_case("D12")
@pytest.mark.parametrize("id", IDS, ids=ascii)
def test_any_id_works_in_every_address(inbox: Inbox, address: str, jane: str, id: str) -> None:
    """The panel that the host's page names, and every address that the pages behind it hold."""
    inbox.desk.add_conversation("acme", replace(CONVERSATION, id=id))
    with inbox.app.test_request_context("/"):
        place = inbox.app.jinja_env.globals["keeping_panel"](id)
    (path,) = re.findall(r'data-k-src="([^"]+)"', str(place))
    browser = requests.Session()
    panel = browser.get(address + path, timeout=20)
    assert panel.status_code == 200, path
    assert "Jane Doe" in panel.text
    edit = browser.get(f"{address}{path}/Contact/{jane}/edit", timeout=20)
    new = browser.get(f"{address}{path}/new/Lead", timeout=20)
    assert (edit.status_code, new.status_code) == (200, 200)
    found = {
        urljoin(page.url, link.replace("&amp;", "&"))
        for page in (panel, edit, new)
        for link in re.findall(r'(?:href|action|data-k-suggest)="([^"]+)"', page.text)
    }
    mine = {link for link in found if "/salesforce/conversations/" in link}
    assert len(mine) > 5
    for link in mine:
        assert urlsplit(link).path.startswith(path), "no address is taken apart on the way"
        # What an agent decides by hand is posted only: 405 says that the address was understood.
        posted = urlsplit(link).path.endswith(("/log/now", "/log/not", "/log/again"))
        answer = browser.get(link, headers=JSON, timeout=20)
        assert answer.status_code == (405 if posted else 200), link
    csrf = re.findall(r'name="csrf_token" value="([^"]+)"', edit.text)[0]
    saved = browser.post(
        f"{address}{path}/Contact/{jane}/edit",
        data={"csrf_token": csrf, "sf_Phone": "+31 20 555 0199"},
        timeout=20,
    )
    assert saved.status_code == 200
    assert urlsplit(saved.url).path == f"{path}/Contact/{jane}/edit"
    assert f'action="{path}' in saved.text
    assert "+31 20 555 0199" in saved.text


@pytest.mark.field_case("D12")
@pytest.mark.parametrize("id", ["c-1", "42", "0b7c9a4e-6f0e-4d7a-9d3e-2f1c5b8a7e60", "a.b:c@d"])
def test_the_address_of_a_plain_id_is_as_before(inbox: Inbox, id: str) -> None:
    with inbox.app.test_request_context("/"):
        assert url_for("keeping.panel", conversation_id=id) == f"/salesforce/conversations/{id}"


@pytest.mark.parametrize("old", ["a%20b", "%C3%BC", "a%2Bb", "~", "~YWJj"])
def test_an_address_of_old_still_works(inbox: Inbox, old: str) -> None:
    inbox.desk.add_conversation("acme", replace(CONVERSATION, id=unquote(old)))
    assert inbox.client().get(f"/salesforce/conversations/{old}").status_code == 200


@given(st.text(min_size=1, max_size=255))
def test_what_is_written_is_read_again_and_two_ids_never_share_an_address(id: str) -> None:
    segment = written(id)
    assert read(segment) == id
    assert re.fullmatch(r"~?[A-Za-z0-9_.:@-]+", segment)
    assert segment.strip(".") == segment
    assert written(read(segment)) == segment
