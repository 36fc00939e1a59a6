"""The SOQL parser: what it takes, and how it complains."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_simulator.errors import OrgError
from salesforce_simulator.query.soql import parse
from salesforce_simulator.query.soql.like import LikePattern
from salesforce_simulator.query.soql.tokens import unquoted
from salesforce_simulator.query.soql.tree import (
    And,
    Comparison,
    Membership,
    Not,
    Or,
    Query,
    Subquery,
)


def complaint(text: str) -> tuple[str, str]:
    """(code, message) of the refusal of a statement."""
    with pytest.raises(OrgError) as refused:
        parse(text)
    (entry,) = refused.value.entries
    assert refused.value.status == 400
    assert entry.fields is None, "query errors carry no fields"
    return entry.code, entry.message


SIDEBAR = """
SELECT Id, Name, Email, Phone, Title, AccountId, Account.Id, Account.Name, Account.Phone,
  (SELECT Id, CaseNumber, Subject, Status, Priority, CreatedDate FROM Cases
     ORDER BY CreatedDate DESC LIMIT 5),
  (SELECT Role, IsPrimary, Opportunity.Id, Opportunity.Name FROM OpportunityContactRoles
     ORDER BY Opportunity.LastModifiedDate DESC NULLS LAST LIMIT 6)
