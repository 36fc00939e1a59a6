"""Every waiting time of the delivery and of the calls, in seconds, in one place.

The reasons stand in docs/delivery.md; `Times(scale)` shortens all of them alike for tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Times:
    """The constants, multiplied by `scale` (KEEPING_TIME_SCALE)."""

    scale: float = 1.0

    def seconds(self, plain: float) -> float:
        """A duration of ours, scaled."""
        return plain * self.scale

    def span(self, plain: float) -> timedelta:
        """The same as a timedelta."""
        return timedelta(seconds=plain * self.scale)


# One drain per org. The lease outlives any call that starts while enough of it is left.
LEASE = 45.0
LEASE_LEFT = 22.0  # a call starts only with this much lease left
MARK_AGE = 2.0  # and no later than this after its mark
MARKS = 3  # a call that could not start in time is marked anew so often
SETTLE = 30.0  # after an unclear call, until the look
CLAIM = 60.0  # on an address
CLAIM_BUSY = 5.0  # rows whose address somebody else holds come due again
SWEEP = 5.0
RING = 5.0  # one ring per connection in this time
REFRESH_LEASE = 30.0
ACCOUNT_UNANSWERED = 15 * MINUTE  # until a mail domain's Account is asked for again
ADDRESS_ASKED = 5 * MINUTE  # between two refreshes that only look for the org's new address
BACKFILL_CLAIM = 60.0  # of a job on its run, renewed with every page
BACKFILL_PAGE = 10.0  # of reading the host's messages, then what was read is written
BACKFILL_JOB = 30.0  # then it makes way for others

UNDO_CLAIM = 60.0  # of a job on its run, renewed with every step
UNDO_LEASE_BUSY = 5.0  # until it is tried again when a drain holds the org's lease

CONNECT = 3.0
CALL = 20.0  # one whole call
PANEL_CALL = 8.0
DESCRIBE_CALL = 60.0

CLOCK_JUMP = 2.0  # between two sweeps, database clock against monotonic clock
CLOCK_QUARANTINE = 60.0  # then no lease is taken over and no marked row looked at
YOUNG = 5.0  # a process this young takes over no lease

GONE_AFTER = 10 * MINUTE  # an entry is this old before its message is believed to be gone
GONE_AGAIN = MINUTE  # between two answers that it is not there
LAG = 5.0  # while the entry is younger than that: the host's replica may be behind

BURST = 10 * MINUTE  # in which people of one company domain make a burst

UNKNOWN_LIMIT = DAY  # then an outcome is a person's to settle
WAIT_LOOKS = (10 * MINUTE, HOUR, 6 * HOUR, DAY)  # the last repeats
WAIT_LIMIT = 14 * DAY
WAIT_ROWS = 5_000  # a connection
PAUSES = (MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 15 * MINUTE)
BUDGET_LOOK = 15 * MINUTE
REVOKE_LIMIT = DAY
# A connection whose login Salesforce refuses, though the grant is not dead: when it is tried again
# (the last repeats), how long one try may take, and when it is given up.
BARRED_WAITS = tuple(MINUTE * each for each in (1, 2, 4, 8, 16, 32, 60))
BARRED_PROBE = MINUTE
BARRED_LIMIT = 30 * DAY
# Orgs may end a refresh token that was idle for 30 days; an access token in use does not count.
RENEW_LOGIN = 6 * DAY
RENEW_RETRY = HOUR

SCHEMA_REFRESH = 6 * HOUR  # a conditional describe, mostly answered "not modified"
SCHEMA_RETRY = 5 * MINUTE  # after one that failed
SCHEMA_LEASE = 3 * MINUTE  # longer than a describe job can take, for one that was killed

BATCH = 200  # messages
ATTEMPTS = 3  # alone, without an outcome
BATCHES_A_JOB = 5
QUEUE_FULL = 1_000
