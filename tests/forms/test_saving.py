"""What the forms send is what an org takes: every field of the five objects, made and changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

from keeping_plugin.errors import RecordRejected
from keeping_plugin.forms.record import PREFIX, defaults, record_form
from keeping_plugin.objects import OBJECT_NAMES
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.types import FieldSpec, ObjectSchema, Value
from salesforce_simulator.process import OrgProcess
from tests.forms.printed import untouched
from tests.salesforce.conftest import CALLBACK, LiveOrg


@pytest.fixture(scope="module", params=["package", "cumulusci"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """An org that describes itself as ours does, and one as it was recorded."""
    describe: Path | None = None
    if request.param == "cumulusci":
        shared: Path = request.getfixturevalue("shared")
        describe = shared / "salesforce" / "describe" / "cumulusci"
    with OrgProcess(redirects=[CALLBACK], describe=describe) as process:
        yield LiveOrg(process, process.production).gateway


# What Salesforce derives from other fields, what makes a Lead one that cannot be edited, and what
# decides which picklist values the others may have (test_record_types).
_LEFT_ALONE = {"ForecastCategoryName", "Probability", "IsConverted", "RecordTypeId"}


def typed(spec: FieldSpec, *, number: int) -> list[str] | None:
    """What somebody might type or choose; None for what this test leaves alone."""
    if spec.name in _LEFT_ALONE or spec.type == "reference":
        return None
    if spec.type == "boolean":
        return ["", "true"] if number % 2 else [""]
    if spec.type in ("picklist", "multipicklist"):
        free = [v.value for v in spec.picklist if v.active and v.valid_for is None]
        if not free or spec.controller:
            return None
        return [free[number % len(free)]] if spec.type == "picklist" else ["", *free[: number + 1]]
    return [_text(spec, number)]


def _text(spec: FieldSpec, number: int) -> str:
    if spec.html_formatted:
        return f"<p>line {number}<br><b>line</b> two</p>"  # as Salesforce itself would write it
    plain = {
        "email": f"somebody-{number}-{spec.name.lower()}@example.com",
        "phone": f"+31 20 555 01{number:02}",
        "url": f"www.example.com/{number}",
        "date": (date(2026, 5, 6) + timedelta(days=number)).isoformat(),
        "datetime": f"2026-05-{number + 1:02}T14:30",
        "time": f"14:{number:02}",
        "int": str(number + 1),
        "double": str(number + 1),
        "currency": f"{number + 1}.50" if spec.scale else str(number + 1),
        "percent": str(number + 1),
        "textarea": f"line {number}\r\n<b>line</b> two",
    }
    if spec.type == "textarea" and spec.length and spec.length < 40:
        return f"t{number}"
    return plain.get(spec.type, f"{'ünï'[: max(1, (spec.length or 9) - 2)]}{number}")


@pytest.mark.parametrize("object", OBJECT_NAMES)
def test_every_field_can_be_made_and_changed(gateway: Gateway, object: str) -> None:
    (described,) = gateway.describe([object])
    schema = described.schema
    assert schema is not None
    names = tuple(schema.fields)
    made = record_form(schema, names, creating=True)
    sent: MultiDict[str, str] = MultiDict()
    form = made(None, values={})
    for name, control in form.controls():
        for text in typed(control.spec, number=1) or ():
            sent.add(PREFIX + name, text)
    form = made(sent, values=defaults(made))
    assert form.validate(), form.problems()
    fields = form.changes()
    record_id = gateway.create(object, fields, allow_duplicates=True).id
    record = gateway.read(object, record_id, names)
    # Read back as it was written.
    for name, value in fields.items():
        control = form.control(name)
        assert control is not None
        assert control.mark(record.fields[name]) == control.mark(value), name
    _change(gateway, schema, record_id, dict(record.fields))


def _change(
    gateway: Gateway, schema: ObjectSchema, record_id: str, before: dict[str, Value]
) -> None:
    edit = record_form(schema, tuple(schema.fields))
    printed = edit(None, values=before)
    sent = untouched(printed)
    assert edit(sent.copy(), values=before).changes() == {}
    for name, control in printed.controls():
        texts = typed(control.spec, number=2) if control.spec.updateable else None
        if texts is not None:
            sent.setlist(PREFIX + name, texts)
    form = edit(sent, values=before)
    assert form.validate(), form.problems()
    changes = form.changes()
    assert len(changes) > 3, changes
    gateway.update(schema.name, record_id, changes, allow_duplicates=True)
    after = gateway.read(schema.name, record_id, tuple(changes))
    for name, value in changes.items():
        control = form.control(name)
        assert control is not None
        assert control.mark(after.fields[name]) == control.mark(value), name


def test_what_the_org_refuses_comes_back_in_its_words(gateway: Gateway) -> None:
    """A form that knows no better lets the org say it."""
    (described,) = gateway.describe(["Contact"])
    assert described.schema is not None
    with pytest.raises(RecordRejected) as refused:
        gateway.create("Contact", {"LastName": "Doe", "Email": "not an address"})
    form = record_form(described.schema, ("LastName", "Email"), creating=True)(None, values={})
    assert form.complain(refused.value.complaints) == ()
    assert "invalid email address" in form.problems()["Email"][0]
