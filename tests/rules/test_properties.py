"""What holds for every message and every policy."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keeping_plugin.addresses import domain_key
from keeping_plugin.rules import CHECKS, MACHINE_HEADERS, RULES, Facts, Policy, Rule, decide
from keeping_plugin.types import Address, Direction, MessageArrived
from tests.rules.messages import arrived

DOMAINS = [
    "example", "a.example", "b.a.example", "c.b.a.example", "b.example", "müller.example",
    "xn--mller-kva.example", "A.EXAMPLE.", "a..example", "localhost", "",
]  # fmt: skip
text = st.text(max_size=30) | st.text(st.characters(categories=["Cs", "Cc", "Ll"]), max_size=30)
emails = st.one_of(
    text,
    st.builds("{}@{}".format, text, st.sampled_from(DOMAINS)),
    st.builds(
        "{}@{}".format, st.sampled_from(["anna", "no-reply", "bounce+x"]), st.sampled_from(DOMAINS)
    ),
)
addresses = st.builds(Address, emails, text)
header_values = text | st.sampled_from(
    ["no", "auto-replied", "<>", "", "bulk", "multipart/report", "text/calendar; method=reply"]
)
messages = st.builds(
    lambda **changes: arrived(**changes),
    direction=st.sampled_from(Direction),
    opens_conversation=st.booleans(),
    customer=st.none() | addresses,
    headers=st.dictionaries(
        st.sampled_from(sorted(MACHINE_HEADERS)) | text, header_values, max_size=5
    ),
)
keys = st.sampled_from([key for domain in DOMAINS if (key := domain_key(domain))])
lists = st.frozensets(keys, max_size=4)
policies = st.builds(
    Policy, st.booleans(), st.booleans(), st.booleans(),
    internal=lists | st.just(frozenset({"anna@a.example"})), skipped=lists, unlogged=lists,
)  # fmt: skip


# The same examples on every run, however busy the machine.
steady = settings(derandomize=True, deadline=None)


def verdicts(message: MessageArrived, policy: Policy) -> dict[Any, set[str]]:
    return {
        verdict.action: set(verdict.reasons) for verdict in decide(RULES, Facts.of(message, policy))
    }


@steady
@given(messages, policies)
def test_total_every_message_gets_one_verdict_per_rule_with_known_reasons(
    message: MessageArrived, policy: Policy
) -> None:
    given_verdicts = decide(RULES, Facts.of(message, policy))
    assert [verdict.action for verdict in given_verdicts] == [rule.action for rule in RULES]
    for verdict in given_verdicts:
        assert verdict.granted is (verdict.reasons == ())
        assert set(verdict.reasons) <= CHECKS.keys()


@steady
@given(messages, policies, st.randoms(use_true_random=False))
def test_order_of_rules_and_checks_changes_no_verdict(
    message: MessageArrived, policy: Policy, chance: random.Random
) -> None:
    shuffled = [
        Rule(rule.action, rule.on, tuple(chance.sample(rule.require, len(rule.require))))
        for rule in chance.sample(RULES, len(RULES))
    ]
    facts = Facts.of(message, policy)
    assert {one.action: set(one.reasons) for one in decide(shuffled, facts)} == verdicts(
        message, policy
    )


@steady
@given(messages, policies, lists)
def test_a_longer_skip_list_never_grants_what_a_shorter_one_refused(
    message: MessageArrived, policy: Policy, more: frozenset[str]
) -> None:
    before = verdicts(message, policy)
    for changed in (
        policy._replace(skipped=policy.skipped | more),
        policy._replace(unlogged=policy.unlogged | more),
        policy._replace(internal=policy.internal | more),
    ):
        after = verdicts(message, changed)
        assert all(before[action] <= after[action] for action in before)


@steady
@given(messages, policies)
def test_the_skip_list_gates_auto_add_alone(message: MessageArrived, policy: Policy) -> None:
    actions = {
        rule.action
        for rule in RULES
        if any(check.code == "skipped_domain" for check in rule.require)
    }
    without = verdicts(message, policy._replace(skipped=frozenset()))
    for action, reasons in verdicts(message, policy).items():
        if action in actions:
            assert reasons - without[action] <= {"skipped_domain"}
        else:
            assert reasons == without[action]


@steady
@given(messages, policies)
def test_a_granted_action_always_has_an_address_to_act_on(
    message: MessageArrived, policy: Policy
) -> None:
    facts = Facts.of(message, policy)
    if any(not reasons for reasons in verdicts(message, policy).values()):
        assert 3 <= len(facts.address) <= 320
        assert facts.address.isprintable()


@steady
@given(messages, policies)
def test_facts_kept_and_restored_are_the_same_facts(
    message: MessageArrived, policy: Policy
) -> None:
    facts = Facts.of(message, policy)
    assert Facts.restored(facts.kept()) == facts
    assert all(isinstance(value, bool | str) for value in facts)
    for value in facts:
        assert isinstance(value, bool) or value.isprintable()


def test_facts_of_another_shape_are_not_restored() -> None:
    kept = Facts.of(arrived(), Policy()).kept()
    assert Facts.restored({**kept, "mood": "good"}) is None
    del kept["address"]
    assert Facts.restored(kept) is None
