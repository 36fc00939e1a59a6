"""Forms for Salesforce records: an object's describe and a choice of fields in, a form out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, cast

from wtforms import Form

from keeping_plugin.errors import Complaint
from keeping_plugin.fieldtypes import ControlKind, field_type
from keeping_plugin.forms.choices import Controller, PicklistControl
from keeping_plugin.forms.controls import Control, Offered, ReferenceControl
from keeping_plugin.forms.fields import control
from keeping_plugin.forms.quantities import DateTimeControl, NumberControl
from keeping_plugin.locales import Reader
from keeping_plugin.services.panel.money import currency_of, default_currency
from keeping_plugin.services.schema.fields import (
    in_use,
    is_compound,
    label_in,
    parts,
    writable,
)
from keeping_plugin.types import FieldSpec, ObjectSchema, PicklistValue, Value
from keeping_plugin.wording.salesforce_errors import ErrorSentence, explained

# WTForms takes `data`, `errors` and `meta` for itself and drops what begins with "_".
PREFIX = "sf_"


@dataclass(frozen=True, slots=True)
class Group:
    """Controls that stand together: a plain field alone, or the parts of a compound one under its
    label."""

    name: str
    legend: str  # "" for a plain field
    help_text: str
    names: tuple[str, ...]


class RecordForm(Form):
    """A form for one record. `values` are the record's as they were read; a control whose input
    is missing from `formdata` keeps its value.

    `picklists` are the values of the record's type by field (a field that is missing there keeps
    those of the describe), `names` the names of referenced records by field. `told` are the fields
    whose values may be shown; without it all. `offered` says which records a reference may be
    pointed at; without it any. `reader` is the person who fills it in; without one numbers are in
    plain notation and moments in UTC.
    """

    schema: ObjectSchema
    creating: bool
    groups: tuple[Group, ...]

    def __init__(
        self,
        formdata: Any = None,
        *,
        values: Mapping[str, Value],
        names: Mapping[str, str] | None = None,
        picklists: Mapping[str, Sequence[PicklistValue]] | None = None,
        told: Collection[str] | None = None,
        offered: Offered | None = None,
        id_prefix: str = "",
        reader: Reader | None = None,
    ) -> None:
        self._values = values
        self.reader = reader
        self._told = told
        super().__init__(formdata, data={PREFIX + name: value for name, value in values.items()})
        self.problem_words: dict[str, list[Complaint]] = {}
        for name, made in self.controls():
            made.id = id_prefix + made.name
            made.label.field_id = made.id
            made.editing = not self.creating
            if isinstance(made, PicklistControl):
                made.values = _of_type(made.spec, (picklists or {}).get(name))
            if isinstance(made, DateTimeControl):
                made.label.text = f"{made.label.text} ({reader.zone if reader else 'UTC'})"
            if isinstance(made, ReferenceControl):
                made.name_shown = (names or {}).get(name, "")
                made.offered = offered
        self._join_dependents()

    def process(self, *args: Any, **kwargs: Any) -> None:
        new = default_currency(self.schema) if self.creating else {}
        for _, made in self.controls():
            made.reader = self.reader
            if isinstance(made, NumberControl):
                made.currency = currency_of(self.schema, made.spec, {**new, **self._values})
        super().process(*args, **kwargs)

    def _join_dependents(self) -> None:
        for _, made in self.controls():
            if not isinstance(made, PicklistControl) or not made.spec.controller:
                continue
            name = made.spec.controller
            spec = self.schema.fields.get(name)
            if spec is None:  # the user may not read it: then nobody can tell what goes with what
                continue
            above, label = self.control(name), label_in(self.schema, spec)
            if above is None:
                made.controller = Controller(
                    spec,
                    label,
                    self._values.get(name),
                    changed=False,
                    in_form=False,
                    told=self._told is None or name in self._told,
                )
            else:
                made.controller = Controller(
                    spec, label, above.data, changed=above.changed, in_form=True
                )
                above.controls.append(made.id)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """The API names of its fields, compound ones by their parts, in order."""
        return tuple(name for group in cls.groups for name in group.names)

    def controls(self) -> Iterator[tuple[str, Control]]:
        """API name and control of every field, in order."""
        for made in self:
            yield made.name.removeprefix(PREFIX), cast(Control, made)

    def control(self, name: str) -> Control | None:
        """The control of a field, by API name."""
        return cast("Control | None", self._fields.get(PREFIX + name))

    def changes(self) -> dict[str, Value]:
        """What is to be sent, by API name: on an edit only what the person changed, on a create
        everything filled in."""
        if self.creating:
            sent = {
                name: made.data
                for name, made in self.controls()
                if not made.empty and made.spec.createable
            }
        else:
            sent = {name: made.data for name, made in self.controls() if made.changed}
        # A state after the country of which it is one, whatever the order on the page.
        return dict(sorted(sent.items(), key=lambda item: self._depth(item[0], sent)))

    def _depth(self, name: str, sent: Mapping[str, Value]) -> int:
        """How many of the fields that are sent stand above this one."""
        depth, seen = 0, {name}
        while (name := self.schema.fields[name].controller) in sent and name not in seen:
            depth += 1
            seen.add(name)
        return depth

    def overwritten(self, current: Mapping[str, Value]) -> list[str]:
        """The changed fields that somebody else made yet another value since they were shown."""
        return [
            name
            for name, made in self.controls()
            if made.changed
            and name in current
            and made.mark(current[name]) not in (made.shown_mark, made.mark(made.data))
        ]

    def complain(self, complaints: Sequence[Complaint]) -> tuple[Complaint, ...]:
        """Put Salesforce's words beside the fields they name; returns those that name none here."""
        unplaced = []
        for complaint in complaints:
            fields = dict.fromkeys(in_use(self.schema, name) for name in complaint.fields)
            named = [name for name in fields if self.control(name) is not None]
            for name in named:
                self.problem_words.setdefault(name, []).append(complaint)
            if not named:
                unplaced.append(complaint)
        return tuple(unplaced)

    def first_to_fill(self) -> str:
        """Where the person goes on: the first field that is wrong, else the first that is required
        and empty, else the first that can be written; "" when there is none."""
        names = [
            (name, made) for name, made in self.controls() if field_type(made.spec.type).writable
        ]
        wrong = self.problems()
        for name, _ in names:
            if name in wrong:
                return name
        for name, made in names:
            if made.required and made.empty:
                return name
        return names[0][0] if names else ""

    def words(self, name: str) -> list[tuple[Complaint, ErrorSentence | None]]:
        """Salesforce's words about a field, each with its row of the table of sentences."""
        return explained(self.problem_words.get(name, ()))

    def problems(self) -> dict[str, list[str]]:
        """Everything wrong, by API name: our own sentences, then Salesforce's words."""
        found = {
            name: [str(error) for error in made.errors]
            for name, made in self.controls()
            if made.errors
        }
        for name, complaints in self.problem_words.items():
            found.setdefault(name, []).extend(complaint.message for complaint in complaints)
        return found


