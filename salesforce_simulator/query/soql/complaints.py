"""How SOQL errors look: the code, and the block with the caret under the offending place."""

from __future__ import annotations

from salesforce_simulator.errors import OrgError, refuse

#: How far the shown part reaches to either side of the caret before it is widened to whole words.
_REACH = 30
_BETWEEN_WORDS = frozenset(" ,()")

_CUSTOM_FIELD = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom "
    "field name. Please reference your WSDL or the describe call for the appropriate names."
)


def _window(line: str, place: int) -> tuple[str, int]:
    """The part of a line that is shown, and where the caret stands in it.

    Real orgs show the characters around the caret and complete the words at both ends, which commas
    end as blanks do.
    """
    start, last = place - _REACH, place + _REACH
    if start > 0 and line[start] != " ":
        while start > 0 and line[start - 1] not in _BETWEEN_WORDS:
            start -= 1
    if last < len(line) and line[last] != " ":
        while last + 1 < len(line) and line[last + 1] not in _BETWEEN_WORDS:
            last += 1
    start = max(start, 0)
    return line[start : last + 1], place - start


def pointing(text: str, offset: int, message: str) -> str:
    """``\\n<line>\\n<caret>\\nERROR at Row:r:Column:c\\n<message>``, one-based."""
    before = text[:offset]
    row = before.count("\n") + 1
    line_start = before.rfind("\n") + 1
    line_end = text.find("\n", offset)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    column = offset - line_start
    shown, caret = _window(line, column)
    return f"\n{shown}\n{' ' * caret}^\nERROR at Row:{row}:Column:{column + 1}\n{message}"


def complain(text: str, offset: int, message: str, code: str = "MALFORMED_QUERY") -> OrgError:
    """A refusal with the caret block."""
    return refuse(code, pointing(text, offset, message), None)


def misplaced(text: str, offset: int, message: str) -> OrgError:
    """A refusal by the parser: real orgs put the caret one character before the token."""
    line_start = text.rfind("\n", 0, offset) + 1
    return complain(text, max(offset - 1, line_start), message)


def plainly(message: str, code: str = "MALFORMED_QUERY") -> OrgError:
    """A refusal without a place."""
    return refuse(code, message, None)


def not_modelled(what: str) -> OrgError:
    """Valid SOQL that this org does not model: said plainly, so that nobody trusts a guess."""
    return plainly(f"The simulated org does not model {what}")


def no_such_column(text: str, offset: int, name: str, entity: str) -> OrgError:
    """Unknown field, or one that the user may not read."""
    message = f"No such column '{name}' on entity '{entity}'. {_CUSTOM_FIELD}"
    return complain(text, offset, message, "INVALID_FIELD")


_CHILD_SETS_ONLY = frozenset(
    {
        "activityhistory", "openactivity", "attachedcontentdocument", "noteandattachment",
        "combinedattachment",
    }
)  # fmt: skip


def no_such_object(text: str, offset: int, name: str) -> OrgError:
    """Unknown object, or one that the user may not read, or one that is read as a child set."""
    if name.lower() in _CHILD_SETS_ONLY:
        message = f"entity type {name} does not support query"
        return complain(text, offset, message, "INVALID_TYPE_FOR_OPERATION")
    message = (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, "
        "be sure to append the '__c' after the entity name. Please reference your WSDL or the "
        "describe call for the appropriate names."
    )
    return complain(text, offset, message, "INVALID_TYPE")


def no_such_relationship(text: str, offset: int, name: str, where: str) -> OrgError:
    """``where`` is ``field path`` or ``FROM part of query call``."""
    message = (
        f"Didn't understand relationship '{name}' in {where}. If you are attempting to use a "
        "custom relationship, be sure to append the '__r' after the custom relationship name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )
    return complain(text, offset, message, "INVALID_FIELD")
