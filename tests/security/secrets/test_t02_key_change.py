"""T2: the key is changed while the host is up, and the old one is then of no use to anybody.

Ten thousand rows, and rows that change meanwhile, are rotated in
tests/services/operations/test_keys.py. Here is the operator's whole way: two keys, the command, one
key; and the thief who has the old key and the new database.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from keeping_plugin.cli import keeping
from keeping_plugin.crypto import TokenVault
from keeping_plugin.errors import NotReady
from keeping_plugin.extension import _wire
from keeping_plugin.models import Connection, OAuthAttempt, Revocation
from tests.security.town import Town


def keyed(town: Town, *keys: str) -> None:
    """Restart the host with these keys."""
    config = replace(town.state.config, secret_keys=keys)
    town.house.app.extensions["keeping"] = _wire(
        config, helpdesk=town.desk, db=town.house.db, name=town.state.name
    )


def sealed(town: Town) -> list[bytes]:
    """Every sealed text in the database."""
    columns = (Connection.tokens, Revocation.tokens, OAuthAttempt.data)
    with town.house.app.app_context(), town.state.database.read() as session:
        found = [value for column in columns for value in session.scalars(select(column))]
    return [bytes(value) for value in found if value is not None]


def test_after_a_rotation_the_new_key_opens_everything_and_the_old_one_nothing(
    town: Town,
) -> None:
    ada = town.visitor()
    town.connect(ada, user="integration", described=False)  # a grant that waits to be given back
    callback = town.consent(town.login_url(ada), user="integration")  # and a login on its way
    old, new = town.state.config.secret_keys[0], Fernet.generate_key().decode()
    assert len(sealed(town)) == 4

    keyed(town, new, old)
    assert town.visitor("gus").get("/salesforce/conversations/c-1").status_code == 200
    done = town.house.app.test_cli_runner().invoke(keeping, ["rotate-keys"])
    assert (done.exit_code, done.output) == (
        0,
        "4 stored secrets are encrypted with the first key.\n",
    )
    assert [row.detail for row in town.audited("") if row.action == "keys_rotated"] == ["4"]

    keyed(town, new)
    assert town.visitor("gus").get("/salesforce/conversations/c-1").status_code == 200
    assert ada.get(callback).status_code == 303, "the login on its way comes home"
    thief = TokenVault([old])
    for blob in sealed(town):
        with pytest.raises(NotReady):
            thief.rotate(blob)


def test_a_rotation_without_the_old_key_loses_nothing(town: Town) -> None:
    old = town.state.config.secret_keys[0]
    before = sealed(town)
    keyed(town, Fernet.generate_key().decode())
    done = town.house.app.test_cli_runner().invoke(keeping, ["rotate-keys"])
    assert done.exit_code == 1
    assert "restore the old key" in done.output or "No key" in done.output
    assert sealed(town) == before
    keyed(town, old)
    assert town.visitor("gus").get("/salesforce/conversations/c-1").status_code == 200
