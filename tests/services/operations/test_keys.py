"""Threat T2: the key can be changed, and a key that opens nothing is said, not guessed around."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import insert

from keeping_plugin.crypto import TokenVault
from keeping_plugin.errors import NotReady
from keeping_plugin.models import AuditRecord, Connection, Database
from keeping_plugin.services.operations import keys

NOW = datetime(2026, 5, 6, tzinfo=UTC)
ROWS = 3 * keys.CHUNK + 1  # what more rows would add is more chunks of the same


@pytest.mark.both_databases
def test_rows_of_several_chunks_are_rotated_and_the_old_key_is_no_longer_needed(
    database: Database,
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealing = TokenVault([old])
    rows = [
        {
            "company_id": f"c{number}",
            "org_id": "00D000000000001AAA",
            "instance_url": "https://acme.my.salesforce.com",
            "login_url": "https://login.salesforce.com",
            "user_id": "005000000000001AAA",
            "tokens": sealing.seal({"token": str(number)}, company=f"c{number}", org="o"),
            "connected_at": NOW,
            "connected_by": "admin",
        }
        for number in range(ROWS)
    ]
    with database.write() as session:
        session.execute(insert(Connection), rows)
    assert keys.rotate(database, TokenVault([new, old])) == ROWS
    alone = TokenVault([new])
    keys.check(database, alone)
    with database.read() as session:
        last = session.query(Connection).filter_by(company_id=f"c{ROWS - 1}").one()
        assert last.tokens is not None
        assert alone.open(last.tokens, company=f"c{ROWS - 1}", org="o") == {"token": str(ROWS - 1)}
        assert session.query(AuditRecord).filter_by(action="keys_rotated").count() == 1
    with pytest.raises(NotReady):
        keys.check(database, sealing)
