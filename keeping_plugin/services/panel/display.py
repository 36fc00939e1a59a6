"""Salesforce values as people read them. Plain text always: whoever prints it escapes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import quote

from keeping_plugin.fieldtypes import ShownAs, field_type
from keeping_plugin.locales import Reader
from keeping_plugin.mail.rich_text import as_text
from keeping_plugin.mail.tags import without_tags
from keeping_plugin.services.panel.cards import name_path
from keeping_plugin.services.panel.money import currency_of, is_amount, places
from keeping_plugin.services.schema.fields import is_compound, is_lookup, is_rich, parts
from keeping_plugin.types import FieldSpec, ObjectSchema, Record, Value

NOBODY = Reader()


class Shown(NamedTuple):
    """A value in words, "" when there is none; `href` is a safe link it stands for, or ""."""

    text: str
    href: str = ""


def shown(schema: ObjectSchema, record: Record, name: str, reader: Reader = NOBODY) -> Shown:
    """One field of a record, as this person reads it."""
    spec = schema.fields.get(name)
    value = record.fields.get(name)
    if spec is None:
        return Shown("" if value is None else str(value))
    if is_lookup(spec):
        path = name_path(schema, name)
        named = record.fields.get(path) if path else None
        return Shown(str(named or value or ""))
    if isinstance(value, Mapping):
        return _compound(_with_labels(schema, name, value))
    if value is None and is_compound(schema, name):
        found = (
            of_value(part, record.fields.get(part.name), reader=reader)
            for part in parts(schema, name)
        )
        return Shown(", ".join(one.text for one in found if one.text))
    currency = currency_of(schema, spec, record.fields)
    return of_value(spec, value, currency=currency, reader=reader)


def of_value(
    spec: FieldSpec, value: Value, *, currency: str = "", reader: Reader = NOBODY
) -> Shown:
    """A plain value, without the record around it; `currency` is the ISO code of an amount's."""
    if value is None or value == "":
        return Shown("")
    if isinstance(value, Mapping):
        return _compound(value)
    as_ = field_type(spec.type).shown
    if as_ is ShownAs.YES_NO:
        return Shown("Yes" if value else "No")
    if as_ in _IN_WORDS or isinstance(value, bool | str):
        return _text(spec, str(value), reader)
    return Shown(_number(spec, value, currency, reader))


_LINE_END = re.compile(r"<br\s*/?>|</p>|</li>", re.IGNORECASE)


def _text(spec: FieldSpec, text: str, reader: Reader) -> Shown:
    as_ = field_type(spec.type).shown
    if as_ in _IN_WORDS:
        return Shown(_IN_WORDS[as_](spec, text, reader))
    if is_rich(spec):
        return Shown(without_tags(_LINE_END.sub("\n", text)).strip())
    return Shown(text, _LINKS[as_](text.strip()) if as_ in _LINKS else "")


def _labels(spec: FieldSpec, chosen: Iterable[str]) -> str:
    labels = {value.value: value.label for value in spec.picklist}
    return ", ".join(labels.get(one, one) for one in chosen)


def _mail_link(text: str) -> str:
    if "@" in text[1:-1] and not re.search(r"[\s<>\"']", text):
        return "mailto:" + quote(text, safe="@.+-_")
    return ""


def _dial_link(text: str) -> str:
    if len(re.sub(r"\D", "", text)) < 3:
        return ""
    # +49 (0)30: the zero is dialled only without the country's code.
    dialled = text.replace("(0)", "") if text.startswith("+") else text
    return "tel:" + re.sub(r"[^\d+*#]", "", dialled)


def _web_link(text: str) -> str:
    if re.search(r"[\s\x00-\x1f\"'<>\\]", text):
        return ""
    if re.match(r"https?://[^/]", text, re.IGNORECASE):
        return text
    return "https://" + text if re.match(r"[\w-]+(\.[\w-]+)+([/?#]|$)", text) else ""


# Only http, https, mailto and tel; whatever else a CRM field says is text.
_LINKS: Mapping[ShownAs, Callable[[str], str]] = {
    ShownAs.MAIL_LINK: _mail_link,
    ShownAs.DIAL_LINK: _dial_link,
    ShownAs.WEB_LINK: _web_link,
}


def _number(spec: FieldSpec, value: float, currency: str, reader: Reader) -> str:
    number = Decimal(repr(value))  # never through float: JSON may hold more digits than one has
    if not number.is_finite():
        return str(value)
    if number == number.to_integral_value():
        number = number.to_integral_value()
    text = reader.number(number, places(spec, number, currency) if is_amount(spec) else 0)
    if currency:
        return f"{currency} {text}"
    return f"{text} %" if field_type(spec.type).shown is ShownAs.PERCENT else text


def _with_labels(
    schema: ObjectSchema, name: str, value: Mapping[str, object]
) -> Mapping[str, object]:
    """An address with its state and country as the org's lists call them: beside each code stands
    what other systems call it, which may be anything."""
    named = dict(value)
    for part in parts(schema, name):
        for key in ("state", "country"):
            code = value.get(f"{key}Code")
            if code and part.name.lower().endswith(f"{key}code"):
                labels = {entry.value: entry.label for entry in part.picklist}
                named[key] = labels.get(str(code), value.get(key) or code)
    return named


def _compound(value: Mapping[str, object]) -> Shown:
    if "street" not in value and "latitude" in value:
        return Shown(f"{value.get('latitude')}, {value.get('longitude')}")
    city = " ".join(str(value[key]) for key in ("postalCode", "city") if value.get(key))
    lines = [value.get("street"), city, value.get("state"), value.get("country")]
    return Shown("\n".join(str(line) for line in lines if line))


def has_formats(spec: FieldSpec, value: Value) -> bool:
    """Whether it is rich text that an editor of plain text would spoil."""
    return is_rich(spec) and isinstance(value, str) and as_text(value) is None


def day(text: str, reader: Reader = NOBODY) -> str:
    """2026-05-06 as 6 May 2026; anything else as it came."""
    try:
        return reader.day(date.fromisoformat(text))
    except ValueError:
        return text


def moment_of(text: str) -> datetime | None:
    """A moment as Salesforce writes it; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _moment(text: str, reader: Reader) -> str:
    found = moment_of(text)
    try:
        return reader.moment(found) if found else text
    except OverflowError:  # its offset carries it past the first or the last year
        return text


_IN_WORDS: Mapping[ShownAs, Callable[[FieldSpec, str, Reader], str]] = {
    ShownAs.LABEL: lambda spec, text, reader: _labels(spec, [text]),
    ShownAs.LABELS: lambda spec, text, reader: _labels(spec, text.split(";")),
    ShownAs.DAY: lambda spec, text, reader: day(text, reader),
    ShownAs.MOMENT: lambda spec, text, reader: _moment(text, reader),
    ShownAs.TIME: lambda spec, text, reader: text[:5],
}


def short_age(seconds: float) -> str:
    """How long ago, where room is short: just now, 5 min, 3 h, 2 days. keys.js goes on counting."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min ago" if minutes else "just now"
    hours = minutes // 60
    return f"{hours} h ago" if hours < 24 else age(seconds)


def relative(seconds: float) -> str:
    """How long ago, or in how long, for a month either way; "" for what lies further off."""
    if abs(seconds) >= 30 * 86_400:
        return ""
    told = age(abs(seconds))
    return told if seconds >= 0 or told == "just now" else f"in {told.removesuffix(' ago')}"


def age(seconds: float) -> str:
    """How long ago: just now, 5 minutes, 3 hours, 2 days."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
