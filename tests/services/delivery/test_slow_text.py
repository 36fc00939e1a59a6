"""A message that makes its reader stand still: its neighbours are sent, and it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from keeping_plugin.mail.effort import Effort
from keeping_plugin.models import SyncEntry
from keeping_plugin.services.admin.entry_line import line_of
from keeping_plugin.services.delivery.drain import drain
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.testing.helpdesk import FakeHelpDesk
from keeping_plugin.times import LEASE
from keeping_plugin.types import Action, Message
from tests.services.delivery.house import JANE, House


class Stalled(BaseException):
    """The worker is stopped while it stands still: nobody gives its rows back."""


class StallingDesk(FakeHelpDesk):
    """Reading this one message takes longer than any lease."""

    stalls: str = ""

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        if self.stalls in message_ids:
            raise Stalled
        yield from super().messages(company_id, message_ids)


@pytest.fixture
def stalling(house: House) -> Runtime:
    """A worker of a host that stands still at message m7."""
    desk = StallingDesk()
    desk.__dict__.update(house.desk.__dict__)
    desk.stalls = "m7"
    house.desk = desk
    return house.worker()


def work(house: House, parts: Runtime) -> bool:
    """One job of a worker; true when it stood still until its lease and its claims had run out."""
    with pytest.MonkeyPatch.context() as patch:
        # It neither gives its lease back nor its rows: it is as good as dead.
        patch.setattr("keeping_plugin.services.delivery.drain.release_lease", lambda *_: [])
        try:
            drain(parts, house.connection_id)
        except Stalled:
            return True
        finally:
            house.pass_time(LEASE + 1)
    return False


def row(house: House, message_id: str) -> SyncEntry:
    return next(entry for entry in house.entries() if entry.message_id == message_id)


@pytest.mark.field_case("B1")
def test_a_batch_that_outlived_its_lease_counts_as_a_bad_one(
    house: House, stalling: Runtime
) -> None:
    """200, then 10, then alone; three times alone and it has failed, while the rest is sent."""
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(30):
        house.owe(f"m{number}", Action.LOG_TASK)
    sizes = []
    for _ in range(40):
        if work(house, stalling):
            sizes.append(row(house, "m7").batch_size)
        if row(house, "m7").state == "failed":
            break
    assert sizes == [None, 10, 1, 1, 1]
    for _ in range(6):
        work(house, stalling)
    ended = row(house, "m7")
    assert (ended.state, ended.reason, ended.attempts) == ("failed", "no_outcome", 3)
    assert len(house.tasks()) == 29


@pytest.mark.both_databases
@pytest.mark.field_case("B1")
def test_an_entry_says_when_its_text_took_too_long(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    monkeypatch.setattr("keeping_plugin.mail.effort.SECONDS", -1.0)
    monkeypatch.setattr(Effort, "begun", classmethod(lambda cls: cls(-1.0)))
    house.drain()
    entry = row(house, "m1")
    assert (entry.state, entry.reason, entry.note) == ("done", "logged", "text_too_slow")
    (task,) = house.tasks()
    assert "took too long to process" in str(task["Description"])
    assert "https://inbox.example/1" in str(task["Description"])
    assert line_of(entry, house.connection()).reasons[-1].startswith("The text took too long")
    assert [record.message for record in caplog.records] == ["text_too_slow"]
