"""HTML for the controls: plain inputs that work without JavaScript, every value escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape
from wtforms.widgets.core import clean_key  # type: ignore[attr-defined]  # not in the stubs

from keeping_plugin.types import PicklistValue

NOTHING = "–"


def attributes_text(attributes: Mapping[str, Any]) -> str:
    """WTForms' `html_params`, to the letter, in a fifth of the time: that one builds Markup of
    Markup for each attribute, and a form with picklists has thousands."""
    parts = []
    for key, value in sorted(attributes.items()):
        if value is True:
            parts.append(clean_key(key))
        elif value is not False:
            # What is Markup already may still hold quotes.
            text = str(escape(value)).replace('"', "&quot;")
            parts.append(f'{clean_key(key)}="{text}"')
    return " ".join(parts)


def _tag(tag: str, content: object = None, /, **attributes: Any) -> Markup:
    opening = Markup(f"<{tag} {attributes_text(attributes)}>")  # noqa: S704  it escapes
    if content is None:
        return opening
    return opening + escape(content) + Markup(f"</{tag}>")  # noqa: S704  our own tag names


class Text:
    """One line of text, of an HTML input type."""

    def __init__(self, type_: str = "text", **attributes: Any) -> None:
        self.type, self.attributes = type_, attributes

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        value = field._value()
        kind = self.type
        # A date that the browser's own input could not show is shown as text, not lost.
        if kind in {"date", "datetime-local", "time"} and value and field.process_errors:
            kind = "text"
        attributes = {**self.attributes, **kwargs}
        return _tag("input", type=kind, id=field.id, name=field.name, value=value, **attributes)


class TextArea:
    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        # A first line break right after the tag would be swallowed.
        text = Markup("\r\n") + escape(field._value())
        return _tag("textarea", text, id=field.id, name=field.name, **kwargs)


class Checkbox:
    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        kwargs.pop("class_", None)
        present = _tag("input", type="hidden", name=field.name, value="")
        return present + _tag(
            "input",
            type="checkbox",
            id=field.id,
            name=field.name,
            value="true",
            checked=bool(field.data),
            **_controls(field),
            **kwargs,
        )


def _controls(field: Any) -> dict[str, str]:
    ids = getattr(field, "controls", ())
    return {"data-k-controls": " ".join(ids)} if ids else {}


def _option(value: PicklistValue, chosen: str) -> Markup:
    label = value.label if value.active else f"{value.label} (no longer available)"
    return _tag("option", label, value=value.value, selected=value.value == chosen)


class Select:
    """A select. Values that depend on a field of the same form stand in a group for each of its
    values, which tells without JavaScript what goes with what. The record's own value is there in
    any case, even where it goes with nothing."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        chosen = str(field.data or "")
        parts = [] if field.required and chosen else [_tag("option", NOTHING, value="")]
        controller = field.controller
        offered = field.offered()
        if controller is None:
            parts += [_option(value, chosen) for value in offered]
        else:
            free = [v for v in offered if v.valid_for is None or not v.active]
            odd = [v for v in offered if v.value == chosen and not controller.allows(v)]
            parts += [_option(value, chosen) for value in dict.fromkeys((*free, *odd))]
            bound = [value for value in offered if value not in free]
            if controller.in_form:
                parts += self._groups(controller, bound, chosen)
            else:
                parts += [_option(v, chosen) for v in bound if controller.allows(v)]
        attributes = {"id": field.id, "name": field.name, **_controls(field), **kwargs}
        return _tag("select", Markup().join(parts), **attributes)

    def _groups(self, controller: Any, bound: list[PicklistValue], chosen: str) -> Iterable[Markup]:
        for index, key, label in controller.entries():
            values = [value for value in bound if index in (value.valid_for or ())]
            if not values:
                continue
            here = chosen if index == controller.index else ""
            options = Markup().join(_option(value, here) for value in values)
            yield _tag("optgroup", options, label=label, data_k_for=key)


