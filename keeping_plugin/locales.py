"""How a person writes numbers, days and times: by CLDR's conventions of their locale and in their
own time zone."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, parse_date
from babel.numbers import format_decimal, get_decimal_symbol

from keeping_plugin.time_zones import zone

_MAX_DIGITS = 18
_MAX_TYPED = 64
_SIGNED = re.compile(r"([+-]?)(\d.*|[.,]\d+)", re.ASCII)
_IN_GROUPS = re.compile(r"\d{1,3}(?:([.,])\d{2,3})(?:\1\d{2,3})*", re.ASCII)
_UNCLEAR = re.compile(r"[+-]?(?!0[.,])\d{1,3}[.,]\d{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reader:
    """`locale` is one of CLDR's ("de_CH"); "" is international English with a 24-hour clock.
    `zone` is an IANA name."""

    locale: str = ""
    zone: str = "UTC"

    @classmethod
    def named(cls, tags: list[str], zone_name: str) -> Reader:
        """The first of these tags ("de-CH") that CLDR knows, with or without its region."""
        known = (found for tag in tags for found in (_locale(tag), _locale(tag[:2])) if found)
        return cls(next(known, ""), "UTC" if zone(zone_name) is UTC else zone_name)

    @property
    def tz(self) -> tzinfo:
        return zone(self.zone)

    @property
    def decimal(self) -> str:
        """What stands before the decimals: "." or ","."""
        return get_decimal_symbol(self._cldr, numbering_system="latn")

    @property
    def tag(self) -> str:
        """The locale as browsers call it."""
        return self.locale.replace("_", "-") or "en-GB"

    @property
    def _cldr(self) -> str:
        return self.locale or "en_001"

    def number(self, value: Decimal, places: int = 0) -> str:
        """A number with its groups, and at least so many decimals: 54.500,00."""
        if value.adjusted() > _MAX_DIGITS:  # Babel computes with 28 digits; Salesforce has 18
            return f"{value:,f}"
        exponent = value.as_tuple().exponent
        needed = max(places, -exponent if isinstance(exponent, int) else 0)
        pattern = "#,##0" + ("." + "0" * needed if needed else "")
        return format_decimal(value, pattern, self._cldr, numbering_system="latn")

    def day(self, value: date) -> str:
        return format_date(value, "long", self._cldr)

    def short_day(self, value: date) -> str:
        """A day without its year, which is shown elsewhere: 6 May."""
        return format_skeleton("MMMd", value, locale=self._cldr)

    def moment(self, value: datetime) -> str:
        """A moment in the person's zone, which is told only where it is nobody's own."""
        at = value.astimezone(self.tz)
        style = "short" if self.locale else "HH:mm"
        text = f"{self.day(at.date())}, {format_time(at.time(), style, locale=self._cldr)}"
        return f"{text} UTC" if at.tzname() == "UTC" else text

    def read_day(self, text: str) -> date:
        """A day as the person writes it, or as a browser's date field sends it. Raises
        ValueError."""
        text = unicodedata.normalize("NFKC", text)
        try:
            return date.fromisoformat(text)
        except ValueError:
            if not re.fullmatch(r"\d{1,4}\W{1,2}\d{1,2}\W{1,2}\d{4}|\d{4}\D\d\d?\D\d\d?\D?", text):
                raise
        try:
            return parse_date(text, locale=self._cldr)
        except (IndexError, LookupError) as error:
            raise ValueError(text) from error


@lru_cache(maxsize=1024)  # Babel reads files for what it does not know
def _locale(tag: str) -> str:
    try:
        return str(Locale.parse(tag, sep="-" if "-" in tag else "_"))
    except (UnknownLocaleError, ValueError):
        return ""


def plain_number(text: str, decimal: str = ".") -> str:
    """A number as people write it, in plain notation (-54500.5); what is none comes back as it
    was. Full-width digits, blanks and apostrophes between groups are understood, and so is either
    separator, whatever the locale: only where one separator is followed by three digits
    (`is_unclear`) does `decimal` say which it is."""
    tidy = re.sub(r"[\s'’]", "", unicodedata.normalize("NFKC", text)).replace("\N{MINUS SIGN}", "-")
    found = _SIGNED.fullmatch(tidy)
    if found is None or len(tidy) > _MAX_TYPED:
        return tidy
    sign, digits = found.groups()
    separators = re.findall("[.,]", digits)
    if not separators:
        return tidy
    last = separators[-1]
    whole, _, cents = digits.rpartition(last)
    if is_unclear(tidy):
        return sign + whole + ("." if last == decimal else "") + cents
    if len(separators) > 1 and last == separators[0]:  # 1.234.567
        grouped = _IN_GROUPS.fullmatch(digits) and len(cents) == 3
        return sign + digits.replace(last, "") if grouped else tidy
    if len(separators) > 1 and (separators.count(last) > 1 or not _IN_GROUPS.fullmatch(whole)):
        return tidy
    return f"{sign}{re.sub('[.,]', '', whole)}.{cents}"


def is_unclear(text: str) -> bool:
    """Whether one separator is followed by three digits: 54.500 is either, and nobody guesses."""
    tidy = re.sub(r"[\s'’]", "", unicodedata.normalize("NFKC", text[:_MAX_TYPED]))
    return _UNCLEAR.fullmatch(tidy.replace("\N{MINUS SIGN}", "-")) is not None
