"""T14: tokens, addresses and bodies stand in no log, queue, job, audit row or error page.

Canaries run through every journey and every failure: message to Task, panel, edit, add, connect,
refresh, disconnect, each of them refused, cut off and broken, on SQLite and on PostgreSQL, without
the host's help (`hide_parameters` is not set). Then everything that was written anywhere is
searched: every log at DEBUG (of every library, tracebacks included), Redis, failed jobs, error
pages, and each column of our tables that is not made for it. What single modules log is tested
beside them (tests/salesforce/wire/test_calls.py, test_oauth.py).
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from sqlalchemy import select, text, update

from keeping_plugin.jobs.queue import connect
from keeping_plugin.models import Base, Connection, MailboxPolicy, SyncEntry, now
from keeping_plugin.types import Address
from salesforce_simulator.process import OrgProcess
from tests.security.town import Town, open_town

WORD = "Zq7Xcanary"
ADDRESS = f"{WORD.lower()}-address@example.com"
BODY = f"{WORD} body text"
SUBJECT = f"{WORD} subject"
NAME = f"{WORD} Lastname"
VALUE = f"{WORD} title"
WORDS_OF_ORG = f"{WORD} refusal naming {ADDRESS}"

# Where an address, or a value that agents see, may stand: columns made for it, erased by retention,
# by disconnecting or by `forget`.
OWN_COLUMNS = {
    "keeping_sync_entry.address",
    "keeping_sync_entry.words",  # Salesforce's own words, shown to agents as they came
    "keeping_decision.facts",
    "keeping_address_claim.address",
    "keeping_known_address.address",
    "keeping_pick.address",
    "keeping_panel_card.address",
    "keeping_panel_card.card",
}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that any logger says, formatted with its tracebacks and its extra fields."""
    said = io.StringIO()

    class Everything(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.write(logging.Formatter("%(name)s %(levelname)s %(message)s").format(record))
            said.write(f" {record.__dict__}\n")

    handler, root = Everything(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield said
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def town(
    orgs: OrgProcess, database_url: str, redis_url: str, logged: io.StringIO
) -> Iterator[Town]:
    """Opened after the logs are listened to."""
    with open_town(
        orgs,
        database_url,
        KEEPING_REDIS_URL=redis_url,
        KEEPING_TIME_SCALE=0.1,
        KEEPING_PANEL_LIMIT=(10**6, 10**6),
        PROPAGATE_EXCEPTIONS=False,
    ) as opened:
        opened.settle_in()
        yield opened


class Journeys:
    """Everything that can be done, and everything that can go wrong with it."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.control = town.org_of("acme").control
        self.number = 1
        self.pages: list[str] = []
        self.secrets: set[str] = set()
        self.gus = town.visitor("gus")
        town.converse("acme", "canary", Address(ADDRESS, NAME))

    def remember_tokens(self) -> None:
        row = self.town.current("acme")
        if row is not None and row.tokens is not None:
            tokens = self.town.tokens("acme")
            self.secrets |= {tokens.access_token, str(tokens.refresh_token)}

    def mail(self) -> None:
        """A message comes in and the worker does what it can, twice."""
        self.number += 1
        conversation = self.town.converse(
            "acme", f"canary-{self.number}", Address(ADDRESS, NAME), subject=SUBJECT
        )
        self.town.arrive("acme", conversation, number=1, subject=SUBJECT, text=BODY, html=None)
        for _ in range(2):
            with self.town.house.app.app_context(), self.town.state.database.write() as session:
                session.execute(
                    update(SyncEntry)
                    .where(SyncEntry.state.in_(("pending", "waiting")))
                    .values(due_at=now(session))
                )
                session.execute(update(Connection).values(paused_until=None, pause_reason=""))
                row = session.scalar(select(Connection.id).where(Connection.company_id == "acme"))
            with self.town.house.app.app_context():
                self.town.state.queue.clear_ring(int(row or 0))
                self.town.state.queue.ring([int(row or 0)])
            self.town.work(logging_level="DEBUG")

    def look(self) -> None:
        for path in ("", "/log", "/new/Contact", f"/search/Account?q={WORD}&field=AccountId"):
            for headers in ({}, {"Accept": "application/json"}):
                said = self.gus.client.get(
                    f"/salesforce/conversations/canary{path}", headers=headers
                )
                self.pages.append(said.text)

    def save(self) -> None:
        token = {"X-CSRFToken": self.town.csrf(self.gus)}
        at = "/salesforce/conversations/canary"
        new = {"sf_LastName": NAME, "sf_Email": ADDRESS, "sf_Title": VALUE}
        self.pages.append(self.gus.client.post(f"{at}/new/Contact", data=new, headers=token).text)
        rows = self.control.query(f"SELECT Id FROM Contact WHERE Email = '{ADDRESS}'")
        for row in rows[:1]:
            edit = f"{at}/Contact/{row['Id']}/edit"
            for number in range(2):
                form = {"sf_Title": f"{VALUE} {number}{self.number}", "sf_LastName": NAME}
                said = self.gus.client.post(edit, data=form, headers=token)
                self.pages.append(said.text)

    def everything(self) -> None:
        self.look()
        self.mail()
        self.save()
        self.remember_tokens()

    def with_fault(self, kind: str, **options: Any) -> None:
        self.control.fault(kind, times=None, **options)
        self.everything()
        self.control.clear_faults()


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("internal_error", {}),
    ("internal_error", {"when": "after"}),
    ("unavailable_html", {}),
    ("reset", {"when": "after"}),
    ("truncated", {}),
    ("row_refused", {"code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": WORDS_OF_ORG}),
    ("row_refused", {"code": "INVALID_FIELD", "message": WORDS_OF_ORG}),
]


def everything_happens(town: Town) -> Journeys:
    on = {"company_id": "acme", "mailbox_id": "support-acme"}
    with town.house.app.app_context(), town.state.database.write() as session:
        session.merge(MailboxPolicy(**on, add_contacts=True, log_tasks=True))
    journeys = Journeys(town)
    journeys.remember_tokens()
    for kind, options in FAULTS:
        journeys.with_fault(kind, **options)
    journeys.everything()  # and once it all goes well
    journeys.control.expire_access_tokens()
    journeys.everything()  # with a refresh
    broken_database(town, journeys)
    wrong_key(town, journeys)
    journeys.control.expire_access_tokens()
    journeys.control.fault("token_refused", times=1)
    journeys.everything()  # and one that is refused: the connection is lost
    ada = town.visitor()
    page = ada.get("/salesforce/oauth/callback", query_string={"code": WORD, "state": WORD})
    journeys.pages.append(page.text)
    town.connect(ada)
    journeys.remember_tokens()
    journeys.everything()
    journeys.pages.append(ada.post("/salesforce/settings/disconnect").text)
    town.work(logging_level="DEBUG")
    journeys.look()
    return journeys


def broken_database(town: Town, journeys: Journeys) -> None:
    """Statements that hold addresses fail, in jobs and in requests: their table is away, or a rule
    of it refuses the row, which PostgreSQL then quotes whole."""
    with town.house.app.app_context():
        engine = town.state.database.engine
    if engine.dialect.name == "postgresql":
        for table in ("keeping_panel_card", "keeping_address_claim"):
            with engine.begin() as connection:
                check = f"ALTER TABLE {table} ADD CONSTRAINT never CHECK (false) NOT VALID"
                connection.execute(text(check))
            journeys.everything()
            with engine.begin() as connection:
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT never"))
    for table in ("keeping_panel_card", "keeping_address_claim"):
        with engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO away"))
        journeys.everything()
        with engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE away RENAME TO {table}"))


def wrong_key(town: Town, journeys: Journeys) -> None:
    row = town.current("acme")
    assert row is not None
    town.change_connection("acme", tokens=b"gAAAA" + WORD.encode())
    journeys.look()
    journeys.mail()
    town.change_connection("acme", tokens=row.tokens)


def test_no_canary_is_found_where_it_does_not_belong(
    town: Town, logged: io.StringIO, redis_url: str
) -> None:
    journeys = everything_happens(town)
    made = journeys.control.query(f"SELECT Id FROM Contact WHERE Email = '{ADDRESS}'")
    tasks = journeys.control.query("SELECT Subject, Description FROM Task")
    tasks = [task for task in tasks if SUBJECT in task["Subject"] and BODY in task["Description"]]
    assert made, "the canary did reach Salesforce"
    assert tasks, "and so did its mail"
    assert len(journeys.secrets) > 3
    secrets = journeys.secrets | {
        town.orgs.client_secret,
        str(town.house.app.config["KEEPING_SECRET_KEYS"]),
    }
    personal = {WORD, WORD.lower()}

    log = logged.getvalue()
    assert "salesforce.call" in log
    assert "database_failed" in log, "the database did fail in requests"
    assert "rq.worker" in log
    assert_absent(log, secrets | personal, "the log")
    for page in journeys.pages:
        assert_absent(page, secrets, "a page")
        assert "Traceback" not in page
    for where, held in redis_values(redis_url):
        assert_absent(held, secrets | personal, f"Redis: {where}")
    failed = failed_jobs(redis_url)
    assert failed, "jobs did fail"
    for held in failed:
        assert_absent(held, secrets | personal, "a failed job")
    for where, value in columns(town):
        assert_absent(value, secrets, where)
        if where not in OWN_COLUMNS:
            assert_absent(value, personal, where)
    assert BODY not in "".join(value for _, value in columns(town)), "bodies are nowhere at all"


def assert_absent(held: str, canaries: set[str], where: str) -> None:
    for canary in canaries:
        at = held.find(canary)
        assert at < 0, f"{where}: …{held[max(0, at - 300) : at + 200]}…"


def redis_values(url: str) -> Iterator[tuple[str, str]]:
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter():
            yield key.decode(errors="replace"), f"{key!r}{redis.dump(key)!r}"


def failed_jobs(url: str) -> list[str]:
    redis = connect(url)
    registry = FailedJobRegistry("keeping", connection=redis, serializer=JSONSerializer)
    jobs = [Job.fetch(key, redis, serializer=JSONSerializer) for key in registry.get_job_ids()]
    found = [f"{job.latest_result()} {job.description} {job.args}" for job in jobs]
    redis.close()
    return found


def columns(town: Town) -> Iterator[tuple[str, str]]:
    """Every value of every column of our tables."""
    with town.house.app.app_context(), town.state.database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                for name, value in row._mapping.items():
                    if value is not None:
                        yield f"{table.name}.{name}", str(value)