class Checkboxes:
    """One checkbox a value; the field's label stands in the legend of a group around them."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        kwargs.pop("class_", None)
        kwargs.pop("required", None)
        chosen = set(field.chosen)
        controller = field.controller
        items = []
        for number, value in enumerate(field.offered()):
            beside = ""
            if controller is not None and value.active and value.valid_for is not None:
                here = controller.allows(value) or value.value in chosen
                if not controller.in_form and not here:
                    continue
                if controller.in_form:
                    with_ = [lab for i, _, lab in controller.entries() if i in value.valid_for]
                    beside = f" ({', '.join(with_)})"
            elif not value.active:
                beside = " (no longer available)"
            box = _tag(
                "input",
                type="checkbox",
                id=f"{field.id}-{number}",
                name=field.name,
                value=value.value,
                checked=value.value in chosen,
                **kwargs,
            )
            label = _tag("label", value.label + beside, for_=f"{field.id}-{number}")
            items.append(_tag("li", box + label, class_="k-choice"))
        present = _tag("input", type="hidden", name=field.name, value="")
        return present + _tag("ul", Markup().join(items), id=field.id, class_="k-choices")


class Combobox:
    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        listed = f"{field.id}-list"
        options = Markup().join(
            _tag("option", value.label, value=value.value)
            for value in field.spec.picklist
            if value.active
        )
        box = _tag(
            "input",
            type="text",
            id=field.id,
            name=field.name,
            value=field._value(),
            list=listed,
            autocomplete="off",
            **kwargs,
        )
        return box + _tag("datalist", options, id=listed)


class Reference:
    """The record at hand and a search for another one. `search_url` answers what the Find button
    does, while somebody types."""

    def __call__(self, field: Any, *, search_url: str = "", **kwargs: Any) -> Markup:
        kept = []
        if field.data:
            kept.append(
                _radio(field.name, f"{field.id}-kept", str(field.data), field.shown(), True)
            )
            if not field.required:
                kept.append(_radio(field.name, f"{field.id}-none", "", "None", False))
        parts = [_tag("ul", Markup().join(kept), class_="k-choices")] if kept else []
        row = []
        if len(field.spec.reference_to) > 1:
            options = Markup().join(
                _tag("option", name, value=name, selected=name == field.sought_in)
                for name in field.spec.reference_to
            )
            row.append(
                _tag(
                    "select",
                    options,
                    name=f"in_{field.spec.name}",
                    class_="k-input k-input--short",
                    aria_label=f"Type of record for {field.label.text}",
                )
            )
        suggest = {"data-k-suggest": search_url} if search_url else {}
        row.append(
            _tag(
                "input",
                type="search",
                id=field.id,
                name=f"q_{field.spec.name}",
                value=field.sought,
                autocomplete="off",
                placeholder="Search by name",
                **suggest,
                **kwargs,
            )
        )
        row.append(
            _tag(
                "button",
                "Find",
                type="submit",
                name="find",
                value=field.spec.name,
                formnovalidate=True,
                class_="k-button k-button--small",
            )
        )
        parts.append(_tag("div", Markup().join(row), class_="k-reference"))
        parts.append(found_records(field.id, field.name, field.found, field.sought))
        return Markup().join(parts)


def found_records(
    id_: str,
    name: str,
    found: Sequence[tuple[str, str]] | None,
    sought: str,
    *,
    trouble: str = "",
) -> Markup:
    """What a search came back with, to choose from: (record id, its name); or why it did not."""
    if trouble:
        inside = _tag("li", trouble, class_="k-problem", data_k_status=True)
    elif found is None:
        inside = Markup()
    elif not found:
        inside = _tag("li", f"Nothing found for “{sought}”.", class_="k-muted", data_k_status=True)
    else:
        count = _tag(
            "li",
            f"{len(found)} found. Choose one, then save.",
            class_="k-visually-hidden",
            data_k_status=True,
        )
        inside = count + Markup().join(
            _radio(name, f"{id_}-{number}", record_id, label, False)
            for number, (record_id, label) in enumerate(found)
        )
    return _tag("ul", inside, id=f"{id_}-found", class_="k-choices", data_k_region=True)


def _radio(name: str, id_: str, value: str, label: str, checked: bool) -> Markup:
    box = _tag("input", type="radio", id=id_, name=name, value=value, checked=checked)
    return _tag("li", box + _tag("label", label or value, for_=id_), class_="k-choice")


class Plain:
    """What stands in a field that no form writes."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        return _tag("output", field._value() or NOTHING, id=field.id, class_="k-field__plain")
