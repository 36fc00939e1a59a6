"""JSON as the service writes it."""

from __future__ import annotations

import json
from typing import Any

JSON_TYPE = "application/json;charset=UTF-8"


def dumps(value: Any) -> bytes:
    """Compact, text not escaped to ASCII."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
