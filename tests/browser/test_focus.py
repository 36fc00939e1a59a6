"""The panel never takes the focus from where the person is, and gives it back where it was."""

from __future__ import annotations

import os
import string
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.served import Served, spoken

# How often in `make test`; KEEPING_FOCUS_RUNS=50 before a release.
RUNS = int(os.environ.get("KEEPING_FOCUS_RUNS", "2"))
TYPED = (string.ascii_letters + string.digits) * 3 + string.ascii_lowercase[:14]

# Answers take up to half a second, and somebody (a script, a colleague, a poll) asks for one every
# few milliseconds. `click()` in a page moves no focus.
_RESTLESS = """(seed) => {
  let state = seed;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const real = window.fetch;
  window.answers = 0;
  window.fetch = async (...asked) => {
    const answer = await real(...asked);
    await new Promise((done) => setTimeout(done, 500 * random()));
    window.answers += 1;
    return answer;
  };
  const root = document.querySelector("keeping-panel").shadowRoot;
  window.restless = setInterval(() => {
    const all = root.querySelectorAll("form button:not([name]), a[data-k-fetch]");
    all[Math.floor(random() * all.length)]?.click();
  }, 90);
}"""


@pytest.mark.parametrize("seed", range(1, RUNS + 1))
def test_what_is_typed_in_the_reply_stays_there_whatever_answers_arrive(
    served: Served, page: Page, seed: int
) -> None:
    assert len(TYPED) == 200
    served.fill()
    served.open(page)
    reply = page.get_by_label("Reply")
    page.get_by_role("button", name="Edit Title").click()
    expect(page.get_by_role("textbox", name="Title")).to_be_focused()
    page.get_by_role("button", name="Save", exact=True).last.click()  # its answer comes later
    page.evaluate(_RESTLESS, seed)
    reply.focus()
    page.keyboard.type(TYPED, delay=8)
    page.evaluate("clearInterval(window.restless)")
    assert page.evaluate("window.answers") > 3
    expect(reply).to_have_value(TYPED)
    expect(reply).to_be_focused()


def test_what_is_typed_in_one_editor_stays_there_while_another_is_saved(
    served: Served, page: Page
) -> None:
    served.fill()
    served.open(page)
    page.get_by_role("button", name="Edit Business Phone").click()
    phone = page.get_by_role("textbox", name="Business Phone")
    expect(phone).to_be_focused()
    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("CEO")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        title.press("Enter")
        phone.fill("123456")
        phone.press("ArrowLeft")
        phone.press("ArrowLeft")
    expect(page.get_by_role("button", name="Edit Title: CEO")).to_be_visible()
    expect(phone).to_be_focused()
    page.keyboard.type("x")
    expect(phone).to_have_value("1234x56")


def test_every_way_back_returns_to_the_control_it_came_from(served: Served, page: Page) -> None:
    """Cancel, Back, Esc and Choose; what was there comes back without asking Salesforce again."""
    jane = served.fill()
    served.inbox.salesforce.add("Contact", LastName="Other", Email="jane@acme.example")
    served.open(page)
    page.get_by_role("button", name="Choose Jane Doe, Contact").click()
    again = page.get_by_role("link", name="Choose another")
    deal = page.locator("summary", has_text="Spring campaign")
    deal.click()
    amount = page.get_by_role("button", name="Edit Amount").first
    everything = page.get_by_role("link", name="Edit all fields of Jane Doe")
    expect(amount).to_be_attached()
    served.inbox.salesforce.calls.clear()
    ways: list[tuple[Locator, Callable[[], object]]] = [
        (amount, lambda: page.get_by_role("link", name="Cancel").click()),
        (amount, lambda: page.keyboard.press("Escape")),
        (everything, lambda: page.get_by_role("link", name="Cancel").click()),
        (everything, lambda: page.keyboard.press("Escape")),
    ]
    for control, back in ways:
        control.press("Enter")
        expect(page.locator("keeping-panel [data-k-cancel]")).to_be_visible()
        back()
        expect(control).to_be_focused()
        expect(amount).to_be_visible()  # the deal is still unfolded
    assert served.inbox.calls() == []
    again.press("Enter")
    page.get_by_role("link", name="Keep the chosen one").press("Enter")
    expect(again).to_be_focused()
    again.press("Enter")
    page.get_by_role("button", name="Choose Jane Doe, Contact").press("Enter")
    expect(again).to_be_focused()
    assert served.inbox.salesforce.fields("Contact", jane)["LastName"] == "Doe"


