"""Amounts of an org with several currencies: what a query compares, sums and converts them by."""

from __future__ import annotations

from functools import cached_property

from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store

Amount = int | float


class Money:
    """The conversion rates one statement sees; none in an org with one currency."""

    def __init__(self, store: Store, catalog: Catalog, user: User) -> None:
        self._store = store
        self._catalog = catalog
        self._user = user

    @cached_property
    def _rates(self) -> dict[str, float]:
        if self._catalog.find("CurrencyType") is None:
            return {}
        rows = self._store.scan("CurrencyType", deleted=False)
        return {row["IsoCode"]: row["ConversionRate"] for row in rows}

    @cached_property
    def _corporate(self) -> str | None:
        rows = self._store.scan("CurrencyType", deleted=False)
        return next((row["IsoCode"] for row in rows if row["IsCorporate"]), None)

    @property
    def several(self) -> bool:
        """Whether the org has several currencies."""
        return bool(self._rates)

    def knows(self, code: str) -> bool:
        """Whether this is the code of one of the org's currencies."""
        return code in self._rates

    def corporate(self, amount: Amount, code: str | None) -> Amount:
        """An amount of a currency in the org's; a record without one has the org's."""
        return amount if code is None or not self._rates else amount / self._rates[code]

    def own(self, amount: Amount, record: Record) -> Amount:
        """An amount of a record in the currency of the user who asks."""
        code = self._user.currency or self._corporate
        plain = self.corporate(amount, record.get("CurrencyIsoCode"))
        return plain if code is None else plain * self._rates[code]
