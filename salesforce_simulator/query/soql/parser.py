"""SOQL by recursive descent. Mixing AND with OR needs parentheses, as the service demands."""

from __future__ import annotations

from dataclasses import replace

from salesforce_simulator.query.soql import conditions
from salesforce_simulator.query.soql.complaints import complain, not_modelled, plainly
from salesforce_simulator.query.soql.stream import TokenStream
from salesforce_simulator.query.soql.tokens import Token, tokens
from salesforce_simulator.query.soql.tree import (
    Aggregate,
    Condition,
    FieldPath,
    FieldsMacro,
    OrderItem,
    Query,
    SelectItem,
    Subquery,
)

#: Keywords that the SOQL reference excludes as aliases; FIRST and LAST are common as field aliases.
_NO_ALIASES = (
    "AND", "ASC", "DESC", "EXCLUDES", "GROUP", "HAVING", "IN", "INCLUDES", "LIKE", "LIMIT", "NOT",
    "NULL", "NULLS", "OR", "SELECT", "USING", "WHERE", "WITH",
)  # fmt: skip
STATEMENT_LIMIT = 100_000
SUBQUERY_LIMIT = 20
OFFSET_LIMIT = 2000
#: Functions that show one field in another way.
_FUNCTIONS = frozenset({"CONVERTCURRENCY"})
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_CLAUSES = (
    "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "USING", "ALL", "UPDATE",
)  # fmt: skip


def parse(text: str) -> Query:
    """The tree of a statement; OrgError (MALFORMED_QUERY and friends) for anything else."""
    if len(text) > STATEMENT_LIMIT:
        raise plainly("SOQL statements can not be longer than 100000 characters")
    stream = TokenStream(text, tokens(text))
    if not stream.peek().is_word("SELECT"):
        first = stream.peek().text
        raise plainly(f"unexpected token: '{first}'")
    query = _query(stream, nested=None)
    if stream.peek().kind != "end":
        raise stream.unexpected()
    return query


def parse_condition(text: str) -> Condition:
    """The tree of a WHERE clause standing alone, for validation rules."""
    stream = TokenStream(text, tokens(text))
    condition = conditions.condition(stream, _semi_join)
    if stream.peek().kind != "end":
        raise stream.unexpected()
    return condition


def _semi_join(stream: TokenStream) -> Query:
    if stream.in_semi_join:
        raise plainly("Nesting of semi join sub-selects is not supported")
    stream.in_semi_join = True
    query = _query(stream, nested="semi-join")
    stream.in_semi_join = False
    return query


def _query(stream: TokenStream, *, nested: str | None) -> Query:
    """``nested`` is None, ``select`` for a child subquery or ``semi-join``."""
    stream.word("SELECT")
    select = [_select_item(stream, nested)]
    while stream.skip(","):
        select.append(_select_item(stream, nested))
    _check_select(stream, select)
    stream.word("FROM")
    source = stream.name()
    alias = None
    following = stream.peek()
    if following.kind == "name" and not following.is_word(*_CLAUSES):
        alias = stream.name().text
    if stream.peek().text == ",":
        raise not_modelled("several objects in FROM")
    where = having = None
    group_by: tuple[FieldPath, ...] = ()
    if stream.peek().is_word("USING"):
        raise not_modelled("USING SCOPE")
    if stream.skip_word("WHERE"):
        where = conditions.condition(stream, _semi_join)
    if stream.peek().is_word("WITH"):
        raise not_modelled("WITH")
    if stream.skip_word("GROUP"):
        stream.word("BY")
        group_by = _paths(stream)
        if stream.skip_word("HAVING"):
            having = conditions.condition(stream, _semi_join)
    _check_aliases(select, bool(group_by))
    order_by = _order_by(stream)
    limit = stream.count("LIMIT")
    offset_token = stream.peek()
    offset = stream.count("OFFSET")
    if offset is not None and offset > OFFSET_LIMIT:
        message = f"Maximum SOQL offset allowed is {OFFSET_LIMIT}"
        raise complain(stream.text, offset_token.offset, message, "NUMBER_OUTSIDE_VALID_RANGE")
    _trailer(stream)
    return Query(
        stream.text, tuple(select), source.text, source.offset, alias, where, group_by, having,
        order_by, limit, offset,
    )  # fmt: skip


