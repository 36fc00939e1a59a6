"""What somebody typed, given back when the form that held it could not be taken.

A route that knows its form shows it again with what was typed. Where none can be made (the session
has ended, the page is of another session, the database or Salesforce fails before the record is
known) the error's own page holds it, ready to be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import g, request, url_for

from keeping_plugin.errors import Forbidden, KeepingError, NotFound, TooLarge
from keeping_plugin.forms import csrf
from keeping_plugin.forms.record import PREFIX

# Inputs that people type into; every other one (marks, ids, what was pressed) travels hidden.
_SEARCHED = "q_"
_TEXTS = frozenset({"domains", "since"})
_LONG = 80


@dataclass(frozen=True, slots=True)
class TypedValue:
    """One input of the form that was sent."""

    name: str
    value: str
    label: str  # "" for one that travels hidden

    @property
    def long(self) -> bool:
        return len(self.value) > _LONG or "\n" in self.value


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was sent, and where it goes when it is sent again."""

    action: str
    values: tuple[TypedValue, ...]


def typed(error: KeepingError) -> Typed | None:
    """What this request's form held; None when that was nothing, when the body was too large to be
    read, when the conversation is none of this agent's, and for a form that another site made this
    browser send: nobody shall be asked to send that with a token of ours."""
    if request.method != "POST" or request.is_json or isinstance(error, TooLarge) or _foreign():
        return None
    if isinstance(error, NotFound) and "keeping_conversation" not in g:
        return None
    values = [
        TypedValue(name, value, _label(name, value, alone=len(sent) == 1))
        for name, sent in request.form.lists()
        if name != csrf.field_name()
        for value in sent
    ]
    useless = isinstance(error, Forbidden | NotFound) and not any(value.label for value in values)
    if not values or useless:
        return None
    new = request.form.get("new_object", "")
    if request.endpoint and request.endpoint.endswith(".use") and new:
        # *Use this one* came out of a form for a new person, and leads back into it.
        values = [value for value in values if value.name not in {"ticket", "replace"}]
        back = url_for(".create", object=new, **(request.view_args or {}))
        return Typed(back, (*values, TypedValue("retype", "1", "")))
    return Typed(request.full_path.rstrip("?"), tuple(values))


def carried() -> list[tuple[str, str]]:
    """What the form around *Use this one* held, to travel with the question about it."""
    return [
        (name, value)
        for name, sent in request.form.lists()
        if name.startswith((PREFIX, _SEARCHED, "in_")) or name in {"record_type", "new_object"}
        for value in sent
    ]


def _label(name: str, value: str, *, alone: bool) -> str:
    if not value.strip() or not alone:
        return ""
    if name in _TEXTS:
        return name.capitalize()
    for prefix in (PREFIX, _SEARCHED):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return ""


def _foreign() -> bool:
    """Whether the browser says that another site sent this."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host
