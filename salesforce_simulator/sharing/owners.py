"""Who may own a record: active users who may read it, and queues for its object."""

from __future__ import annotations

from salesforce_simulator.errors import ErrorEntry
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.results import User
from salesforce_simulator.store import Record

_FIELDS = ("OwnerId",)


def refused_owner(
    rights: Rights, user: User, schema: ObjectSchema, name: str, owner: Record
) -> ErrorEntry | None:
    """The complaint about a new owner, a record of the object ``name``."""
    if name == "User":
        if not owner.get("IsActive"):
            message = (
                f"operation performed with inactive user [{owner['Id'][:15]}] as owner of "
                f"{schema.name.lower()}"
            )
            return ErrorEntry("INACTIVE_OWNER_OR_USER", message, _FIELDS)
        other = owner["Id"] != user.id
        if rights.sharing.on and other and not rights.on_object(rights.user_of(owner), schema).read:
            message = "The new owner must have read permission"
            return ErrorEntry("TRANSFER_REQUIRES_READ", message, _FIELDS)
    elif name == "Group":
        queue = rights.sharing.queue(owner["Id"])
        if queue is None or schema.name not in queue.objects:
            message = "Queue not associated with this SObject type"
            return ErrorEntry("FIELD_INTEGRITY_EXCEPTION", message, _FIELDS)
    return None