def _check_select(stream: TokenStream, select: list[SelectItem]) -> None:
    bare = [i for i in select if isinstance(i, Aggregate) and i.argument is None]
    if bare and len(select) > 1:
        raise stream.unexpected(
            Token("symbol", ",", bare[0].offset)
        )  # COUNT() stands alone in its SELECT list
    if sum(isinstance(item, Subquery) for item in select) > SUBQUERY_LIMIT:
        message = f"maximum {SUBQUERY_LIMIT} sub-queries allowed in a query"
        raise plainly(f"Query is too complicated: {message}", "QUERY_TOO_COMPLICATED")


def _select_item(stream: TokenStream, nested: str | None) -> SelectItem:
    token = stream.peek()
    if token.text == "(" and token.kind == "symbol":
        if nested == "select":
            raise not_modelled("child subqueries below the first level")
        if nested is not None:
            raise stream.unexpected()
        stream.next()
        query = _query(stream, nested="select")
        stream.symbol(")")
        return Subquery(query, token.offset)
    if token.is_word("TYPEOF"):
        raise not_modelled("TYPEOF")
    if token.is_word("FROM", "SELECT", *_CLAUSES):
        raise stream.unexpected()
    name = stream.name()
    if not stream.skip("("):
        return FieldPath(tuple(name.text.split(".")), name.offset, _alias(stream))
    function = name.text.upper()
    if function == "FIELDS":
        which = stream.name().text.upper()
        stream.symbol(")")
        if which not in {"ALL", "STANDARD", "CUSTOM"}:
            raise stream.unexpected(name)
        return FieldsMacro(which, name.offset)
    if function in _FUNCTIONS:
        if nested == "semi-join":
            raise stream.unexpected(name)
        token = stream.name()
        stream.symbol(")")
        names = tuple(token.text.split("."))
        return FieldPath(names, token.offset, _alias(stream), function)
    aggregate = _call(stream, name)
    return replace(aggregate, alias=_alias(stream))


def _alias(stream: TokenStream) -> str | None:
    """The name an item of the SELECT list gets, if it gets one."""
    if stream.peek().kind != "name" or stream.peek().is_word("FROM"):
        return None
    if stream.peek().is_word(*_NO_ALIASES):
        raise stream.unexpected()
    return stream.name().text


def _check_aliases(select: list[SelectItem], grouped: bool) -> None:
    """Fields get other names only where rows are grouped."""
    plain = [item for item in select if isinstance(item, FieldPath) and item.function is None]
    if not grouped and any(item.alias for item in plain):
        raise plainly("only aggregate expressions use field aliasing")


def _call(stream: TokenStream, name: Token) -> Aggregate:
    """The rest of an aggregate after its opening parenthesis."""
    function = name.text.upper()
    if function not in AGGREGATES:
        raise not_modelled(f"the function {name.text}()")
    argument = None
    if stream.peek().text != ")":
        token = stream.name()
        argument = FieldPath(tuple(token.text.split(".")), token.offset)
    elif function != "COUNT":
        raise stream.unexpected()
    stream.symbol(")")
    return Aggregate(function, argument, None, name.offset)


def _paths(stream: TokenStream) -> tuple[FieldPath, ...]:
    paths = []
    while True:
        token = stream.name()
        if stream.peek().text == "(":
            raise not_modelled(f"the function {token.text}() in GROUP BY")
        paths.append(FieldPath(tuple(token.text.split(".")), token.offset))
        if not stream.skip(","):
            return tuple(paths)


def _order_by(stream: TokenStream) -> tuple[OrderItem, ...]:
    if not stream.skip_word("ORDER"):
        return ()
    stream.word("BY")
    items: list[OrderItem] = []
    while True:
        token = stream.name()
        subject: FieldPath | Aggregate = FieldPath(tuple(token.text.split(".")), token.offset)
        if stream.skip("("):
            subject = _call(stream, token)
        descending = stream.skip_word("DESC")
        if not descending:
            stream.skip_word("ASC")
        nulls_first = None
        if stream.skip_word("NULLS"):
            nulls_first = stream.skip_word("FIRST")
            if not nulls_first:
                stream.word("LAST")
        items.append(OrderItem(subject, descending, nulls_first))
        if not stream.skip(","):
            return tuple(items)


def _trailer(stream: TokenStream) -> None:
    """FOR VIEW and FOR REFERENCE only touch the list of recently seen records."""
    while stream.skip_word("FOR"):
        if not (stream.skip_word("VIEW") or stream.skip_word("REFERENCE")):
            raise not_modelled(f"FOR {stream.peek().text}")
    if stream.peek().is_word("ALL"):
        stream.next()
        stream.word("ROWS")
        raise plainly("ALL ROWS is not allowed here, use queryAll")
    if stream.peek().is_word("UPDATE"):
        raise not_modelled("UPDATE TRACKING and UPDATE VIEWSTAT")
