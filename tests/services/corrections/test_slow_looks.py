"""A look that Salesforce does not answer in time gets smaller, instead of failing for ever."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import CallNotStarted, SalesforceError, SalesforceUnavailable
from tests.services.corrections.undoing import advance, let_time_pass, run_of, undo_all
from tests.services.delivery.house import House


@pytest.mark.parametrize(
    "error",
    [SalesforceUnavailable(timed_out=True), CallNotStarted()],
    ids=["no answer", "not started"],
)
def test_a_look_that_is_too_slow_is_made_for_ten_records_then_for_one(
    house: House, error: SalesforceError
) -> None:
    for number in range(11):
        house.owe(f"m{number}", address=f"p{number}@customer.example")
    house.drain()
    house.salesforce.fail("inspect", error, times=2)
    run_id = undo_all(house)
    sizes = [run_of(house, run_id).batch_size]
    while run_of(house, run_id).state == "running":
        let_time_pass(house, run_id)
        advance(house, run_id)
        sizes.append(run_of(house, run_id).batch_size)
    assert sizes[:2] == [10, 1]
    assert set(house.states()) == {("done", "undone")}
    looked = [call.rows for call in house.salesforce.calls if call.verb == "inspect"]
    assert (looked[:2], set(looked[2:])) == ([11, 10], {1})
