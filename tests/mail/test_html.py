"""HTML to text, whatever the HTML."""

from __future__ import annotations

import time

import pytest

from keeping_plugin.mail.html import html_to_text


def words(html: str) -> list[str]:
    return html_to_text(html).split()


def test_it_reads_as_the_mail_is_seen() -> None:
    html = "<h1>Hello</h1><p>How <b>are</b> you?<br>Fine &amp; well.</p><ul><li>one<li>two</ul>"
    assert html_to_text(html).strip() == "Hello\n\nHow are you?\nFine & well.\n\n  * one\n  * two"


@pytest.mark.parametrize(
    "hidden",
    [
        "<style>p { color: red }</style>",
        "<script>alert(1)</script>",
        "<title>Newsletter</title>",
        "<div style='DISPLAY : none'>preheader</div>",
        "<!-- comment -->",
        "<select><option>x</option></select>",
    ],
)
def test_what_is_not_seen_is_not_read(hidden: str) -> None:
    assert words(f"<html><body>{hidden}<p>seen</p></body></html>") == ["seen"]


def test_text_after_what_is_hidden_stays() -> None:
    assert words("<p>a<span style='display:none'>x</span>b<script>y</script>c</p>") == ["abc"]


def test_layout_tables_become_lines() -> None:
    html = "<table><tr><td>a<td>b<tr><td colspan=99999999>c</table>"
    assert [line.split() for line in html_to_text(html).splitlines()] == [["a", "b"], ["c"]]


def test_a_cited_reply_becomes_one_line() -> None:
    html = "<div>New</div><blockquote type=cite>old <blockquote>older</blockquote></blockquote>end"
    assert words(html) == ["New", ">", "end"]


def test_a_forwarded_mail_is_read() -> None:
    html = "<p>FYI</p><blockquote type=cite>Begin forwarded message: <p>News</p></blockquote>"
    assert "News" in words(html)


def test_an_encoding_named_in_the_text_is_not_believed() -> None:
    assert words("<?xml version='1.0' encoding='utf-16'?><meta charset=latin1><p>hé 漢") == [
        "hé",
        "漢",
    ]


@pytest.mark.parametrize(
    "html", ["", "  \n", "<!-- x -->", "<img src=x>", "<style>x{}</style>", "\0"]
)
def test_nothing_to_read_is_empty(html: str) -> None:
    assert html_to_text(html).strip() == ""


BOMBS = {
    "5,000 nested divs": ("<div>" * 5_000 + "deep", "deep"),
    "nested tables": ("<table><tr><td>" * 2_000 + "deep", "deep"),
    "nested citations": ("<p>top</p>" + "<blockquote type=cite>" * 5_000 + "deep", "top"),
    "a wide cell above many rows": (
        "<table><tr><td>" + "y" * 200_000 + "<tr><td>a<td>b" * 2_000 + "</table>", "b",
    ),
    "padding": ("<p style='padding-left:99999999em;margin-top:9999999em'>x</p>" * 100, "x"),
    "nested lists": ("<ul>" * 90 + "<li>x" * 100_000, "x"),
    "100,000 elements": ("<p>x" * 100_000, "x"),
    "40,000 attributes": ("<p " + " ".join(f"a{n}=1" for n in range(40_000)) + ">x", "x"),
    "a picture written into the mail": ("<img src='data:" + "A" * 600_000 + "'>", ""),
    "only brackets": ("<" * 500_000, "<"),
    "open comments": ("<p>hi " + "<!--" * 100_000, "hi"),
    "open scripts": ("<p>hi" + "<script>" * 60_000, "hi"),
    "ampersands": ("<div>" * 300 + "&" * 400_000, "&"),
    "lone surrogates and NUL": ("<p>a\ud800\0b</p>", "b"),
    "10 MB": ("<p>word</p>" * 1_000_000, "word"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_no_html_takes_long_or_grows(name: str) -> None:
    html, wanted = BOMBS[name]
    started = time.process_time()
    text = html_to_text(html)
    assert time.process_time() - started < 5
    assert len(text) <= max(len(html), 10)
    assert wanted in text
