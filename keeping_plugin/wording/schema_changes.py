"""What changed in Salesforce's fields since they were last read, and what it means for agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from keeping_plugin.wording.errors import TITLES
from keeping_plugin.wording.pauses import PAUSES


class ChangeText(NamedTuple):
    """One change: a tag, and what it means. `link`, where there is one, leads to the fields tab
    on which something can be done about it."""

    tag: str
    tone: str
    text: str
    link: str = ""


_TAGS: Mapping[str, tuple[str, str]] = {
    "new": ("New", "good"),
    "removed": ("Removed", "bad"),
    "hidden": ("Hidden", "bad"),
    "shown": ("Visible again", ""),
    "retyped": ("Type changed", "warn"),
    "required": ("Now required", "warn"),
    "optional": ("No longer required", ""),
    "read_only": ("Now read-only", "warn"),
    "unfilterable": ("Cannot be filtered", "warn"),
}

_NOT_SHOWN = "You are not showing it."


def change_text(
    kind: str,
    *,
    shown: bool,
    was_required: bool,
    label: str,
    was: str,
    now: str,
    finds: bool = False,
) -> ChangeText:
    """A change of a field, or of the whole object for `hidden` and `shown`. `shown`: agents see
    the field, or did until now; `finds`: people are found by it; `label` is the object's, `was` and
    `now` are names of types."""
    tag, tone = _TAGS[kind]
    if kind == "new" and not (shown or finds):
        return ChangeText(tag, tone, "", "Show it to agents")
    text = _text(kind, shown, was_required, label, was, now)
    return ChangeText(tag, tone, f"{text} {_FINDS.get(kind, '') if finds else ''}".strip())


# What a change of a field means that finds people.
_NOT_FOUND = "People are no longer found by it; your choice is kept."
_FINDS: Mapping[str, str] = {
    "removed": _NOT_FOUND,
    "retyped": _NOT_FOUND,
    "unfilterable": _NOT_FOUND,
    "new": "People are found by it again.",
}


def _text(kind: str, shown: bool, was_required: bool, label: str, was: str, now: str) -> str:
    match kind:
        case "retyped":
            change = f"Changed from {was} to {now}."
            seen = "Agents see and edit it in its new form." if shown else _NOT_SHOWN
            return f"{change} {seen}"
        case "removed" if was_required:
            return "Agents no longer see it or have to fill it in."
        case "removed" if shown:
            return "Agents no longer see it; your choice to show it is kept."
        case "removed":
            return "You were not showing it."
        case "required":
            article = "an" if label[:1] in "AEIOU" else "a"
            return f"Agents now have to fill it in when they add {article} {label}."
        case "read_only":
            return "Agents still see it but can no longer edit it." if shown else _NOT_SHOWN
        case "optional":
            return "Agents can leave it empty."
        case "new":
            return "Agents see it." if shown else ""
        case "unfilterable":
            return "Salesforce can no longer filter by it."
        case "hidden":
            return "It was deleted, or the connected user lost access."
    return ""


def refresh_failure(code: str) -> str:
    """Why the fields could not be read again, given the code of the error."""
    why = PAUSES.get(code) or TITLES.get(code)
    return f"The last refresh did not finish{f' ({why})' if why else ''}."
