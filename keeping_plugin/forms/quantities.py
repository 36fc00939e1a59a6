"""Numbers, dates, times and moments: printed and read as the person writes them, strictly.

Without a `reader` (a program's JSON) numbers are in plain notation and moments in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from keeping_plugin.fieldtypes import ShownAs, field_type
from keeping_plugin.forms import widgets
from keeping_plugin.forms.controls import Control
from keeping_plugin.locales import Reader, is_unclear, plain_number
from keeping_plugin.services.panel.money import is_amount, places
from keeping_plugin.types import Value

# Salesforce keeps at most 18 digits of a number, before and after the point together (Field Types,
# double); nobody types more characters than that for one, unless for the sake of it.
_MAX_DIGITS = 18
_MAX_TYPED = 64  # characters, of a date or a time as well
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


class NumberControl(Control):
    """int, double, currency and percent. Percent is 10 for 10 %, as Salesforce has it. `currency`
    is the ISO code of an amount's, "" where the org has one currency."""

    widget = widgets.Text("text", inputmode="decimal")
    currency = ""
    # What an unclear text may mean: as people read it, and as it is sent back.
    readings: tuple[tuple[str, str], ...] = ()

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        self._text = str(valuelist[-1]) if valuelist else ""
        super().process_formdata(valuelist)

    @property
    def echo(self) -> str:
        """The value with its groups, as it is printed beside the box; "" for what is none."""
        if self.reader is None or not isinstance(self.data, int | float) or self.process_errors:
            return ""
        return self.reader.number(Decimal(repr(self.data)).normalize())  # 18400.0 is 18,400

    def print_(self, value: Value) -> str:
        plain = self._plain(value)
        return plain.replace(".", self.reader.decimal) if self.reader is not None else plain

    def _plain(self, value: Value) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        number = Decimal(repr(value))
        plain = f"{number:f}"
        if "." in plain:
            plain = plain.rstrip("0").rstrip(".")
        if is_amount(self.spec) and number.is_finite():
            whole, _, cents = plain.partition(".")
            cents = cents.ljust(places(self.spec, number, self.currency), "0")
            plain = f"{whole}.{cents}" if cents else whole
        return plain

    def tidy(self, text: str) -> str:
        if self.reader is not None:
            return plain_number(super().tidy(text), self.reader.decimal)
        tidy = "".join(super().tidy(text).split()).replace("\N{MINUS SIGN}", "-")
        return tidy.replace(",", "") if _GROUPED.fullmatch(tidy) else tidy

    def parse(self, text: str) -> Value:
        if self.reader is not None and is_unclear(self._text):
            self._ask(self.reader)
        if "," in text and self.reader is None:
            raise ValueError("Use a point before the decimals, such as 1234.50.")
        if len(text) > _MAX_TYPED:
            raise ValueError("Enter a number.")
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise ValueError("Enter a number.") from error
        if not number.is_finite():
            raise ValueError("Enter a number.")
        whole, decimals = _digits(number)
        self._check_digits(whole, decimals)
        # Only now: a few typed characters such as 1e500000 may stand for half a million digits.
        return float(number) if decimals else int(number)

    def _ask(self, reader: Reader) -> NoReturn:
        """54.500 is either: the person says which, of the numbers that this field can hold."""
        readings = []
        for decimal in (".", ","):
            number = Decimal(plain_number(self._text, decimal))
            try:
                self._check_digits(*_digits(number))
            except ValueError:
                continue
            # A fourth decimal makes clear what it is, when it comes back.
            sent = f"{number:.4f}" if number != number.to_integral_value() else f"{number:.0f}"
            readings.append((reader.number(number.normalize()), sent))
        self.readings = tuple(sorted(readings, reverse=True))
        raise ValueError(f"Do you mean {' or '.join(shown for shown, _ in self.readings)}?")

    def _check_digits(self, whole: int, decimals: int) -> None:
        spec = self.spec
        if field_type(spec.type).shown is ShownAs.WHOLE_NUMBER:
            if decimals:
                raise ValueError("Enter a whole number.")
            digits = min(spec.digits or _MAX_DIGITS, _MAX_DIGITS)
            if whole > digits:
                raise ValueError(f"Use at most {digits} digits.")
            return
        if not spec.precision:
            if whole + decimals > _MAX_DIGITS:
                raise ValueError(f"Use at most {_MAX_DIGITS} digits.")
            return
        if decimals > spec.scale:
            raise ValueError(
                f"Use at most {spec.scale} digits after the point."
                if spec.scale
                else "Enter a whole number."
            )
        room = max(0, min(spec.precision, _MAX_DIGITS) - spec.scale)
        if whole > room:
            raise ValueError(f"Use at most {room} digits before the point.")


