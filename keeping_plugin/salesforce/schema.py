"""Answers to describe."""

from __future__ import annotations

from keeping_plugin.salesforce import errors
from keeping_plugin.salesforce.queries.payloads import Malformed
from keeping_plugin.salesforce.wire.client import Answer
from keeping_plugin.types import Described
from keeping_plugin.types.describe_result import schema_of

_DATE = 64  # "Wed, 06 May 2026 09:49:20 GMT", and room


def described(object: str, answer: Answer, last_modified: str) -> Described | None:
    """An answer to describe: the schema, or none when nothing changed since `last_modified`; None
    when the user does not see the object. Raises what a refusal means, Malformed."""
    # A composite's headers are JSON, which may hold anything.
    modified = str(answer.headers.get("Last-Modified", ""))
    if len(modified) > _DATE:
        modified = ""  # nothing that could be sent back, or kept
    if answer.status == 304:
        return Described(object, None, modified or last_modified)
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise errors.of_answer(answer, write=False)
    try:
        schema = schema_of(answer.body, object)
    except ValueError as error:
        raise Malformed("not a describe result") from error
    if schema.name != object:
        raise Malformed("the describe result of another object")
    return Described(object, schema, modified)
