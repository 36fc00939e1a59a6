"""How large an answer of Salesforce may be: what each verb can really need, and no more.

Parsed JSON takes far more memory than its text. The least of it per byte is a string's; the most is
that of empty arrays and objects, about 25 bytes of memory a byte of text. So an answer is bounded
twice before it is parsed, by its bytes and by how many values it holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Final

KB: Final = 1024
MB: Final = 1024 * KB

# By the name that `Sforce-Call-Options` carries; docs/salesforce-calls.md has the reasons.
MAX_BYTES: Final[Mapping[str, int]] = {
    "find": 8 * MB,
    "panel": 8 * MB,
    "accounts": 8 * MB,
    "read": 8 * MB,
    "search": MB,
    "find_by_text": MB,
    "successors": MB,
    "users": 2 * MB,
    "create": MB,
    "created": MB,
    "update": MB,
    "create_many": 8 * MB,
    "inspect": 8 * MB,
    "read_many": 8 * MB,
    "update_many": MB,
    "delete_many": MB,
    "describe": 16 * MB,
    "picklist_values": 8 * MB,
    "closed_task_status": 256 * KB,
    "org_facts": 256 * KB,
    "visibility": 256 * KB,
    "limits": 256 * KB,
    "versions": 256 * KB,
    "token": 256 * KB,
    "revoke": 256 * KB,
}
LARGEST: Final = max(MAX_BYTES.values())
# Status line and headers, and the frames around the chunks of a body.
FRAMING: Final = MB

# A describe, the densest answer there is, has a value in 20 bytes.
_BYTES_A_VALUE: Final = 16
_FEWEST: Final = 10_000
# All that stands before one comma or opening bracket outside of strings, and that mark; a string
# without an end goes to the end of the body, so that nothing is read twice.
_VALUE = re.compile(
    rb'[^,\[{"]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)[^,\[{"]*+)*+(?:[,\[{]|\Z)', re.DOTALL
)


def too_many_values(body: bytes, max_bytes: int) -> bool:
    """Whether this JSON text holds more values than any answer of up to `max_bytes` does. Linear;
    commas and brackets inside of strings do not count."""
    most = max(_FEWEST, max_bytes // _BYTES_A_VALUE)
    if body.count(b",") + body.count(b"[") + body.count(b"{") <= most:
        return False
    return sum(1 for _ in islice(_VALUE.finditer(body), most + 1)) > most
