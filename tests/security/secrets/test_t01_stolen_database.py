"""T1: a stolen dump of the database opens no CRM.

The dump is a real one, pg_dump's or SQLite's, of a host with a live connection, a login on its way,
and a grant waiting to be revoked. Every word of it is tried against Salesforce as a thief would.
Sealing itself is tested in tests/services/connection/test_tokens.py and test_connect.py.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.engine import make_url

from keeping_plugin.extension import _wire
from keeping_plugin.models import OAuthAttempt, Revocation
from keeping_plugin.types import Tokens
from salesforce_simulator.process import OrgProcess
from tests.security.dumps import dump
from tests.security.town import ADMINS, Town, open_town
from tests.servers.postgres import postgres_bin

WORDS = re.compile(r"[A-Za-z0-9!._~+/=-]{12,}")


@pytest.fixture
def robbed(orgs: OrgProcess, database_url: str) -> Iterator[Town]:
    with open_town(orgs, database_url) as town:
        town.settle_in()
        yield town


def dumped(town: Town) -> str:
    """What a thief carries away."""
    url = make_url(str(town.house.app.config["SQLALCHEMY_DATABASE_URI"]))
    if url.get_backend_name() == "sqlite":
        return "\n".join(dump(town))
    binaries = postgres_bin()
    tool = binaries / "pg_dump" if binaries else Path("pg_dump")
    if binaries is None or not tool.exists():
        pytest.skip("needs own postgres: pg_dump comes with it")
    place = ["-h", str(url.host), "-p", str(url.port), "-U", str(url.username), str(url.database)]
    environment = {**os.environ, "PGPASSWORD": url.password or ""}
    done = subprocess.run(
        [str(tool), *place], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


def spellings(secret: str) -> set[str]:
    """A secret as text, in base64 at every offset, and in hexadecimal."""
    raw = secret.encode()
    coded = {secret, raw.hex(), raw.hex().upper()}
    for offset in range(3):
        coded.add(base64.b64encode(b"." * offset + raw).decode()[4:-4])
        coded.add(base64.urlsafe_b64encode(b"." * offset + raw).decode()[4:-4])
    return coded


def secrets_of(town: Town) -> dict[str, str]:
    """Everything that opens something, by what it is; opened with the host's own key."""
    found = {}
    for company in ADMINS:
        tokens = town.tokens(company)
        found[f"{company}'s access token"] = tokens.access_token
        found[f"{company}'s refresh token"] = str(tokens.refresh_token)
    with town.house.app.app_context(), town.state.database.read() as session:
        attempt = session.scalars(select(OAuthAttempt)).one()
    waiting = town.state.vault.open(attempt.data, company="acme", org="login")["value"]
    found["the PKCE verifier"] = re.search(r'"verifier": "([^"]+)"', str(waiting))[1]  # type: ignore[index]
    found["the encryption key"] = town.house.app.config["KEEPING_SECRET_KEYS"]
    found["the client secret"] = town.orgs.client_secret
    return found


def test_a_stolen_dump_holds_nothing_that_opens_anything(robbed: Town) -> None:
    town = robbed
    ada = town.visitor()
    state = parse_qs(urlsplit(town.login_url(ada)).query)["state"][0]  # a login on its way
    before = town.tokens("acme")
    town.connect(ada, user="integration", described=False)  # the grant before waits for its end
    town.login_url(ada)
    with town.house.app.app_context(), town.state.database.read() as session:
        assert session.scalars(select(Revocation)).one().tokens
        session.execute(select(OAuthAttempt))
    known = {**secrets_of_one(town), "the grant given back": str(before.refresh_token)}
    known["the state of a login"] = state
    text = dumped(town)
    assert "keeping_connection" in text
    assert str(town.current("acme").username) in text  # type: ignore[union-attr]
    for name, secret in known.items():
        for spelling in spellings(secret):
            assert spelling not in text, name
    assert_nothing_opens(town, text)


def secrets_of_one(town: Town) -> dict[str, str]:
    """As `secrets_of`, with several logins on their way."""
    with town.house.app.app_context(), town.state.database.write() as session:
        for extra in session.scalars(select(OAuthAttempt)).all()[1:]:
            session.delete(extra)
    return secrets_of(town)


def assert_nothing_opens(town: Town, text: str) -> None:
    """Each word of the dump, as a bearer token, as a refresh token, and unsealed with keys of its
    own kind; binary columns as the bytes they are, too."""
    words = set(WORDS.findall(text))
    words |= {bytes.fromhex(word).decode("latin-1") for word in hexadecimal(text)}
    assert len(words) > 50
    org, app = town.orgs.production, town.orgs
    with requests.Session() as thief:
        thief.trust_env = False
        for word in sorted(words, key=len)[-400:]:
            if not word.isascii() or "\n" in word or len(word) > 4_000:
                continue
            bearer = {"Authorization": f"Bearer {word.strip()}"}
            answer = thief.get(f"{org.base_url}/services/data/v66.0/limits", headers=bearer)
            assert answer.status_code == 401, word
            form = {
                "grant_type": "refresh_token",
                "refresh_token": word,
                "client_id": app.client_id,  # say that he has the app's own secret as well
                "client_secret": app.client_secret,
            }
            answer = thief.post(f"{org.base_url}/services/oauth2/token", data=form)
            assert answer.status_code == 400, word


