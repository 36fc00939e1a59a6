"""The org's own unique field for our Tasks: with it a Task is never created twice, whatever
happens on the way, because Salesforce itself refuses the second one."""

from __future__ import annotations

from keeping_plugin.types import FieldSpec, ObjectSchema

# The name under which the setup guide has an admin add it to Activity; a package's prefix may
# stand before it. Any other unique field belongs to somebody else.
NAME = "Keeping_Key__c"
LENGTH = 80


def found(task: ObjectSchema) -> FieldSpec | None:
    """The field by its name, usable or not; None when the user cannot see one."""
    for name, spec in task.fields.items():
        if name.lower() == NAME.lower() or name.lower().endswith("__" + NAME.lower()):
            return spec
    return None


def problem(spec: FieldSpec) -> str | None:
    """What keeps the field from being used, as the sentence that mends it; None when nothing."""
    if spec.type != "string" or spec.encrypted:
        return f"Make {spec.name} a plain text field."
    if not spec.unique:
        return f"Tick “Do not allow duplicate values” on {spec.name}."
    if spec.length < LENGTH:
        return f"Make {spec.name} at least {LENGTH} characters long."
    if not spec.createable:
        return f"Give the connected user edit access to {spec.name} (field-level security)."
    return None


def usable(task: ObjectSchema) -> str | None:
    """The API name of the field when Tasks can carry their marker in it, else None."""
    spec = found(task)
    return spec.name if spec is not None and problem(spec) is None else None
