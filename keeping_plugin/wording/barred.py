"""Why Salesforce refuses a connection's login for a while, in plain words, and the place in
Salesforce Setup where somebody can change that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class BarredReason(NamedTuple):
    """`means` is one sentence; `where` says who can fix it and where in Setup."""

    means: str
    where: str


BARRED: Mapping[str, BarredReason] = {
    "restricted": BarredReason(
        "Salesforce does not accept this login from this inbox's IP address, or at this time "
        "of day.",
        "A Salesforce admin can allow it in Setup › Profiles › the profile of the connected "
        "user › Login IP Ranges and Login Hours, or in Setup › External Client App Manager › "
        "this app › Policies (IP Relaxation, Refresh Token IP Allowlist).",
    ),
    "away": BarredReason(
        "Salesforce says that logging in is not possible at the moment.",
        "No action needed. A Salesforce admin can see the refused logins in Setup › Login History.",
    ),
    "not_approved": BarredReason(
        "The connected Salesforce user is no longer allowed to use this app.",
        "A Salesforce admin can allow it in Setup › External Client App Manager › this app › "
        "Policies (Permitted Users, and the profiles and permission sets chosen there).",
    ),
    "not_installed": BarredReason(
        "This app is not installed in the Salesforce org, or was blocked there.",
        "A Salesforce admin can install or unblock it in Setup › Connected Apps OAuth Usage.",
    ),
    "configuration": BarredReason(
        "Salesforce does not accept this app's registration.",
        "The operator of this inbox should compare KEEPING_SALESFORCE_CLIENT_ID and "
        "KEEPING_SALESFORCE_CLIENT_SECRET with Setup › External Client App Manager › this "
        "app › Settings › OAuth Settings.",
    ),
    "scope": BarredReason(
        "The session that Salesforce issued cannot use the API: the app lacks the scope “api”.",
        "A Salesforce admin has to add “Manage user data via APIs (api)” in Setup › External "
        "Client App Manager › this app › Settings › OAuth Settings; reconnect afterwards.",
    ),
    "session": BarredReason(
        "Salesforce renews the login but does not accept the session it has just issued.",
        "A Salesforce admin can check Setup › Session Settings (sessions locked to an IP "
        "address or a domain), Setup › API Access Control and Setup › Login History.",
    ),
    "dpop": BarredReason(
        "The app in Salesforce issues tokens that require proof of possession (DPoP), which this "
        "inbox does not support.",
        "A Salesforce admin can turn DPoP off for this app in Setup › External Client App Manager.",
    ),
    "org_inactive": BarredReason(
        "The Salesforce org is locked or suspended.",
        "A Salesforce admin can check Setup › Company Information and Setup › Your Account, "
        "and ask Salesforce.",
    ),
    "version": BarredReason(
        "The Salesforce org no longer supports the API version that this inbox uses.",
        "The operator of this inbox can update keeping_plugin or set "
        "KEEPING_SALESFORCE_API_VERSION to a version that the org supports.",
    ),
    "untrusted": BarredReason(
        "The response to the login renewal could not be verified as coming from Salesforce, "
        "so it was not used.",
        "The operator of this inbox should check the proxies between it and Salesforce; a "
        "Salesforce admin can see the renewals in Setup › Login History.",
    ),
    "refused": BarredReason(
        "Salesforce is refusing this login for now.",
        "A Salesforce admin can find the refusals in Setup › Login History and the app in "
        "Setup › Connected Apps OAuth Usage.",
    ),
}


def barred_reason(reason: str | None) -> BarredReason:
    """The sentences of a reason code; the general ones for a code not in the table."""
    return BARRED.get(reason or "refused", BARRED["refused"])


def barred_sentence(reason: str | None, words: str | None) -> str:
    """What it means, in our words and in Salesforce's."""
    means = barred_reason(reason).means
    return f"{means} Salesforce says: “{words}”." if words else means
