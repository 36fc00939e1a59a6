"""The plugin fits into hosts of every kind and leaves what is theirs alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select

from keeping_plugin import (
    Address,
    ConfigurationError,
    Direction,
    HelpDesk,
    KeepingSalesforce,
    MessageArrived,
)
from keeping_plugin.crypto import TokenVault
from keeping_plugin.models import Connection, Decision, SchemaDocument, SchemaLoad
from keeping_plugin.models.migrate import upgrade
from keeping_plugin.services.connection.grants import seal
from keeping_plugin.types import Tokens
from tests.fake_salesforce import FakeSalesforce, document_of
from tests.hosts.desk import ADMIN, AGENT, CONVERSATION, CUSTOMER, Desk
from tests.hosts.houses import CONFIG, House, bare, furnished, lazy

Build = Callable[..., House]
EVERY_HOUSE = pytest.mark.parametrize(
    "build", [pytest.param(build, id=build.__name__) for build in (bare, furnished, lazy)]
)
NOWHERE = "http://127.0.0.1:1"
ORG_ON_THIS_MACHINE: dict[str, Any] = {
    "KEEPING_SALESFORCE_LOGIN_URLS": (NOWHERE, NOWHERE),
    "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
}
SETTINGS = "/salesforce/settings/"
PANEL = f"/salesforce/conversations/{CONVERSATION.id}"


@pytest.fixture
def built(database_url: str) -> Iterator[Callable[..., House]]:
    """`built(bare)` is that host with both sets of tables in place, closed after the test."""
    houses: list[House] = []

    def make(build: Build, **options: Any) -> House:
        house = build(database_url, **ORG_ON_THIS_MACHINE, **options)
        with house.app.app_context():
            house.db.create_all()
            upgrade(house.db.engine)
        houses.append(house)
        return house

    yield make
    for house in houses:
        house.close()


def connect(house: House) -> None:
    """As if an admin had connected, to an org that no longer answers."""
    org_id, now = "00D000000000001AAA", datetime.now(UTC)
    grant = Tokens(
        access_token="access",
        refresh_token="refresh",
        instance_url=NOWHERE,
        login_url=NOWHERE,
        identity_url=f"{NOWHERE}/id/{org_id}/005000000000001AAA",
    )
    vault = TokenVault([CONFIG["KEEPING_SECRET_KEYS"]])
    connection = Connection(
        company_id="acme",
        org_id=org_id,
        instance_url=NOWHERE,
        login_url=NOWHERE,
        user_id="005000000000001AAA",
        tokens=seal(vault, grant, company_id="acme", org_id=org_id),
        connected_at=now,
        connected_by=ADMIN.id,
    )
    with house.app.app_context():
        session = house.db.session
        session.add(connection)
        session.flush()
        session.add(SchemaLoad(connection_id=connection.id, finished_at=now))
        for name, schema in FakeSalesforce().org.schemas.items():
            text = document_of(schema)
            document = SchemaDocument(
                connection_id=connection.id,
                object=name,
                document=text,
                digest=hashlib.sha256(text.encode()).hexdigest(),
                fetched_at=now,
            )
            session.add(document)
        session.commit()


def message(number: int) -> MessageArrived:
    return MessageArrived(
        company_id="acme",
        mailbox_id=CONVERSATION.mailbox_id,
        conversation_id=CONVERSATION.id,
        message_id=f"m-{number}",
        direction=Direction.INBOUND,
        opens_conversation=number == 1,
        customer=CUSTOMER,
        sender=CUSTOMER,
        recipients=[Address("support@acme.example")],
        sent_at=datetime.now(UTC),
    )


def kept(house: House) -> tuple[int, int]:
    """How many messages of the host's and decisions of ours the database holds."""
    with house.app.app_context():
        session = house.db.session
        return (
            session.scalar(select(func.count()).select_from(house.message)) or 0,
            session.scalar(select(func.count()).select_from(Decision)) or 0,
        )


@EVERY_HOUSE
def test_a_message_and_its_decision_commit_or_vanish_together(
    built: Callable[..., House], build: Build
) -> None:
    house = built(build)
    connect(house)
    with house.app.app_context():
        house.db.session.add(house.message(id="m-1"))
        house.salesforce.message_arrived(message(1))
        house.db.session.rollback()
    assert kept(house) == (0, 0)
    with house.app.app_context():
        house.db.session.add(house.message(id="m-1"))
        house.salesforce.message_arrived(message(1))
        house.db.session.commit()
    assert kept(house) == (1, 1)


@EVERY_HOUSE
@pytest.mark.parametrize(
    ("agent_id", "status"), [(ADMIN.id, 200), (AGENT.id, 403), (None, 401)], ids=str
)
def test_the_settings_open_for_admins_alone(
    built: Callable[..., House], build: Build, agent_id: str | None, status: int
) -> None:
    assert built(build).client_of(agent_id).get(SETTINGS).status_code == status


@EVERY_HOUSE
def test_the_panel_stands_beside_a_conversation_once_connected(
    built: Callable[..., House], build: Build
) -> None:
    house = built(build)
    page = house.client_of(AGENT.id).get(CONVERSATION.url)
    assert page.text == "<p>The messages.</p>"
    connect(house)
    assert PANEL in house.client_of(AGENT.id).get(CONVERSATION.url).text
    assert house.client_of(None).get(CONVERSATION.url).text == "<p>The messages.</p>"


