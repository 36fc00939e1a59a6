"""The status of a connection, as shown in the settings and on the tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Tag(NamedTuple):
    """A short label. `tone` is good, warn or bad."""

    text: str
    tone: str


STANDING_TAGS: Mapping[str, Tag] = {
    "live": Tag("Connected", "good"),
    "barred": Tag("Refused for now", "warn"),
    "lost": Tag("Connection lost", "bad"),
}


class Interruption(NamedTuple):
    """Why automations have to wait; `link` leads to the Connection tab."""

    text: str
    link: str
    tone: str


INTERRUPTIONS: Mapping[str, Interruption] = {
    "barred": Interruption(
        "Salesforce is refusing the connection for now. New entries wait and is sent automatically "
        "once Salesforce accepts the connection again; changes you make here are kept.",
        "See why",
        "warn",
    ),
    "lost": Interruption(
        "The connection to Salesforce is lost. New entries wait and is sent automatically once an "
        "admin has reconnected; changes you make here are kept.",
        "Reconnect",
        "bad",
    ),
}

# What the settings page says after a login.
SIGNED_IN: Mapping[str, str] = {
    "connected": "Salesforce is connected.",
    "reconnected": "Salesforce is connected again. Waiting entries will be sent.",
}


class Revocation(NamedTuple):
    """The progress of a revocation. `outcome` is passed, failed or unknown; `until` says that
    the page also names the time until which it is retried."""

    outcome: str
    text: str
    advice: str = ""
    until: bool = False


_ERASED_AFTERWARDS = "The access token is kept for this last step only, then erased."


def revocation(state: str, reason: str) -> Revocation | None:
    """The line about the revocation after a disconnect; None when there was nothing to revoke."""
    if state == "done":
        return Revocation(
            "passed", "Salesforce has revoked the access token, and our copy has been erased."
        )
    if state == "given_up":
        return Revocation(
            "failed",
            "Revocation: Salesforce could not be reached for a day. Our copy of the access token "
            "has been erased.",
            "To be sure, remove the app in Salesforce under Setup › Connected Apps OAuth Usage.",
        )
    if state != "pending":
        return None
    if not reason:
        return Revocation("unknown", "Revocation: in progress.", _ERASED_AFTERWARDS)
    text = (
        "Revocation: no key decrypts the stored token; the operator of this inbox has to restore "
        "the old key."
        if reason == "not_ready"
        else "Revocation: Salesforce could not be reached."
    )
    return Revocation("unknown", text, _ERASED_AFTERWARDS, until=True)
