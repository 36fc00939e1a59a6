"""The servers behind the tests behave as their fixtures promise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page
from redis import Redis

from keeping_plugin.models import AuditRecord, Database
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from salesforce_simulator.process import OrgProcess
from tests.servers.chromium import PageGuard
from tests.servers.needs import ROOT
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer


@pytest.mark.parametrize("round_", [1, 2])
def test_every_test_gets_an_empty_redis(redis_url: str, round_: int) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left behind", round_)


@pytest.mark.parametrize("round_", [1, 2])
def test_every_test_gets_an_empty_database(database_url: str, round_: int) -> None:
    engine = sa.create_engine(database_url)
    assert sa.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE left_behind (id INTEGER)"))
    engine.dispose()


@pytest.mark.both_databases
@pytest.mark.parametrize("round_", [1, 2])
def test_every_test_gets_our_tables_empty(database: Database, round_: int) -> None:
    with database.write() as session:
        audit.record(session, Audited.KEYS_ROTATED, company_id="acme", detail=str(round_))
    with database.read() as session:
        assert [row.id for row in session.query(AuditRecord)] == [1]


def test_a_restarted_redis_has_forgotten_everything(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    with Redis.from_url(server.url) as client:
        client.set("a", 1)
        server.stop(signal.SIGKILL)
        server.start()
        assert client.dbsize() == 0
    server.stop()


def test_a_killed_postgres_keeps_what_was_committed(own_postgres: PostgresServer) -> None:
    engine = sa.create_engine(own_postgres.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept (id INTEGER)"))
    own_postgres.stop()
    own_postgres.start()
    assert sa.inspect(engine).get_table_names() == ["kept"]


def test_a_server_ends_with_a_killed_test_run(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from tests.servers.redis import RedisServer;"
        f"server = RedisServer(Path({str(tmp_path)!r})); server.start();"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        run.kill()
    end = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < end, "the server outlived its test run"
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    """A zombie that nobody reaps counts as ended."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("round_", [1, 2])
def test_every_test_gets_an_org_at_rest(orgs: OrgProcess, round_: int) -> None:
    control = orgs.production.control
    assert control.faults() == []
    assert control.counters()["http_round_trips"] == 0
    assert control.tokens()["refresh_tokens"] == 0
    control.fault("unavailable", times=None)


def test_the_guard_sees_what_a_page_complains_of(page: Page, page_guard: PageGuard) -> None:
    page_guard.expect("console error: alas")
    page_guard.expect("uncaught: .*oh no")
    page_guard.expect("http://elsewhere.example/")
    with page.expect_event("requestfailed"), page.expect_event("pageerror"):
        page.set_content(
            "<body><script>console.error('alas'); setTimeout(() => { throw Error('oh no') });"
            "document.body.append(Object.assign(new Image(), {src: 'http://elsewhere.example/'}))"
            "</script></body>"
        )


def test_the_guard_reports_surprises_and_unmet_expectations() -> None:
    guard = PageGuard()
    guard._complaints.append("console error: surprise")
    guard.expect("something else")
    assert guard.verdict() == [
        "console error: surprise",
        "expected, but never seen: something else",
    ]


def test_axe_names_what_is_wrong(
    page: Page, axe: Callable[[Page], None], screenshot: Callable[[Page, str], Path]
) -> None:
    page.set_content("<!doctype html><html lang=en><title>t</title><main><input></main></html>")
    with pytest.raises(AssertionError, match="label"):
        axe(page)
    page.set_content(
        "<!doctype html><html lang=en><title>t</title><main><h1>T</h1>"
        "<label>Name <input></label></main></html>"
    )
    axe(page)