@EVERY_HOUSE
def test_an_org_that_does_not_answer_leaves_a_panel_that_says_so(
    built: Callable[..., House], build: Build
) -> None:
    house = built(build)
    connect(house)
    panel = house.client_of(AGENT.id).get(PANEL)
    assert "is not responding" in panel.text
    assert panel.status_code in (200, 503)


def test_the_hosts_layout_may_load_lazily_around_our_pages(built: Callable[..., House]) -> None:
    """Our routes end the host's transaction before they talk to Salesforce; the layout that is
    rendered afterwards still walks from current_user to its company."""
    house = built(lazy)
    connect(house)
    for url, person in ((SETTINGS, ADMIN), (PANEL, AGENT), (SETTINGS, AGENT)):
        assert "<header>The acme company</header>" in house.client_of(person.id).get(url).text


@EVERY_HOUSE
def test_our_writes_want_a_token_and_take_the_one_our_pages_carry(
    built: Callable[..., House], build: Build
) -> None:
    """Whether the host protects its forms or not."""
    house = built(build)
    connect(house)
    client = house.client_of(ADMIN.id)
    assert client.post("/salesforce/settings/disconnect").status_code == 400
    page = client.get("/salesforce/settings/disconnect").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    done = client.post("/salesforce/settings/disconnect", data={"csrf_token": token[1]})
    assert done.status_code in (200, 302, 303)
    with house.app.app_context():
        assert house.db.session.scalar(select(Connection.status)) == "disconnected"


def test_two_apps_in_one_process_each_under_its_own_prefix(sqlite_url: str) -> None:
    houses = [
        bare(
            f"{sqlite_url}-{name}",
            mount={"url_prefix": f"/{name}", "name": name},
            **ORG_ON_THIS_MACHINE,
        )
        for name in ("crm", "sales")
    ]
    for house, name, other in zip(houses, ("crm", "sales"), ("sales", "crm"), strict=True):
        with house.app.app_context():
            upgrade(house.db.engine)
        page = house.client_of(ADMIN.id).get(f"/{name}/settings/")
        assert page.status_code == 200
        assert f"/{name}/static/keeping.css" in page.text
        assert f"/{other}/" not in page.text
        assert house.client_of(ADMIN.id).get(f"/{other}/settings/").status_code == 404
    connect(houses[0])
    assert "/crm/conversations/" in houses[0].client_of(AGENT.id).get(CONVERSATION.url).text
    assert houses[1].client_of(AGENT.id).get(CONVERSATION.url).text == "<p>The messages.</p>"
    for house in houses:
        house.close()


def test_the_hosts_own_csrf_protection_is_untouched(built: Callable[..., House]) -> None:
    """A host with CSRFProtect refuses its own forms as before; one without takes them as before."""
    assert built(bare).client_of(ADMIN.id).post("/host-form").status_code == 200
    refused = built(furnished).client_of(ADMIN.id).post("/host-form")
    assert refused.status_code == 400
    assert b"CSRF" in refused.data


def test_an_extension_in_a_factory_serves_many_apps(sqlite_url: str) -> None:
    """One module-level object, `init_app` once an app: nothing of one shows in the other."""
    salesforce = KeepingSalesforce()
    houses = [bare(sqlite_url + str(number)) for number in range(2)]
    assert houses[0].app.extensions["keeping"] is not houses[1].app.extensions["keeping"]
    assert all(value is not house.app for house in houses for value in vars(salesforce).values())
    for house in houses:
        house.close()


def test_a_second_registration_is_refused_with_advice(built: Callable[..., House]) -> None:
    house = built(bare)
    advice = r"already registered .* instead of creating another"
    with pytest.raises(ConfigurationError, match=advice):
        KeepingSalesforce().init_app(house.app, helpdesk=Desk(lambda: None), db=house.db)
    assert house.client_of(ADMIN.id).get(SETTINGS).status_code == 200


def test_the_short_form_mounts_as_well(sqlite_url: str) -> None:
    app = Flask("short")
    app.config.update(CONFIG, SQLALCHEMY_DATABASE_URI=sqlite_url)
    KeepingSalesforce(app, helpdesk=Desk(lambda: None), db=SQLAlchemy(app))
    assert "keeping" in app.extensions


class Halfway(HelpDesk):
    """Subclasses HelpDesk and answers one of its questions only."""

    def current_agent(self) -> None:
        return None


@pytest.mark.parametrize(
    ("helpdesk", "sentence"),
    [
        (Desk, r"needs an instance: pass Desk\(\), not Desk\."),
        (object(), r"object has no current_agent, mailboxes, .*, may_view\."),
        (Halfway(), r"Halfway has no mailboxes, .*, may_view\."),
    ],
    ids=["a class", "something else", "half of one"],
)
def test_what_cannot_be_a_help_desk_is_refused_when_it_is_mounted(
    sqlite_url: str, helpdesk: Any, sentence: str
) -> None:
    app = Flask("refused")
    app.config.update(CONFIG, SQLALCHEMY_DATABASE_URI=sqlite_url)
    with pytest.raises(ConfigurationError, match=sentence):
        KeepingSalesforce().init_app(app, helpdesk=helpdesk, db=SQLAlchemy(app))
    assert "keeping" not in app.extensions
