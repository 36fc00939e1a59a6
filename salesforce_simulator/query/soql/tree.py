"""The syntax tree of a query. ``offset`` is where the thing stands in the statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as Choice

LiteralKind = Choice[
    "string", "number", "money", "boolean", "null", "date", "datetime", "time", "range"
]


@dataclass(frozen=True, slots=True)
class FieldPath:
    """``Account.Owner.Name`` as written.

    ``alias`` is only in the SELECT list of a grouped query, or with a ``function``, which is
    CONVERTCURRENCY.
    """

    names: tuple[str, ...]
    offset: int
    alias: str | None = None
    function: str | None = None

    @property
    def text(self) -> str:
        """The path as written."""
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``COUNT(Id) total``: function in upper case; no argument only for ``COUNT()``."""

    function: str
    argument: FieldPath | None
    alias: str | None
    offset: int


@dataclass(frozen=True, slots=True)
class FieldsMacro:
    """``FIELDS(ALL | STANDARD | CUSTOM)``."""

    which: str
    offset: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: strings still escaped, numbers, dates and money (``USD5000``) as written, ranges
    like TODAY upper-case.

    ``count`` is the n of ``LAST_N_DAYS:n``.
    """

    kind: LiteralKind
    text: str
    offset: int
    count: int | None = None


@dataclass(frozen=True, slots=True)
class And:
    """All hold."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One holds."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    item: Condition


@dataclass(frozen=True, slots=True)
class Comparison:
    """``subject operator value``; operators ``= != < <= > >= LIKE``."""

    subject: FieldPath | Aggregate
    operator: str
    value: Literal
    offset: int


@dataclass(frozen=True, slots=True)
class Membership:
    """``subject [NOT] IN (…)``: literals or a semi-join."""

    subject: FieldPath | Aggregate
    negated: bool
    values: tuple[Literal, ...] | Query
    offset: int


@dataclass(frozen=True, slots=True)
class Inclusion:
    """``subject INCLUDES | EXCLUDES ('A;B','C')``."""

    subject: FieldPath
    negated: bool
    values: tuple[Literal, ...]
    offset: int


Condition = And | Or | Not | Comparison | Membership | Inclusion


@dataclass(frozen=True, slots=True)
class OrderItem:
    """``nulls_first`` None leaves it to the rule (first)."""

    subject: FieldPath | Aggregate
    descending: bool
    nulls_first: bool | None


@dataclass(frozen=True, slots=True)
class Subquery:
    """``(SELECT … FROM Cases …)`` in a SELECT list."""

    query: Query
    offset: int


SelectItem = FieldPath | Aggregate | FieldsMacro | Subquery


@dataclass(frozen=True, slots=True)
class Query:
    """A whole statement or a part in parentheses. ``text`` is the outermost statement."""

    text: str
    select: tuple[SelectItem, ...]
    source: str
    source_offset: int
    alias: str | None
    where: Condition | None
    group_by: tuple[FieldPath, ...]
    having: Condition | None
    order_by: tuple[OrderItem, ...]
    limit: int | None
    offset: int | None

    @property
    def counts_only(self) -> bool:
        """``SELECT COUNT() FROM …``."""
        first = self.select[0]
        return isinstance(first, Aggregate) and first.argument is None
