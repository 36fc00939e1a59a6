"""What tests can make the org in memory do."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import (
    DuplicatesFound,
    OutcomeUnclear,
    RecordRejected,
    RowLocked,
    SalesforceUnavailable,
)
from keeping_plugin.ports import Clock, Gateways, HelpDesk, JobQueue, SalesforceGateway
from keeping_plugin.testing import FakeClock, FakeHelpDesk, FakeQueue
from keeping_plugin.types import NewRecord, Saved
from tests.fake_salesforce import FakeSalesforce


def test_the_fakes_are_what_the_ports_ask_for() -> None:
    clock: Clock = FakeClock()
    queue: JobQueue = FakeQueue()
    desk: HelpDesk = FakeHelpDesk()
    gateways: Gateways = FakeSalesforce(clock)
    gateway: SalesforceGateway = gateways(1, deadline=8)
    assert queue.length() == 0
    assert desk.current_agent() is None
    assert gateway.usage is None


def test_an_answer_can_be_lost_before_or_after_the_work() -> None:
    salesforce = FakeSalesforce()
    gateway = salesforce.gateway()
    salesforce.fail("create", OutcomeUnclear())
    with pytest.raises(OutcomeUnclear):
        gateway.create("Contact", {"LastName": "Before"})
    salesforce.fail("create", OutcomeUnclear(), after=True)
    with pytest.raises(OutcomeUnclear):
        gateway.create("Contact", {"LastName": "After"})
    assert [row["LastName"] for row in salesforce.rows("Contact")] == ["After"]
    assert gateway.create("Contact", {"LastName": "Then"}).id


def test_a_fault_for_every_verb_stands_until_it_is_mended() -> None:
    salesforce = FakeSalesforce()
    salesforce.fail("*", SalesforceUnavailable(), times=None)
    for _ in range(2):
        with pytest.raises(SalesforceUnavailable):
            salesforce.gateway().limits()
    salesforce.mend()
    assert salesforce.gateway().limits().used == 3


def test_single_rows_can_be_refused_and_may_be_there_all_the_same() -> None:
    salesforce = FakeSalesforce()
    salesforce.refuse_rows(RowLocked(), lambda record: record.fields["Subject"] == "B")
    salesforce.refuse_rows(
        OutcomeUnclear(), lambda record: record.fields["Subject"] == "C", kept=True
    )
    rows = [NewRecord("Task", {"Subject": subject}) for subject in "ABC"]
    outcomes = salesforce.gateway().create_many(rows)
    assert [type(one) for one in outcomes] == [Saved, RowLocked, OutcomeUnclear]
    assert [row["Subject"] for row in salesforce.rows("Task")] == ["A", "C"]


def test_somebody_can_be_quicker() -> None:
    salesforce = FakeSalesforce()
    salesforce.meanwhile("create", lambda: salesforce.add("Contact", LastName="Quicker"))
    salesforce.gateway().create("Contact", {"LastName": "Slower"})
    assert [row["LastName"] for row in salesforce.rows("Contact")] == ["Quicker", "Slower"]


def test_connections_act_as_their_users() -> None:
    salesforce = FakeSalesforce()
    other = salesforce.add_user("other@example.com")
    salesforce.users_of[2] = other
    assert salesforce(1).org_facts().user_id == salesforce.user_id
    assert salesforce(2).org_facts().username == "other@example.com"
    made = salesforce(2).create("Task", {"Subject": "X"})
    assert salesforce.fields("Task", made.id)["CreatedById"] == other
    assert [call.user_id for call in salesforce.calls[-1:]] == [other]


def test_a_unique_value_stands_once() -> None:
    salesforce = FakeSalesforce()
    salesforce.make_unique("Contact", "Phone")
    salesforce.gateway().create("Contact", {"LastName": "A", "Phone": "1"})
    with pytest.raises(RecordRejected) as refused:
        salesforce.gateway().create("Contact", {"LastName": "B", "Phone": "1"})
    assert refused.value.codes == {"DUPLICATE_VALUE"}


def test_a_blocking_rule_lets_nothing_through() -> None:
    salesforce = FakeSalesforce()
    salesforce.duplicate_rule("Contact", "Email", may_save=False)
    fields = {"LastName": "A", "Email": "a@example.com"}
    salesforce.gateway().create("Contact", fields)
    with pytest.raises(DuplicatesFound):
        salesforce.gateway().create("Contact", fields)
    with pytest.raises(DuplicatesFound):
        salesforce.gateway().create("Contact", fields, allow_duplicates=True)


def test_a_bell_rings_once_until_it_is_answered() -> None:
    queue = FakeQueue()
    queue.ring([1, 2, 1])
    queue.ring([1])
    assert queue.rings == [1, 2]
    queue.clear_ring(1)
    queue.ring([1])
    assert queue.rings == [1, 2, 1]
    queue.reachable = False
    queue.ring([3])
    queue.enqueue("describe", 1)
    assert queue.length() is None
    queue.reachable = True
    queue.enqueue("describe", 1)
    assert queue.take() == ([1, 2], [("describe", 1)])
    assert queue.length() == 0


def test_sleeping_moves_the_clock() -> None:
    clock = FakeClock()
    began, steady = clock.now(), clock.monotonic()
    clock.sleep(5)
    clock.jump(-3_600)
    assert clock.monotonic() == steady + 5
    assert (clock.now() - began).total_seconds() == 5 - 3_600
    assert clock.slept == [5]
