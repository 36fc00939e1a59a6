"""`rules`: one decision with all its reasons, beside hand-written ifs and four engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import process_time

from benchmarks import rule_rivals
from benchmarks.bench import Bench, side_by_side
from benchmarks.machine import watched
from keeping_plugin import Address, Direction, MessageArrived
from keeping_plugin.rules import RULES, Facts, Policy, decide

TARGET = "at most 4 times the ifs, faster than each rival"
MESSAGES = 400


def _messages() -> list[MessageArrived]:
    """A working day in small: mostly people, and some of everything that is refused."""
    box = (Address("sales@acme.example"),)
    found = []
    for number in range(MESSAGES):
        email = f"person.{number}@mail{number % 40}.customers{number % 7}.example"
        headers = {"content-type": "text/plain; charset=utf-8", "return-path": f"<{email}>"}
        match number % 20:
            case 1:
                headers["auto-submitted"] = "auto-replied"
            case 2:
                headers["list-id"] = "<news.example>"
            case 3:
                headers["content-type"] = "multipart/report; report-type=delivery-status"
            case 4:
                headers["content-type"] = "text/calendar; method=REPLY"
            case 5:
                email = f"no-reply{number}@shop.example"
            case 6:
                email = f"colleague{number}@acme.example"
            case 7:
                email = f"somebody{number}@skipped{number % 10}.example"
            case 8:
                email = "not an address"
        customer = Address(email, "A Person")
        found.append(
            MessageArrived(
                company_id="acme",
                mailbox_id="box",
                conversation_id=f"c{number}",
                message_id=f"m{number}",
                direction=Direction.OUTBOUND if number % 5 == 4 else Direction.INBOUND,
                opens_conversation=number % 3 != 1,
                customer=None if number % 20 == 9 else customer,
                sender=customer,
                recipients=box,
                sent_at=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
                headers=headers,
            )
        )
    return found


def _policy(domains: int) -> Policy:
    return Policy(
        connected=True,
        add_contacts=True,
        log_tasks=True,
        internal=frozenset({"acme.example"}),
        skipped=frozenset(f"skipped{number}.example" for number in range(domains)),
        unlogged=frozenset({"skipped3.example"}),
    )


def _facts(messages: Sequence[MessageArrived], policy: Policy) -> list[dict[str, object]]:
    made = []
    for message in messages:
        facts = Facts.of(message, policy)
        made.append({**facts.kept(), "address_length": len(facts.address)})
    return made


def _check(messages: Sequence[MessageArrived], policy: Policy) -> dict[str, str]:
    """Why a rival cannot be compared: it says something else than our table."""
    wrong = {}
    verdicts = [decide(RULES, Facts.of(message, policy)) for message in messages]
    granted = [tuple(verdict.granted for verdict in each) for each in verdicts]
    if granted != [rule_rivals.by_hand(message, policy) for message in messages]:
        wrong["ifs"] = "the hand-written ifs decide otherwise"
    wanted = [
        {verdict.action.value: sorted(verdict.reasons) for verdict in each} for each in verdicts
    ]
    facts = _facts(messages, policy)
    for name, engine in rule_rivals.ENGINES.items():
        ask = engine()
        said = [{key: sorted(value) for key, value in ask(one).items()} for one in facts]
        if said != wanted:
            wrong[name] = "it decides otherwise than our table"
    return wrong


def measure(bench: Bench) -> None:
    """A decision is Facts.of and decide, from a message with its headers to the verdicts."""
    messages = _messages()
    rounds = bench.size(40, 8)
    policies = {domains: _policy(domains) for domains in (10, 1_000, 100_000)}
    wrong = _check(messages, policies[10])
    for name, reason in wrong.items():
        bench.missing(f"against {name}", reason, target=TARGET)
    if "ifs" in wrong:
        return
    flat: dict[int, float] = {}
    for domains, policy in policies.items():
        works = _works(messages, policy, engines=domains == 10, without=wrong)
        with watched() as load:
            took = side_by_side(works, rounds=rounds, clock=process_time)
        ours, floor = took["ours"], took["ifs"]
        each = 1e6 / len(messages)
        flat[domains] = ours.median
        ratio = ours.median / floor.median
        case = f"{domains:,} skipped domains, {MESSAGES} messages"
        bench.point(
            case,
            ours.median * each,
            "µs a decision",
            against=f"ifs without reasons: {floor.median * each:.2f} µs",
            ratio=ratio,
            runs=len(ours.values),
            spread=ours.spread,
            target="at most 4",
            met=ratio <= 4,
            load=load,
        )
        for name in took.keys() - {"ours", "ifs"}:
            theirs = took[name]
            bench.point(
                f"{case}, {name}",
                ours.median * each,
                "µs a decision",
                against=f"{name}, facts given: {theirs.median * each:.2f} µs",
                ratio=ours.median / theirs.median,
                runs=len(ours.values),
                spread=theirs.spread,
                target="below 1",
                met=ours.median < theirs.median,
                load=load,
            )
    grown = flat[100_000] / flat[10]
    bench.point(
        "100,000 against 10 skipped domains",
        flat[100_000] * 1e6 / len(messages),
        "µs a decision",
        against="10 domains",
        ratio=grown,
        runs=rounds,
        target="flat (at most 1.25)",
        met=grown <= 1.25,
        load=load,
    )


def _works(
    messages: Sequence[MessageArrived], policy: Policy, *, engines: bool, without: dict[str, str]
) -> dict[str, Callable[[], object]]:
    def ours() -> None:
        for message in messages:
            decide(RULES, Facts.of(message, policy))

    def ifs() -> None:
        for message in messages:
            rule_rivals.by_hand(message, policy)

    works: dict[str, Callable[[], object]] = {"ours": ours, "ifs": ifs}
    if engines:
        facts = _facts(messages, policy)
        for name, engine in rule_rivals.ENGINES.items():
            if name not in without:
                works[name] = _over(facts, engine())
    return works


def _over(facts: Sequence[dict[str, object]], ask: rule_rivals.Engine) -> Callable[[], object]:
    def work() -> None:
        for one in facts:
            ask(one)

    return work