def _of_type(spec: FieldSpec, offered: Sequence[PicklistValue] | None) -> Sequence[PicklistValue]:
    if offered is None:
        return spec.picklist
    # The describe keeps what a value depends on, counted by the describe's own entries.
    labels = {value.value for value in offered}
    known = {value.value for value in spec.picklist}
    return [value for value in spec.picklist if value.value in labels] + [
        value for value in offered if value.value not in known
    ]


def defaults(
    form: type[RecordForm], picklists: Mapping[str, Sequence[PicklistValue]] | None = None
) -> dict[str, Value]:
    """What the org fills in for a new record: default values, and default picklist entries."""
    made: dict[str, Value] = {}
    for name in form.field_names():
        spec = form.schema.fields[name]
        if spec.picklist:
            offered = (picklists or {}).get(name) or spec.picklist
            chosen = [value.value for value in offered if value.default and value.active]
            if chosen:
                made[name] = (
                    ";".join(chosen)
                    if field_type(spec.type).control is ControlKind.MULTI_PICKLIST
                    else chosen[0]
                )
        elif spec.default_value is not None:
            made[name] = spec.default_value
    return made


@dataclass(frozen=True, slots=True)
class _Shape:
    """What decides a form class. A schema is one object for one describe document, so its
    identity stands for the document's digest; the cache keeps it alive."""

    identity: int
    names: tuple[str, ...]
    creating: bool
    schema: ObjectSchema = field(compare=False)


def record_form(
    schema: ObjectSchema, names: Sequence[str], *, creating: bool = False
) -> type[RecordForm]:
    """The form class for these fields, in this order; compound ones stand as their parts, and a
    create form ends with what Salesforce requires besides. Names that the describe no longer has
    are left out."""
    return _record_form(_Shape(id(schema), tuple(names), creating, schema))


@lru_cache(maxsize=512)
def _record_form(shape: _Shape) -> type[RecordForm]:
    schema, creating = shape.schema, shape.creating
    chosen = dict.fromkeys(in_use(schema, name) for name in shape.names)
    wanted = [name for name in chosen if name in schema.fields]
    if creating:
        wanted += [spec.name for spec in schema.fields.values() if spec.required]
    # A part that was chosen beside its compound stands with its siblings.
    wanted = [_whole(schema, name, wanted) for name in wanted]
    groups: list[Group] = []
    body: dict[str, Any] = {"schema": schema, "creating": creating}
    for name in wanted:
        group = _group(schema, name, creating=creating, taken=body)
        if group is None:
            continue
        groups.append(group)
        for part in group.names:
            body[PREFIX + part] = _unbound(schema, schema.fields[part], creating=creating)
    body["groups"] = tuple(groups)
    return type(f"{schema.name}Form", (RecordForm,), body)


def _whole(schema: ObjectSchema, name: str, wanted: Sequence[str]) -> str:
    compound = schema.fields[name].compound
    return compound if compound in wanted and is_compound(schema, compound) else name


def _group(
    schema: ObjectSchema, name: str, *, creating: bool, taken: Mapping[str, Any]
) -> Group | None:
    spec = schema.fields[name]
    written = [
        part.name
        for part in writable(schema, name, creating=creating)
        if PREFIX + part.name not in taken
    ]
    if is_compound(schema, name) and written:
        return Group(name, spec.label, spec.help_text, tuple(written))
    if written:
        return Group(name, "", "", (name,))
    if PREFIX + name in taken or (is_compound(schema, name) and parts(schema, name)):
        return None
    if creating and not spec.createable:
        return None
    return Group(name, "", "", (name,))


def _chosen_among(schema: ObjectSchema, spec: FieldSpec) -> FieldSpec:
    """The record type is a lookup like any other, but its few records stand in the describe."""
    if spec.name != "RecordTypeId" or len(schema.record_types) < 2:
        return spec
    kinds = [kind for kind in schema.record_types if not kind.master]
    values = tuple(PicklistValue(kind.id, kind.name, active=kind.available) for kind in kinds)
    return replace(spec, type="picklist", picklist=values, restricted=True)


def _unbound(schema: ObjectSchema, spec: FieldSpec, *, creating: bool) -> Any:
    spec = _chosen_among(schema, spec)
    read_only = not writable(schema, spec.name, creating=creating)
    always_filled = field_type(spec.type).control is ControlKind.CHECKBOX
    required = not always_filled and (spec.required if creating else not spec.nillable)
    return control(schema, spec, required=required and not read_only, read_only=read_only)
