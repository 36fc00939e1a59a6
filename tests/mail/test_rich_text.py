"""Rich text is shown with its formats and nothing else, and edited only where none can get lost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeping_plugin.mail.rich_text import as_text, formatted, from_text

SECONDS = 0.5


@pytest.mark.parametrize(
    ("html", "safe"),
    [
        ("<p>One <b>two</b></p><ul><li>three</li></ul>",) * 2,
        ("<h2>Head</h2>text", "<p>Head</p>text"),
        ('<p style="x" class="y" id="k-panel" data-k-src="/x">a</p>', "<p>a</p>"),
        ("a<script>alert(1)</script><style>*{}</style>", "a"),
        ('<img src="https://tracker.example/x.gif" onerror="alert(1)">a', "a"),
        ("<keeping-panel></keeping-panel><form><input></form>a", "a"),
        (
            '<a href="https://example.com" target="_top">x</a>',
            '<a href="https://example.com" target="_blank" rel="noopener noreferrer">x</a>',
        ),
        (
            '<a href="javascript:alert(1)">x</a>',
            '<a target="_blank" rel="noopener noreferrer">x</a>',
        ),
        ("</dd></dl><b>open", "<b>open</b>"),
    ],
)
def test_only_formats_pass(html: str, safe: str) -> None:
    assert formatted(html) == safe


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ("one<br>two", "one\ntwo"),
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("Me &amp; you &lt;b&gt;", "Me & you <b>"),
        ("it&#39;s &quot;so&quot;", 'it\'s "so"'),
        ("it's &quot;so&quot;", 'it\'s "so"'),
        ('it\'s "so"', 'it\'s "so"'),
        # Formats that a text would lose.
        ("<p>one <b>two</b></p>", None),
        ('<p style="x">one</p>', None),
        ("one<br/>two", None),
        ("one&nbsp;two", None),
        ("<ul><li>one</li></ul>", None),
        ("<p>one</p>two", None),
    ],
)
def test_what_a_text_would_lose_is_no_text(html: str, text: str | None) -> None:
    assert as_text(html) == text


@pytest.mark.parametrize("like", ["", "<p>one</p><p>two</p>", "a<br>b", "it's", "&quot;a&quot;"])
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")))
def test_what_is_typed_comes_back_as_it_was_typed(like: str, text: str) -> None:
    assert as_text(from_text(text, like=like)) == text


@pytest.mark.parametrize("tag", ["<ul><li>", "<div>", "<b>", "<", "<table><tr><td>", "&"])
def test_a_text_of_brackets_is_shown_within_the_budget(tag: str) -> None:
    html = tag * (131_072 // len(tag))
    began = time.thread_time()
    formatted(html)
    as_text(html)
    assert time.thread_time() - began < SECONDS
