"""What the settings pages send: read as it was typed, so that nothing of it is ever lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

# More than any org has fields; whoever sends more is not a person.
_MANY = 2_000


def _seen(form: MultiDict[str, str], name: str) -> tuple[str, ...] | None:
    return tuple(filter(None, form[name].split(",")[:_MANY])) if name in form else None


@dataclass(frozen=True, slots=True)
class FieldsForm:
    """A tab of fields as it stands in the browser. `ticked` is in the order of the page, which is
    the order agents see; `optional` are objects whose latest records they see too; `do` is the
    button that was pressed; `seen` is what agents saw when the page was opened, None where it was
    not sent. `finds` are address fields that find people, `seen_finds` those that did."""

    ticked: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    forgotten: tuple[str, ...] = ()
    search: str = ""
    do: str = "save"
    seen: tuple[str, ...] | None = None
    finds: tuple[str, ...] = ()
    seen_finds: tuple[str, ...] | None = None

    @classmethod
    def read(cls, form: MultiDict[str, str]) -> FieldsForm:
        """Take what was sent; names are checked by whoever knows the schema."""
        return cls(
            ticked=tuple(dict.fromkeys(form.getlist("fields")[:_MANY])),
            optional=frozenset(form.getlist("optional")[:_MANY]),
            forgotten=tuple(form.getlist("forget")[:_MANY]),
            search=form.get("search", "")[:255],
            do=form.get("do", "save")[:300],
            seen=_seen(form, "seen"),
            finds=tuple(dict.fromkeys(form.getlist("finds")[:_MANY])),
            seen_finds=_seen(form, "seen_finds"),
        )

    @property
    def saves(self) -> bool:
        """Whether this is the Save, and not a step on the way to it."""
        return self.do == "save"

    def stepped(self, offered: Sequence[str], locked: Sequence[str]) -> tuple[str, ...]:
        """The ticked fields after the button: `all` and `none` tick and clear what is offered,
        `up:<Field>` and `down:<Field>` move one by one place, `top:<Field>` before all others, and
        anything else changes nothing."""
        ticked = list(dict.fromkeys([*self.ticked, *locked]))
        what, _, name = self.do.partition(":")
        if what == "all":
            return tuple(dict.fromkeys([*ticked, *offered]))
        if what == "none":
            return tuple(field for field in ticked if field in locked or field not in offered)
        if what == "top" and name in ticked:
            return (name, *(field for field in ticked if field != name))
        if what in {"up", "down"} and name in ticked:
            place = ticked.index(name)
            other = place - 1 if what == "up" else place + 1
            if 0 <= other < len(ticked):
                ticked[place], ticked[other] = ticked[other], ticked[place]
        return tuple(ticked)
