"""The index narrows, it never decides: with and without it a query answers the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.org import Org
from salesforce_simulator.query.candidates import Candidates
from salesforce_simulator.results import User

WORDS = ("anna", "Anna", "bo", "b_b", "50%", "çé", "straße")
IDS: list[str] = []


@pytest.fixture(scope="module")
def filled() -> Iterator[tuple[Org, User]]:
    """Forty contacts of a few names, addresses and accounts, some deleted."""
    clock = OrgClock()
    clock.hold()
    clock.set(datetime(2026, 5, 6, 9, 0, tzinfo=UTC))
    org = Org(database=":memory:", clock=clock, name="Acme", sandbox=False)
    ann = org.add_user(username="a@example.com", email="a@example.com", last_name="Ann")
    accounts = [org.create(ann, "Account", {"Name": word}) for word in WORDS[:3]]
    IDS[:] = accounts
    for number in range(40):
        clock.advance(timedelta(hours=1))
        word = WORDS[number % len(WORDS)]
        fields = {"LastName": word, "Loyalty_Points__c": number % 5}
        if number % 3:
            fields["Email"] = f"p{number % 4}@example.com"
        if number % 4:
            fields["AccountId"] = accounts[number % 3]
        contact = org.create(ann, "Contact", fields)
        if number % 6 == 0:
            org.create(ann, "Case", {"ContactId": contact, "Subject": word})
        if number % 10 == 9:
            org.delete(ann, "Contact", contact)
    yield org, ann
    org.close()


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


texts = st.sampled_from(WORDS).map(quoted)
addresses = st.integers(0, 5).map(lambda n: f"'P{n}@example.com'")
signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
moments = st.one_of(
    st.integers(0, 45).map(lambda n: f"2026-05-0{6 + n // 24}T{n % 24:02}:00:00Z"),
    st.sampled_from(["TODAY", "YESTERDAY", "LAST_N_DAYS:1", "THIS_WEEK", "NEXT_MONTH"]),
)
simple = st.one_of(
    st.tuples(st.sampled_from(["LastName", "Name", "Account.Name"]), signs, texts),
    st.tuples(
        st.just("Email"), st.sampled_from(["=", "!="]), st.one_of(addresses, st.just("null"))
    ),
    st.tuples(st.just("Email"), st.just("IN"), st.lists(addresses, min_size=1).map(",".join)),
    st.tuples(st.just("Email"), st.just("NOT IN"), addresses),
    st.tuples(
        st.sampled_from(["LastName", "Account.Name"]),
        st.just("LIKE"),
        st.sampled_from(["'an%'", "'%a'", "'B\\_%'", "'50\\%'", "'ÇÉ'", "'_o'", "''"]),
    ),
    st.tuples(st.just("CreatedDate"), signs, moments),
    st.tuples(st.just("Loyalty_Points__c"), signs, st.integers(0, 5).map(str)),
    st.tuples(
        st.just("AccountId"),
        st.sampled_from(["=", "!=", "IN"]),
        st.integers(0, 2).map(lambda n: f"'{IDS[n]}'"),
    ),
    st.tuples(
        st.just("Id"),
        st.sampled_from(["IN", "NOT IN"]),
        texts.map(lambda word: f"SELECT ContactId FROM Case WHERE Subject = {word}"),
    ),
)


def written(condition: tuple[str, str, str]) -> str:
    subject, sign, value = condition
    return f"{subject} {sign} ({value})" if sign.endswith("IN") else f"{subject} {sign} {value}"


plain = simple.filter(lambda c: c[0] != "Id").map(written)
nested = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda c: f"({' AND '.join(c)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda c: f"({' OR '.join(c)})"),
        inner.map(lambda c: f"(NOT {c})"),
    ),
    max_leaves=6,
)
conditions = st.one_of(
    nested, simple.map(written), st.tuples(simple.map(written), nested).map(" AND ".join)
)


@settings(max_examples=150, deadline=None)
@given(where=st.deferred(lambda: conditions), all_rows=st.booleans())
def test_the_index_changes_no_answer(
    filled: tuple[Org, User], where: str, *, all_rows: bool
) -> None:
    org, ann = filled
    soql = f"SELECT Id FROM Contact WHERE {where}"
    narrowed = org.query(ann, soql, all_rows=all_rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Candidates, "of", lambda self, condition: None)
        read_through = org.query(ann, soql, all_rows=all_rows)
    assert narrowed == read_through


@pytest.mark.parametrize(
    "where",
    [
        "Email = 'p1@example.com'",
        "Email IN ('p1@example.com','p2@example.com') AND LastName != 'x'",
        "CreatedDate > 2026-05-06T20:00:00Z",
        "LastName LIKE 'an%'",
        "Account.Name = 'anna'",
        "(Email = 'p1@example.com' OR LastName = 'bo')",
        "Id IN (SELECT ContactId FROM Case)",
    ],
)
def test_the_index_is_asked(
    filled: tuple[Org, User], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For what queries usually look for, not every record is read."""
    org, ann = filled
    answers: list[set[str] | None] = []
    plain_of = Candidates.of

    def of(self: Candidates, condition: object) -> set[str] | None:
        answers.append(plain_of(self, condition))  # type: ignore[arg-type]
        return answers[-1]

    monkeypatch.setattr(Candidates, "of", of)
    org.query(ann, f"SELECT Id FROM Contact WHERE {where}")
    assert answers[-1] is not None
    assert len(answers[-1]) < 40
