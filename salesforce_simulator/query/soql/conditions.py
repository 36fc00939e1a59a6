"""The conditions of WHERE and HAVING.

Grammar of the SOQL reference: a condition is one AND chain, one OR chain, one NOT or one simple
expression; anything else needs parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from salesforce_simulator.query.soql.complaints import not_modelled, plainly
from salesforce_simulator.query.soql.dates import COUNTED_RANGES, RANGES
from salesforce_simulator.query.soql.stream import TokenStream
from salesforce_simulator.query.soql.tokens import Token
from salesforce_simulator.query.soql.tree import (
    Aggregate,
    And,
    Comparison,
    Condition,
    FieldPath,
    Inclusion,
    Literal,
    Membership,
    Not,
    Or,
    Query,
)

SemiJoin = Callable[[TokenStream], Query]
NESTING_LIMIT = 50
#: An amount in a currency, ``USD5000``; decimals are a token of their own.
_MONEY = re.compile(r"[A-Za-z]{3}\d+\Z")
_OPERATORS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})


def condition(stream: TokenStream, semi_join: SemiJoin) -> Condition:
    """A whole condition."""
    if stream.peek().is_word("NOT"):
        stream.next()
        negated = Not(_simple(stream, semi_join))
        if stream.peek().is_word("AND", "OR"):
            raise stream.unexpected()
        return negated
    first = _simple(stream, semi_join)
    for word, kind in (("AND", And), ("OR", Or)):
        if stream.peek().is_word(word):
            items = [first]
            while stream.skip_word(word):
                items.append(_operand(stream, semi_join))
            if stream.peek().is_word("AND", "OR"):
                raise stream.unexpected()
            return kind(tuple(items))
    return first


def _operand(stream: TokenStream, semi_join: SemiJoin) -> Condition:
    if stream.skip_word("NOT"):
        return Not(_simple(stream, semi_join))
    return _simple(stream, semi_join)


def _simple(stream: TokenStream, semi_join: SemiJoin) -> Condition:
    if stream.skip("("):
        stream.depth += 1
        if stream.depth > NESTING_LIMIT:
            raise plainly("Query is too complicated", "QUERY_TOO_COMPLICATED")
        inner = condition(stream, semi_join)
        stream.symbol(")")
        stream.depth -= 1
        return inner
    return _field_expression(stream, semi_join)


def _field_expression(stream: TokenStream, semi_join: SemiJoin) -> Condition:
    name = stream.name()
    if name.is_word("AND", "OR", "NOT", "IN", "LIKE"):
        raise stream.unexpected(name)
    subject: FieldPath | Aggregate = FieldPath(tuple(name.text.split(".")), name.offset)
    if stream.skip("("):
        if name.text.upper() not in _AGGREGATES:
            raise not_modelled(f"the function {name.text}() in a condition")
        argument = None
        if not stream.skip(")"):
            inner = stream.name()
            argument = FieldPath(tuple(inner.text.split(".")), inner.offset)
            stream.symbol(")")
        subject = Aggregate(name.text.upper(), argument, None, name.offset)
    operator = stream.peek()
    if operator.kind == "symbol" and operator.text in _OPERATORS:
        stream.next()
        sign = "!=" if operator.text == "<>" else operator.text
        return Comparison(subject, sign, _literal(stream), name.offset)
    if stream.skip_word("LIKE"):
        if stream.peek().kind != "string":
            raise stream.unexpected()
        return Comparison(subject, "LIKE", _literal(stream), name.offset)
    negated = False
    if operator.is_word("NOT") and stream.peek(1).is_word("IN"):
        stream.next()
        negated = True
    if stream.skip_word("IN"):
        return Membership(subject, negated, _members(stream, semi_join), name.offset)
    if operator.is_word("INCLUDES", "EXCLUDES") and isinstance(subject, FieldPath):
        stream.next()
        return Inclusion(subject, operator.is_word("EXCLUDES"), _literal_list(stream), name.offset)
    raise stream.unexpected()


def _members(stream: TokenStream, semi_join: SemiJoin) -> tuple[Literal, ...] | Query:
    if stream.peek().text == ":":
        raise stream.unexpected()
    if stream.peek(1).is_word("SELECT"):
        stream.symbol("(")
        query = semi_join(stream)
        stream.symbol(")")
        return query
    return _literal_list(stream)


def _literal_list(stream: TokenStream) -> tuple[Literal, ...]:
    stream.symbol("(")
    values = [_literal(stream)]
    while stream.skip(","):
        values.append(_literal(stream))
    stream.symbol(")")
    return tuple(values)


def _adjacent(token: Token, following: Token) -> bool:
    return token.offset + len(token.text) == following.offset


def _literal(stream: TokenStream) -> Literal:
    token = stream.next()
    if token.kind in {"string", "number", "date", "datetime", "time"}:
        return Literal(token.kind, token.text, token.offset)
    if token.kind == "name":
        word = token.text.upper()
        if word == "NULL":
            return Literal("null", word, token.offset)
        if word in {"TRUE", "FALSE"}:
            return Literal("boolean", word, token.offset)
        if _MONEY.match(token.text):
            cents = stream.peek()
            if cents.kind == "number" and cents.text[0] == "." and _adjacent(token, cents):
                stream.next()
                return Literal("money", token.text + cents.text, token.offset)
            return Literal("money", token.text, token.offset)
        if word in RANGES:
            return Literal("range", word, token.offset)
        if word in COUNTED_RANGES:
            stream.symbol(":")
            return Literal("range", word, token.offset, stream.whole_number())
    raise stream.unexpected(token)