def _digits(number: Decimal) -> tuple[int, int]:
    """How many digits a number has before and after the point when it is written out, told from
    its exponent alone: `Decimal` arithmetic and `int()` would write them out."""
    _, digits, exponent = number.as_tuple()
    if not number or not isinstance(exponent, int):
        return 0, 0
    spare = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(0, number.adjusted() + 1), max(0, -(exponent + spare))


class CoordinateControl(NumberControl):
    """Latitude or longitude, in degrees."""

    def check(self) -> None:
        limit = 90 if "latitude" in self.spec.name.lower() else 180
        if isinstance(self.data, int | float) and abs(self.data) > limit:
            raise ValueError(f"Enter a value between -{limit} and {limit} degrees.")


class DateControl(Control):
    widget = widgets.Text("date")

    def tidy(self, text: str) -> str:
        tidy = super().tidy(text)
        try:
            return self.reader.read_day(tidy).isoformat() if self.reader is not None else tidy
        except ValueError:
            return tidy

    def parse(self, text: str) -> Value:
        try:
            found = date.fromisoformat(text)
        except ValueError as error:
            raise ValueError("Enter a date, such as 2026-05-06.") from error
        # What Salesforce holds (Field Types, date).
        if not 1700 <= found.year <= 4000:
            raise ValueError("Salesforce accepts dates between the years 1700 and 4000.")
        return found.isoformat()


class DateTimeControl(Control):
    """A moment, shown and typed in the person's time zone, which the label says."""

    widget = widgets.Text("datetime-local", step="1")

    def print_(self, value: Value) -> str:
        if not isinstance(value, str):
            return ""
        moment = parse_moment(value)
        if moment is None:
            return value
        return moment.astimezone(self._zone).replace(tzinfo=None).isoformat(timespec="seconds")

    @property
    def _zone(self) -> tzinfo:
        return self.reader.tz if self.reader is not None else UTC

    def tidy(self, text: str) -> str:
        tidy = super().tidy(text)
        return f"{tidy}:00" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", tidy) else tidy

    def parse(self, text: str) -> Value:
        moment = parse_moment(text, self._zone)
        if moment is None:
            raise ValueError("Enter a date and a time, such as 2026-05-06T14:30.")
        typed = datetime.fromisoformat(text)
        if typed.tzinfo is None and moment.astimezone(self._zone).replace(tzinfo=None) != typed:
            raise ValueError("The clocks go forward that day, so this time does not exist.")
        if not 1700 <= moment.year <= 4000:
            raise ValueError("Salesforce accepts dates between the years 1700 and 4000.")
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class TimeControl(Control):
    widget = widgets.Text("time", step="1")

    def print_(self, value: Value) -> str:
        return value[:8] if isinstance(value, str) else ""

    def tidy(self, text: str) -> str:
        tidy = super().tidy(text)
        return f"{tidy}:00" if re.fullmatch(r"\d\d:\d\d", tidy) else tidy

    def parse(self, text: str) -> Value:
        try:
            # Python reads any number of digits as fractions of a second.
            if len(text) > _MAX_TYPED:
                raise ValueError
            found = time.fromisoformat(text)
        except ValueError as error:
            raise ValueError("Enter a time, such as 14:30.") from error
        return found.strftime("%H:%M:%S.000Z")


def parse_moment(text: str, zone: tzinfo = UTC) -> datetime | None:
    """A moment as Salesforce writes it (`+0000`, no colon) or a browser does (in `zone`)."""
    if len(text) > _MAX_TYPED:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):  # its offset may carry it past the year 9999
        return None