FROM Contact WHERE Email = 'jane@acme.example' ORDER BY LastModifiedDate DESC LIMIT 5
"""


def test_the_sidebars_query_is_parsed_whole() -> None:
    query = parse(SIDEBAR)
    assert query.source == "Contact"
    assert query.limit == 5
    assert [type(item).__name__ for item in query.select[-2:]] == ["Subquery", "Subquery"]
    roles = query.select[-1]
    assert isinstance(roles, Subquery)
    assert roles.query.order_by[0].descending
    assert roles.query.order_by[0].nulls_first is False


def test_keywords_may_be_written_in_any_case() -> None:
    query = parse("select id from contact where not (email like 'a%') order by id nulls first")
    assert isinstance(query.where, Not)
    assert query.order_by[0].nulls_first is True


def test_conditions_nest_as_their_parentheses_say() -> None:
    query = parse("SELECT Id FROM Lead WHERE (A = 1 OR B = 2) AND (NOT C = 3) AND D IN ('x','y')")
    assert isinstance(query.where, And)
    either, negated, member = query.where.items
    assert isinstance(either, Or)
    assert isinstance(negated, Not)
    assert isinstance(member, Membership)


def test_both_signs_of_inequality_mean_the_same() -> None:
    one, other = (parse(f"SELECT Id FROM Lead WHERE A {sign} 1").where for sign in ("!=", "<>"))
    assert isinstance(one, Comparison)
    assert isinstance(other, Comparison)
    assert one.operator == other.operator


def test_a_semi_join_is_a_query_of_its_own() -> None:
    query = parse("SELECT Id FROM Contact WHERE Id NOT IN (SELECT ContactId FROM Case)")
    assert isinstance(query.where, Membership)
    assert query.where.negated
    assert isinstance(query.where.values, Query)


@pytest.mark.parametrize(
    ("text", "column", "token"),
    [
        ("SELECT Id, FROM Contact", 11, "FROM"),
        ("SELECT Id FROM Contact WHERE Name = q", 36, "q"),
        ("SELECT Id FROM Contact WHERE A = 1 AND B = 2 OR C = 3", 45, "OR"),
        ("SELECT Id FROM Contact WHERE NOT A = 1 AND B = 2", 39, "AND"),
        ("SELECT Id FROM Contact LIMIT", 28, "<EOF>"),
        ("SELECT Id FROM Contact LIMIT -1", 29, "-1"),
        ("SELECT Id FROM Contact WHERE A = 1 x", 35, "x"),
        ("SELECT COUNT(), Id FROM Contact", 7, ","),
        ("SELECT Id FROM Contact WHERE A IN ()", 35, ")"),
        ("SELECT Id FROM Contact WHERE A IS NULL", 31, "IS"),
    ],
)
def test_the_caret_stands_before_what_is_in_the_wrong_place(
    text: str, column: int, token: str
) -> None:
    code, message = complaint(text)
    assert code == "MALFORMED_QUERY"
    blank, _, caret, place, words = message.split("\n")
    assert blank == ""
    assert caret.endswith("^")
    assert place == f"ERROR at Row:1:Column:{column}"
    assert words == f"unexpected token: '{token}'"


def test_a_character_that_soql_does_not_know_is_named() -> None:
    assert complaint("SELECT * FROM Contact") == (
        "MALFORMED_QUERY",
        (
            "\nSELECT * FROM Contact\n      ^\nERROR at Row:1:Column:7\n"
            "line 1:7 no viable alternative at character '*'"
        ),
    )


def test_rows_are_counted() -> None:
    _, message = complaint("SELECT Id\nFROM Contact\nWHERE Name = q")
    assert "\nWHERE Name = q\n            ^\nERROR at Row:3:Column:13\n" in message


def test_something_else_than_a_select_is_named_without_a_place() -> None:
    assert complaint("q=SELECT Id FROM Contact") == ("MALFORMED_QUERY", "unexpected token: 'q'")


def test_the_longest_statement() -> None:
    head, tail = "SELECT Id FROM Contact WHERE Name = '", "'"
    filler = " " * (100_000 - len(head) - len(tail))
    assert parse(f"{head}{tail}{filler}").source == "Contact"
    assert complaint(f"{head}{tail}{filler} ") == (
        "MALFORMED_QUERY",
        "SOQL statements can not be longer than 100000 characters",
    )


def test_twenty_subqueries_and_no_more() -> None:
    def statement(count: int) -> str:
        return f"SELECT Id, {', '.join(['(SELECT Id FROM Cases)'] * count)} FROM Contact"

    assert len(parse(statement(20)).select) == 21
    assert complaint(statement(21))[0] == "QUERY_TOO_COMPLICATED"


def test_an_offset_beyond_two_thousand_is_out_of_range() -> None:
    assert parse("SELECT Id FROM Contact OFFSET 2000").offset == 2000
    code, _ = complaint("SELECT Id FROM Contact OFFSET 2001")
    assert code == "NUMBER_OUTSIDE_VALID_RANGE"


def test_endless_parentheses_are_too_complicated() -> None:
    code, _ = complaint(f"SELECT Id FROM Contact WHERE {'(' * 5000}A = 1{')' * 5000}")
    assert code == "QUERY_TOO_COMPLICATED"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT TYPEOF What WHEN Account THEN Name END FROM Task",
        "SELECT Id FROM Contact USING SCOPE mine",
        "SELECT Id FROM Contact WITH SECURITY_ENFORCED",
        "SELECT toLabel(Status) FROM Case",
        "SELECT FORMAT(Amount) FROM Opportunity",
        "SELECT Id FROM Case WHERE CALENDAR_YEAR(CreatedDate) = 2026",
        "SELECT Id FROM Contact c, c.Account a",
        "SELECT Id FROM Contact FOR UPDATE",
    ],
)
def test_what_is_not_modelled_is_refused_in_so_many_words(text: str) -> None:
    code, message = complaint(text)
    assert code == "MALFORMED_QUERY"
    assert message.startswith("The simulated org does not model ")


# -- literals -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"O\'Hara", "O'Hara"),
        (r"a\\b", "a\\b"),
        (r"\"", '"'),
        (r"\n\r\t\b\f", "\n\r\t\b\f"),
        (r"caf\u00e9", "café"),
        (r"\uD83D\uDE00", "😀"),
        (r"\\n", r"\n"),
    ],
)
def test_escapes_of_a_string(raw: str, text: str) -> None:
    assert unquoted(raw) == text


@pytest.mark.parametrize("raw", [r"\x", r"\%", r"\_", r"\u12", r"\0", r"\uD83D", r"\N"])
def test_any_other_backslash_is_an_error(raw: str) -> None:
    with pytest.raises(OrgError) as refused:
        unquoted(raw)
    assert refused.value.entries[0].code == "MALFORMED_QUERY"
    assert "Illegal character sequence" in refused.value.entries[0].message


def test_a_literal_holds_four_thousand_characters() -> None:
    assert len(unquoted("x" * 3999 + r"\'")) == 4000
    with pytest.raises(OrgError):
        unquoted("x" * 4001)


def test_an_open_string_is_an_error() -> None:
    code, message = complaint("SELECT Id FROM Contact WHERE Name = 'x")
    assert code == "MALFORMED_QUERY"
    assert "<EOF>" in message


@pytest.mark.parametrize(
    ("raw", "text", "matches"),
    [
        ("a%", "Abc", True),
        ("a%", "ba", False),
        ("_b", "ab", True),
        ("_b", "aab", False),
        (r"50\%", "50%", True),
        (r"50\%", "50x", False),
        (r"a\_b", "axb", False),
        ("a.c", "abc", False),
        ("a%b%c", "a1b2c", True),
        ("a%b%c", "acb", False),
        ("ab%b", "ab", False),
        ("%", "", True),
        ("", "", True),
        ("", "a", False),
        ("%a_", "bab", True),
        ("%.", "ab", False),
        (r"%\\", "a\\", True),
        (r"\uD83D\uDE00%", "😀!", True),
        ("%\n%", "x\ny", True),
    ],
)
def test_like(raw: str, text: str, *, matches: bool) -> None:
    assert LikePattern(raw).matches(text.lower()) is matches


def test_a_literal_of_many_wildcards_is_answered_at_once() -> None:
    assert not LikePattern("%a" * 1000 + "b").matches("a" * 4000)


@given(st.text("ab%_", max_size=8), st.text("ab", max_size=8))
def test_like_is_what_its_wildcards_say(raw: str, text: str) -> None:
    """Against the plain definition of the two wildcards."""

    def like(pattern: str, rest: str) -> bool:
        if not pattern:
            return not rest
        if pattern[0] == "%":
            return any(like(pattern[1:], rest[start:]) for start in range(len(rest) + 1))
        return bool(rest) and pattern[0] in {"_", rest[0]} and like(pattern[1:], rest[1:])

    assert LikePattern(raw).matches(text) is like(raw, text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"SELECT Id FROM Contact LIMIT {'9' * 5000}", "NUMBER_OUTSIDE_VALID_RANGE"),
        (f"SELECT Id FROM Contact WHERE A = LAST_N_DAYS:{'9' * 50}", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Contact WHERE Id IN (" + "SELECT Id FROM Case WHERE Id IN (" * 2000,
         "MALFORMED_QUERY"),
        ("SELECT Id, (SELECT Id, (SELECT Id FROM Tasks) FROM Cases) FROM Contact",
         "MALFORMED_QUERY"),
    ],
)  # fmt: skip
def test_excess_is_refused(text: str, code: str) -> None:
    assert complaint(text)[0] == code


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_comes_out_of_its_quotes_as_it_went_in(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    query = parse(f"SELECT Id FROM Contact WHERE Name = '{quoted}' LIMIT 1")
    assert query.limit == 1
    assert isinstance(query.where, Comparison)
    assert unquoted(query.where.value.text) == text


@given(st.text(max_size=200))
def test_no_text_is_answered_by_anything_but_a_tree_or_a_refusal(text: str) -> None:
    with suppress(OrgError):
        assert parse(text).select


@given(
    st.lists(
        st.sampled_from(
            "SELECT FROM WHERE AND OR NOT IN LIKE ( ) , = != < 'x' 1 TODAY null Id Name Contact "
            "ORDER BY LIMIT GROUP HAVING COUNT INCLUDES LAST_N_DAYS : NULLS FIRST".split()
        ),
        max_size=25,
    )
)
def test_no_heap_of_words_is_answered_by_anything_but_a_tree_or_a_refusal(words: list[str]) -> None:
    with suppress(OrgError):
        assert parse("SELECT " + " ".join(words)).select