def test_esc_closes_an_editor_from_anywhere_in_the_panel_and_asks_if_it_was_changed(
    served: Served, page: Page
) -> None:
    served.fill()
    served.open(page)
    phone = page.get_by_role("button", name="Edit Business Phone")
    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    expect(title).to_be_focused()
    phone.focus()
    page.keyboard.press("Escape")
    expect(title).to_be_hidden()
    expect(phone).to_be_focused()
    page.get_by_role("button", name="Edit Title").click()
    title.fill("typed")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.keyboard.press("Escape")
    assert asked == ["Discard what you changed?"]
    expect(title).to_have_value("typed")
    page.once("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("Escape")
    expect(title).to_be_hidden()
    expect(page.get_by_role("button", name="Edit Title")).to_be_focused()


def test_a_save_is_seen_and_spoken_and_pressed_once(served: Served, page: Page) -> None:
    served.fill()
    served.open(page)
    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("CEO")
    held = page.evaluate_handle(
        """() => {
          const real = window.fetch;
          const gate = { posts: 0 };
          gate.opened = new Promise((done) => { gate.open = done; });
          window.fetch = async (url, how) => {
            gate.posts += how.method === "POST";
            await gate.opened;
            return real(url, how);
          };
          return gate;
        }"""
    )
    title.press("Enter")
    busy = page.get_by_role("button", name="Saving…")
    expect(busy).to_be_visible()
    expect(busy).to_be_disabled()
    expect(spoken(page)).to_have_text("Saving Title")
    title.press("Enter")
    busy.click(force=True)
    held.evaluate("gate => gate.open()")
    expect(page.get_by_role("button", name="Edit Title: CEO")).to_be_focused()
    assert held.evaluate("gate => gate.posts") == 1


def test_nothing_happens_while_a_word_is_being_composed(served: Served, page: Page) -> None:
    """As Japanese, Chinese and Korean are typed: Enter takes a suggestion, Esc drops it."""
    jane = served.fill()
    served.open(page)
    typing = page.context.new_cdp_session(page)

    def compose(text: str) -> None:
        end = {"selectionStart": len(text), "selectionEnd": len(text)}
        typing.send("Input.imeSetComposition", {"text": text, **end})

    page.get_by_role("button", name="Edit Title").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("")
    served.inbox.salesforce.calls.clear()
    compose("しゃちょう")
    for key in ("Enter", "Escape"):
        title.dispatch_event("keydown", {"key": key, "isComposing": True, "bubbles": True})
        title.dispatch_event("keydown", {"key": key, "keyCode": 229, "bubbles": True})
    expect(title).to_have_value("しゃちょう")
    typing.send("Input.insertText", {"text": "社長"})
    expect(title).to_have_value("社長")
    assert served.inbox.calls() == []
    title.press("Enter")
    expect(page.get_by_role("button", name="Edit Title: 社長")).to_be_focused()
    assert served.inbox.salesforce.fields("Contact", jane)["Title"] == "社長"
    # A search waits for the word.
    served.inbox.salesforce.calls.clear()
    page.get_by_role("button", name="Edit Account").click()
    box = page.get_by_role("searchbox")
    box.focus()
    with page.expect_request(lambda asked: "q=" in asked.url) as asked:
        compose("ak")
        compose("akme")
        composed = page.evaluate("performance.now()")
        page.wait_for_function("composed => performance.now() > composed + 400", arg=composed)
        typing.send("Input.insertText", {"text": "Acme"})
    assert asked.value.url.endswith("q=Acme")
