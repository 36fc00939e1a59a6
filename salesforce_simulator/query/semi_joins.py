"""What the SOQL reference allows of a semi-join, and how it refuses the rest.

The rules are "Considerations for Semi-Join and Anti-Join Queries" of the SOQL and SOSL Reference.
"""

from __future__ import annotations

from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.query.binding import BoundField, Scope
from salesforce_simulator.query.soql.complaints import complain, plainly
from salesforce_simulator.query.soql.tree import FieldPath, Query

_TOP_LEVEL = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested "
    "WHERE expressions."
)
_NEVER_INSIDE = frozenset(
    {"ActivityHistory", "Attachment", "Event", "Note", "OpenActivity", "Task"}
)


def check_semi_join(
    scope: Scope, outer: ObjectSchema, left: BoundField, query: Query, *, nested: bool
) -> None:
    """Refuse (OrgError, MALFORMED_QUERY) what may not stand in ``left IN (SELECT …)``.

    ``nested``: it stands below an OR, a NOT, parentheses or in a subquery.
    """
    if nested:
        raise plainly(_TOP_LEVEL)
    if left.steps:
        message = f"The left operand '{left.text}' cannot have more than one level of relationships"
        raise complain(scope.text, left.offset, message)
    if left.field.type not in {"id", "reference"}:
        message = (
            "The left operand field in the where expression for outer query should be an "
            f"id field, cannot use: '{left.field.name}'"
        )
        raise complain(scope.text, left.offset, message)
    inner = scope.object(query.source, query.source_offset)
    if inner.name in _NEVER_INSIDE or inner.name.endswith("Tag"):
        raise plainly(f"Entity '{inner.name}' is not supported for semi join inner selects")
    selected = _selected(scope, inner, query)
    if inner is outer:
        raise plainly("The inner and outer selects should not be on the same object type")
    if not _points_at(outer, left.field) & _points_at(inner, selected.field):
        message = (
            f"The selected field '{selected.field.name}' in the subquery and the left operand "
            f"field in the where expression in the outer query '{left.field.name}' should point "
            "to the same object type"
        )
        raise complain(scope.text, left.offset, message)


def _selected(scope: Scope, inner: ObjectSchema, query: Query) -> BoundField:
    """The one field that the inner SELECT names."""
    item = query.select[0]
    if len(query.select) != 1 or not isinstance(item, FieldPath) or query.group_by:
        raise plainly("Semi join sub-selects must select exactly one field")
    if query.order_by or query.limit is not None or query.offset is not None:
        raise plainly("Semi join sub-selects can not use ORDER BY, LIMIT or OFFSET")
    bound = scope.bind(inner, item, query.alias)
    if bound.steps:
        message = (
            f"The inner select field '{bound.text}' cannot have more than one level of "
            "relationships"
        )
        raise complain(scope.text, bound.offset, message)
    return bound


def _points_at(schema: ObjectSchema, field: FieldSchema) -> set[str]:
    """The objects whose ids a field holds."""
    if field.type == "id":
        return {schema.name}
    return set(field.references) if field.type == "reference" else set()
