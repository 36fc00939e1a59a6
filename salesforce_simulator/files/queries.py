"""What SOQL asks of files: links by their ends, and the files that an open question leaves out."""

from __future__ import annotations

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.files.described import DOCUMENT, LINK, VERSION
from salesforce_simulator.query.soql.tree import And, Comparison, Condition, FieldPath, Membership
from salesforce_simulator.results import User
from salesforce_simulator.store import Record

_ENDS = frozenset({"id", "contentdocumentid", "linkedentityid"})


def check_query(object_name: str, where: Condition | None) -> None:
    """MALFORMED_QUERY for links that are asked for by anything but their ends."""
    if object_name == LINK and not _by_an_end(where):
        raise _restriction()


def _by_an_end(where: Condition | None) -> bool:
    match where:
        case And(items):
            return any(_by_an_end(item) for item in items)
        case Comparison(FieldPath() as path, "="):
            return path.names[-1].lower() in _ENDS
        case Membership(FieldPath() as path, False):
            return path.names[-1].lower() in _ENDS
    return False


def hidden_without_filter(user: User, object_name: str, record: Record) -> bool:
    """A question without a condition shows nobody the files that records alone share with them,
    unless they may *Query All Files*: here, those of other owners."""
    if object_name not in {VERSION, DOCUMENT} or "query_all_files" in user.permissions:
        return False
    return record.get("OwnerId") != user.id


def _restriction() -> OrgError:
    message = (
        "Implementation restriction: ContentDocumentLink requires a filter by a single Id on "
        "ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the "
        "IN operator."
    )
    return refuse("MALFORMED_QUERY", message, None)
