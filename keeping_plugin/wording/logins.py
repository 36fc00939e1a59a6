"""Why a login ended without a grant: the codes of `LoginRefused.reason`, in one table."""

from __future__ import annotations

from collections.abc import Mapping

from keeping_plugin.wording.barred import BARRED


def _at_login(reason: str) -> str:
    means, where = BARRED[reason]
    return f"{means} {where}"


REASONS: Mapping[str, str] = {
    "denied": "Access was denied on Salesforce's page. Start again and choose Allow.",
    "expired": "Salesforce no longer recognizes this login. Start again.",
    "not_installed": (
        "This app is not installed in your Salesforce org. A Salesforce admin can install it under "
        "Setup, Connected Apps OAuth Usage."
    ),
    "not_approved": (
        "This Salesforce user is not allowed to use the app. A Salesforce admin can approve "
        "it in the app's policies."
    ),
    "inactive": "This Salesforce user or org is not active.",
    "configuration": (
        "Salesforce does not accept this app's registration. Compare its consumer key, secret and "
        "callback address with KEEPING_SALESFORCE_CLIENT_ID and KEEPING_SALESFORCE_CLIENT_SECRET."
    ),
    "no_refresh_token": (
        "Salesforce issued no refresh token, so the connection would end within hours. Allow "
        "the scopes api and refresh_token on the app."
    ),
    "version": (
        "This Salesforce org has no API version that this inbox supports. The operator of "
        "the inbox can update keeping_plugin or set KEEPING_SALESFORCE_API_VERSION."
    ),
    "untrusted": (
        "The response to this login could not be verified as coming from Salesforce, so it was "
        "not used."
    ),
    "restricted": _at_login("restricted"),
    "away": _at_login("away"),
    "dpop": _at_login("dpop"),
    "not_accepted": _at_login("session"),
    "refused": "Salesforce refused the login.",
}
