"""Domain verbs on one connection's Salesforce org."""

from __future__ import annotations

from keeping_plugin.salesforce.calls import TokenSource
from keeping_plugin.salesforce.transport import Transport
from keeping_plugin.times import CALL

__all__ = ["Gateway", "TokenSource"]


class Gateway:
    """`ports.SalesforceGateway` over HTTP. `deadline`: seconds for each whole call, paging and the
    repeat after a refresh included."""

    def __init__(
        self,
        tokens: TokenSource,
        transport: Transport,
        *,
        version: str,
        deadline: float = CALL,
    ) -> None:
        self._tokens = tokens
        self._transport = transport
        self._version = version
        self._deadline = deadline
