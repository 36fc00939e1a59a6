"""Why Salesforce refuses a connection's login for a while, in plain words, and the place in
Salesforce Setup where somebody can change that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class BarredReason(NamedTuple):
    """`means` is one sentence; `where` says who can mend it and in which place of Setup."""

    means: str
    where: str


BARRED: Mapping[str, BarredReason] = {
    "restricted": BarredReason(
        "Salesforce does not accept this login from this inbox's address, or not at this hour.",
        "A Salesforce admin allows it in Setup › Profiles › the profile of the connected user › "
        "Login IP Ranges and Login Hours, or in Setup › External Client App Manager › this app › "
        "Policies (IP Relaxation, Refresh Token IP Allowlist).",
    ),
    "away": BarredReason(
        "Salesforce says that logging in is not possible for the moment.",
        "Nobody has to do anything; Setup › Login History of Salesforce shows what it refused.",
    ),
    "not_approved": BarredReason(
        "The connected Salesforce user may no longer use this app.",
        "A Salesforce admin allows it in Setup › External Client App Manager › this app › Policies "
        "(Permitted Users, and the profiles and permission sets chosen there).",
    ),
    "not_installed": BarredReason(
        "This app is not installed in the Salesforce org, or was blocked there.",
        "A Salesforce admin installs or unblocks it in Setup › Connected Apps OAuth Usage.",
    ),
    "configuration": BarredReason(
        "Salesforce does not accept this app's registration.",
        "Whoever runs this inbox compares KEEPING_SALESFORCE_CLIENT_ID and "
        "KEEPING_SALESFORCE_CLIENT_SECRET with Setup › External Client App Manager › this app › "
        "Settings › OAuth Settings.",
    ),
    "scope": BarredReason(
        "The session that Salesforce gave may not use its API: the app lacks the scope “api”.",
        "A Salesforce admin adds “Manage user data via APIs (api)” in Setup › External Client App "
        "Manager › this app › Settings › OAuth Settings; then reconnect.",
    ),
    "session": BarredReason(
        "Salesforce renews the login and then does not accept the session it has just given.",
        "A Salesforce admin looks in Setup › Session Settings (sessions locked to an address or a "
        "domain), in Setup › API Access Control, and in Setup › Login History.",
    ),
    "org_inactive": BarredReason(
        "The Salesforce org is locked or suspended.",
        "A Salesforce admin asks Salesforce in Setup › Company Information and Setup › Your "
        "Account.",
    ),
    "version": BarredReason(
        "The Salesforce org no longer serves the version of its API that this inbox speaks.",
        "Whoever runs this inbox updates keeping_plugin, or sets KEEPING_SALESFORCE_API_VERSION to "
        "a version that the org serves.",
    ),
    "untrusted": BarredReason(
        "The answer to the renewal of the login did not come from Salesforce as it should, so it "
        "was not used.",
        "Whoever runs this inbox looks at what stands between it and Salesforce; a Salesforce "
        "admin sees the renewals in Setup › Login History.",
    ),
    "refused": BarredReason(
        "Salesforce refuses this login for now.",
        "A Salesforce admin finds the refusals in Setup › Login History, and the app in Setup › "
        "Connected Apps OAuth Usage.",
    ),
}


def barred_reason(reason: str | None) -> BarredReason:
    """The sentences of a reason code; the general ones for a code not in the table."""
    return BARRED.get(reason or "refused", BARRED["refused"])


def barred_sentence(reason: str | None, words: str | None) -> str:
    """What it means, in our words and in Salesforce's."""
    means = barred_reason(reason).means
    return f"{means} Salesforce says: “{words}”." if words else means
