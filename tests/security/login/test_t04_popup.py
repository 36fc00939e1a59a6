"""T4: the window of a login cannot be made to lie, and comes home whatever became of its opener.

The last page's own content is tested in tests/blueprints/settings/test_oauth.py; here in a browser,
with the demo's inbox and the simulated org on origins of their own.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from demo.running import Demo
from tests.browser.test_settings import NewContext, approve, demo, disconnected, open_settings

__all__ = ["demo"]


@pytest.mark.parametrize(
    "broken",
    [
        "window.open = () => null",  # pop-ups are blocked: it goes on in this window
        "Object.defineProperty(window, 'opener', {value: null})",
        "BroadcastChannel.prototype.postMessage = () => {}",  # the page has to ask
    ],
)
def test_a_login_comes_home_when_the_window_is_blocked_cut_off_or_mute(
    demo: Demo, new_context: NewContext, broken: str
) -> None:
    context = new_context()
    page = disconnected(open_settings(context, demo))
    context.add_init_script(broken)
    page.reload()
    if "open =" in broken:
        page.get_by_role("button", name="Connect Salesforce").click()
        approve(page, demo)
    else:
        with page.expect_popup() as opened:
            page.get_by_role("button", name="Connect Salesforce").click()
        with opened.value.expect_event("close"):
            approve(opened.value, demo)
    expect(page.get_by_role("heading", name="Example Outdoor Company")).to_be_visible(
        timeout=20_000
    )


def test_a_page_loaded_again_in_the_middle_still_hears_of_the_login(
    demo: Demo, new_context: NewContext
) -> None:
    page = disconnected(open_settings(new_context(), demo))
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect Salesforce").click()
    opened.value.get_by_label("Username").wait_for()
    page.reload()
    with opened.value.expect_event("close"):
        approve(opened.value, demo)
    expect(page.get_by_role("heading", name="Example Outdoor Company")).to_be_visible()


def test_a_foreign_word_on_the_channel_moves_nothing(demo: Demo, new_context: NewContext) -> None:
    page = disconnected(open_settings(new_context(), demo))
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect Salesforce").click()
    page.evaluate("window.stillHere = true")
    opened.value.get_by_label("Username").wait_for()
    liar = page.context.new_page()
    liar.goto(f"{demo.url}/settings/integrations")
    liar.evaluate(
        """() => { const channel = new BroadcastChannel('keeping-login');
        for (const said of [{window: 'guess'}, {}, null, 'done']) channel.postMessage(said); }"""
    )
    liar.close()
    page.wait_for_function("() => new Promise((done) => setTimeout(() => done(true), 200))")
    assert page.evaluate("window.stillHere") is True
    with opened.value.expect_event("close"):
        approve(opened.value, demo)
    expect(page.get_by_role("heading", name="Example Outdoor Company")).to_be_visible()


def test_the_last_page_says_nothing_but_the_number_its_opener_chose(
    demo: Demo, new_context: NewContext
) -> None:
    """A spy on the channel, in another tab of this browser, hears one word: no code, state, name or
    token; and a message of another origin is not even listened for."""
    page = disconnected(open_settings(new_context(), demo))
    spy = page.context.new_page()
    spy.goto(f"{demo.url}/settings/integrations")
    spy.evaluate(
        """() => { window.heard = [];
        new BroadcastChannel('keeping-login').onmessage = (event) => heard.push(event.data); }"""
    )
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect Salesforce").click()
    page.evaluate("window.stillHere = true")
    opened.value.get_by_label("Username").wait_for()
    # Salesforce's page, or whoever framed or opened it, talks to its opener directly.
    opened.value.evaluate("window.opener?.postMessage({window: 'guess', finished: true}, '*')")
    assert page.evaluate("window.stillHere") is True
    with opened.value.expect_event("close"):
        approve(opened.value, demo)
    expect(page.get_by_role("heading", name="Example Outdoor Company")).to_be_visible()
    (said,) = spy.evaluate("window.heard")
    assert list(said) == ["window"]
    assert re.fullmatch("[A-Za-z0-9-]{16,64}", said["window"])
