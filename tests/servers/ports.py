"""Free ports of this machine."""

from __future__ import annotations

import random
from pathlib import Path

from demo.ports import is_free

_LOWEST = 10_000
_HANDED_OUT_BY_THE_KERNEL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A loopback TCP port that nobody listens on, and that the kernel gives to nobody by itself:
    one of those could become the end of any connection before our server binds it."""
    highest = 32_768
    if _HANDED_OUT_BY_THE_KERNEL.exists():
        highest = int(_HANDED_OUT_BY_THE_KERNEL.read_text().split()[0])
    while True:
        port = random.randrange(_LOWEST, highest)
        if is_free(port):
            return port
