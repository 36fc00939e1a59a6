"""T12: one token, agreed on with a host that has Flask-WTF and with one that has not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from lxml import html

from tests.hosts.houses import House, bare, furnished
from tests.servers.sqlite import lay_tables

SETTINGS = "/salesforce/settings/"
CONNECT = f"{SETTINGS}connect"


@pytest.fixture(params=[bare, furnished], ids=["session", "flask-wtf"])
def house(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[House]:
    made: House = request.param(sqlite_url)
    with made.app.app_context():
        lay_tables(made.db.engine)
    yield made
    made.close()


def token(client: FlaskClient, field: str = "csrf_token", **options: str) -> str:
    page = html.fromstring(client.get(SETTINGS, **options).text)
    return str(page.xpath(f"//input[@name='{field}']/@value")[0])


def test_the_field_and_the_header_are_taken(house: House) -> None:
    client = house.client_of("ada")
    sent = token(client)
    assert client.post(CONNECT, data={"csrf_token": sent}).status_code == 303
    assert client.post(CONNECT, headers={"X-CSRFToken": sent}).status_code == 303


@pytest.mark.parametrize("sent", ["", "x", "##", "20300101000000##x", "é", "a" * 10_000])
def test_anything_else_is_refused(house: House, sent: str) -> None:
    client = house.client_of("ada")
    token(client)
    assert client.post(CONNECT, data={"csrf_token": sent}).status_code == 400


def test_a_browser_that_never_had_a_token_is_refused(house: House) -> None:
    sent = token(house.client_of("ada"))
    fresh = house.client_of("ada")
    assert fresh.post(CONNECT, data={"csrf_token": sent}).status_code == 400


def test_a_token_stays_good_for_the_session(house: House) -> None:
    """A form left open over lunch is not refused for it."""
    client = house.client_of("ada")
    first = token(client)
    for _ in range(3):
        token(client)
    assert client.post(CONNECT, data={"csrf_token": first}).status_code == 303


def test_the_hosts_field_name_is_ours(sqlite_url: str) -> None:
    house = furnished(sqlite_url, WTF_CSRF_FIELD_NAME="anti_forgery")
    with house.app.app_context():
        lay_tables(house.db.engine)
    client = house.client_of("ada")
    sent = token(client, "anti_forgery")
    assert client.post(CONNECT, data={"anti_forgery": sent}).status_code == 303
    assert client.post(CONNECT, data={"csrf_token": sent}).status_code == 400
    house.close()


def test_the_referer_that_flask_wtf_asks_for_is_sent(sqlite_url: str) -> None:
    """Flask-WTF refuses secure posts without a Referer, which no-referrer would withhold."""
    house = furnished(sqlite_url)
    with house.app.app_context():
        lay_tables(house.db.engine)
    client = house.client_of("ada")
    page = client.get(SETTINGS, base_url="https://inbox.example.com")
    assert page.headers["Referrer-Policy"] == "same-origin"
    house.close()
    lax = furnished(sqlite_url, WTF_CSRF_SSL_STRICT=False)
    assert lax.client_of("ada").get(SETTINGS).headers["Referrer-Policy"] == "no-referrer"
    lax.close()