def hexadecimal(text: str) -> list[str]:
    """Binary columns, as SQLite (X'..') and PostgreSQL (\\\\x..) print them."""
    return [
        found for found in re.findall(r"(?:X'|\\\\x)([0-9a-fA-F]{8,})", text) if len(found) % 2 == 0
    ]


def test_the_control_group_opens(robbed: Town) -> None:
    """With the key, the same row does open: the thief above fails for want of the key alone."""
    tokens = robbed.tokens("acme")
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    url = f"{robbed.orgs.production.base_url}/services/data/v66.0/limits"
    assert requests.get(url, headers=bearer, timeout=30).status_code == 200


def test_a_grant_that_salesforce_refuses_is_erased(town: Town) -> None:
    """What is dead lies in no backup from then on; the panel asks for an admin, not for a key."""
    row = town.current("acme")
    assert row is not None
    assert row.tokens is not None
    control = town.orgs.production.control
    control.expire_access_tokens()
    control.fault("token_refused", times=1)
    gus = town.visitor("gus")
    for _ in range(2):
        answer = gus.get("/salesforce/conversations/c-1")
        assert answer.status_code == 503
        assert "Connection lost" in answer.text
    lost = town.current("acme")
    assert lost is not None
    assert (lost.status, lost.tokens) == ("lost", None)
    assert row.tokens.hex().lower() not in "\n".join(dump(town)).lower()


def test_a_key_that_opens_nothing_fails_closed(town: Town) -> None:
    """The host is up, the panel says not ready, nothing is sent and nothing is deleted."""
    before = town.current("acme")
    assert before is not None
    config = replace(town.state.config, secret_keys=(Fernet.generate_key().decode(),))
    town.house.app.extensions["keeping"] = _wire(
        config, helpdesk=town.desk, db=town.house.db, name=town.state.name
    )
    answer = town.visitor("gus").get("/salesforce/conversations/c-1")
    assert answer.status_code == 503
    assert "not ready" in answer.text.lower()
    assert town.visitor().get("/salesforce/settings/").status_code == 200
    assert town.calls("acme") == []
    after = town.current("acme")
    assert after is not None
    assert (after.tokens, after.status) == (before.tokens, "live")


@pytest.mark.parametrize("what", ["company", "org", "kind"])
def test_a_row_moved_to_another_company_org_or_use_opens_nothing(town: Town, what: str) -> None:
    """Whoever can write the database still cannot read acme's CRM as another company."""
    acme, other = town.current("acme"), town.current("other")
    assert acme is not None
    assert other is not None
    if what == "company":
        moved = {
            "tokens": acme.tokens,
            "org_id": acme.org_id,
            "instance_url": acme.instance_url,
            "login_url": acme.login_url,
            "identity_url": acme.identity_url,
        }
        town.change_connection("other", **moved)
        person, conversation = "otto", "o-1"
    elif what == "org":
        town.change_connection("acme", org_id=other.org_id)
        person, conversation = "gus", "c-1"
    else:  # a sealed login in place of a grant
        town.login_url(town.visitor())
        with town.house.app.app_context(), town.state.database.read() as session:
            attempt = session.scalars(select(OAuthAttempt)).one()
        town.change_connection("acme", tokens=attempt.data)
        person, conversation = "gus", "c-1"
    town.forget_calls()
    answer = town.visitor(person).get(f"/salesforce/conversations/{conversation}")
    assert answer.status_code == 503
    assert "Traceback" not in answer.text
    assert town.calls("acme") == town.calls("other") == []


def test_a_sealed_text_that_was_tampered_with_opens_nothing(town: Town) -> None:
    row = town.current("acme")
    assert row is not None
    assert row.tokens is not None
    for at in (0, 9, len(row.tokens) // 2, len(row.tokens) - 1):
        broken = bytearray(row.tokens)
        broken[at] ^= 1
        town.change_connection("acme", tokens=bytes(broken))
        assert town.visitor("gus").get("/salesforce/conversations/c-1").status_code == 503
    town.change_connection("acme", tokens=b"")
    assert town.visitor("gus").get("/salesforce/conversations/c-1").status_code == 503
    assert town.calls("acme") == []


def test_an_address_written_into_the_row_gets_no_token(town: Town) -> None:
    """The instance address that counts stands inside the sealed text, not beside it."""
    town.change_connection(
        "acme", instance_url=town.orgs.sandbox.base_url, login_url=town.orgs.sandbox.base_url
    )
    town.visitor("gus").get("/salesforce/conversations/c-1")
    assert town.calls("other") == []


def test_the_tokens_object_shows_no_token() -> None:
    """What a traceback or a debugger's repr of it prints."""
    tokens = Tokens(
        access_token="ACCESS-CANARY",
        refresh_token="REFRESH-CANARY",
        instance_url="https://acme.my.salesforce.com",
        login_url="https://login.salesforce.com",
        identity_url="https://login.salesforce.com/id/00D000000000001AAA/005000000000001AAA",
    )
    assert "CANARY" not in f"{tokens!r}{tokens}"
