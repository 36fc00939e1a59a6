"""Several currencies: the field on every object, CurrencyType, and each user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.store import Record, Store

FIELD = "CurrencyIsoCode"
_OBJECTS = ("Account", "Contact", "Lead", "Opportunity", "Case", "Task", "Event")
_WITHOUT_DECIMALS = frozenset({"JPY", "KRW"})


def use_currencies(
    store: Store,
    catalog: Catalog,
    saves: Saves,
    codes: Sequence[str],
    rates: Mapping[str, float],
) -> None:
    """Have these currencies, the first of which is the corporate one and everybody's own.

    ``rates`` says how many of each make one of the corporate currency (1 when left out). Records
    that are there already get the corporate currency. ValueError for no code at all.
    """
    if not codes:
        raise ValueError("at least one currency is needed")
    values = [{"value": code, "label": code} for code in codes]
    values[0] |= {"defaultValue": True}  # type: ignore[dict-item]
    shape = {"type": "picklist", "length": 3, "restrictedPicklist": True, "picklistValues": values}
    for name in _OBJECTS:
        if catalog.find(name) is not None:
            labels = {"name": FIELD, "label": f"{name} Currency", "defaultedOnCreate": True}
            catalog.add_field(name, {**shape, **labels})
            schema = catalog.get(name)
            for row in list(store.scan(name, deleted=True)):
                if row.get(FIELD) is None:
                    store.put(schema, row | {FIELD: codes[0]}, row)
    own = {"name": "DefaultCurrencyIsoCode", "label": "Default Currency ISO Code"}
    catalog.add_field("User", {**shape, **own})
    catalog.list_built_in("currencies", "CurrencyType")
    _currency_types(store, catalog, saves, codes, rates)


def _currency_types(
    store: Store,
    catalog: Catalog,
    saves: Saves,
    codes: Sequence[str],
    rates: Mapping[str, float],
) -> None:
    schema = catalog.get("CurrencyType")
    known = {row["IsoCode"]: row for row in store.scan(schema.name, deleted=False)}
    for code in dict.fromkeys([*known, *codes]):
        before = known.get(code)
        row: Record = dict(before or {"Id": saves.new_id(schema), "IsDeleted": False})
        row |= {
            "IsoCode": code,
            "ConversionRate": float(rates.get(code, 1)),
            "DecimalPlaces": 0 if code in _WITHOUT_DECIMALS else 2,
            "IsActive": code in codes,
            "IsCorporate": code == codes[0],
        }
        store.put(schema, row, before)
