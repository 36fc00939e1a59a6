"""Facts of the org itself: which one it is, who we are in it, which Task status is a closed one."""

from __future__ import annotations

from keeping_plugin import salesforce_hosts as hosts
from keeping_plugin.errors import ConnectionBarred
from keeping_plugin.salesforce.queries import soql
from keeping_plugin.salesforce.queries.payloads import Malformed, record_id, text
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.composite import Rows
from keeping_plugin.types import OrgFacts, Tokens

_KEPT = 255  # characters of a name; Salesforce allows 80 of an org's and of a user's


def facts(calls: Calls, tokens: Tokens, allow_loopback: bool) -> OrgFacts:
    """The Organization row and the user that the identity URL names. `IsSandbox` is the fact of
    which kind of org this is; host names are hints."""
    who = hosts.identity(tokens.identity_url, allow_loopback=allow_loopback)
    if who is None:
        raise ConnectionBarred("The login did not identify a Salesforce user.", reason="untrusted")
    [orgs, users] = composite.query_rows(
        calls,
        "org_facts",
        soql.select(("Id", "Name", "IsSandbox"), "Organization"),
        soql.record("User", who.user_id, ("Username", "TimeZoneSidKey")),
    )
    if len(orgs) != 1 or len(users) != 1:
        raise Malformed("one org and one user were expected")
    [org], [user] = orgs, users
    if record_id(org)[:15] != who.org_id[:15]:
        raise ConnectionBarred("The login belongs to another Salesforce org.", reason="untrusted")
    return OrgFacts(
        org_id=record_id(org),
        name=text(org, "Name")[:_KEPT],
        is_sandbox=org.get("IsSandbox") is True,
        user_id=record_id(user),
        username=text(user, "Username")[:_KEPT],
        timezone=zone if isinstance(zone := user.get("TimeZoneSidKey"), str) else "",
    )


def closed_status(rows: Rows) -> str | None:
    """The first of the closed statuses, a default one before the others."""
    closed = sorted(
        (row.get("IsDefault") is not True, row.get("SortOrder") or 0, text(row, "ApiName"))
        for row in rows
    )
    return closed[0][2] if closed else None
