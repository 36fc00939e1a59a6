"""A client of the control prefix, for tests, the demo, smoke runs and benchmarks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import requests

Json = dict[str, Any]


class ControlRefused(Exception):
    """The control prefix did not do what was asked; the text says why."""


class Control:
    """The verbs of one site. ``base_url`` is the org's, without the prefix."""

    def __init__(self, base_url: str, *, timeout: float = 30.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._http = requests.Session()
        self._http.trust_env = False

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any verb: its JSON answer, or ``ControlRefused``."""
        url = f"{self.base_url}/__control__{path}"
        answer = self._http.request(method, url, json=body, timeout=self._timeout)
        if answer.status_code >= 400:
            raise ControlRefused(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def status(self) -> Json:
        """What the site is: kind, base_url, organization_id, users, tokens, usage, late."""
        found: Json = self.call("GET", "/")
        return found

    # -- settings, clock, usage ------------------------------------------------------------------
    def set(self, **settings: Any) -> Json:
        """Change settings (see ``site.Settings``); all of them as they are now."""
        found: Json = self.call("PATCH", "/settings", settings)
        return found

    def reset(self) -> None:
        """Back to the start: no faults, no rules, settings, usage, clock and log as at first.

        Records, users, fields, rights, redirects and tokens stay.
        """
        self.call("POST", "/reset")

    def move(self, *, left: str = "redirect") -> str:
        """Serve the org at a fresh address, which token answers tell from now on. ``left`` is what
        the one before says: ``redirect``, ``no_route`` (420), ``not_found`` or ``gone`` (nobody
        listens; not the login host). The new address."""
        return str(self.call("POST", "/move", {"left": left})["url"])

    def allow_redirect(self, uri: str) -> None:
        """Register a redirect address with the connected app."""
        self.call("POST", "/redirects", {"uri": uri})

    def usage(self, *, used: int | None = None, limit: int | None = None) -> Json:
        """The API requests of the last 24 hours and the allocation; set what is given."""
        body = {"used": used, "limit": limit}
        given = {name: value for name, value in body.items() if value is not None}
        found: Json = self.call("POST", "/usage", given) if given else self.call("GET", "/usage")
        return found

    def now(self) -> datetime:
        """The org's time."""
        return datetime.fromisoformat(self.call("GET", "/clock")["now"])

    def advance(self, seconds: float) -> datetime:
        """Move the org's clock."""
        found = self.call("POST", "/clock", {"advance": seconds})
        return datetime.fromisoformat(found["now"])

    def set_clock(self, moment: datetime) -> None:
        """Set the org's clock; it runs on from there."""
        self.call("POST", "/clock", {"set": moment.isoformat()})

    def hold_clock(self) -> None:
        """Stop the org's clock."""
        self.call("POST", "/clock", {"hold": True})

    def release_clock(self) -> None:
        """Let the org's clock run again."""
        self.call("POST", "/clock", {"release": True})

    # -- faults ----------------------------------------------------------------------------------
    def fault(
        self,
        kind: str,
        *,
        when: str | None = None,
        times: int | None = 1,
        skip: int = 0,
        lasting: float | None = None,
        scope: Mapping[str, str] | None = None,
        **options: Any,
    ) -> int:
        """Order a fault (see ``faults.CALL_FAULTS`` and ``row_refused``); its number.

        ``times`` None lets it stand until it is removed, ``lasting`` for so many seconds.
        """
        body = {
            "kind": kind,
            "when": when,
            "times": times,
            "skip": skip,
            "lasting": lasting,
            "scope": dict(scope or {}),
            "options": options,
        }
        return int(self.call("POST", "/faults", body)["number"])

    def faults(self) -> list[Json]:
        """Every ordered fault with how often it struck."""
        found: list[Json] = self.call("GET", "/faults")
        return found

    def clear_faults(self, number: int | None = None) -> None:
        """Remove one fault, or all."""
        self.call("DELETE", "/faults" if number is None else f"/faults/{number}")

    def wait_until_committed(self, *, seconds: float = 60.0) -> None:
        """Wait until no operation is left whose caller has gone; TimeoutError after so long."""
        end = time.monotonic() + seconds
        while self.status()["late"]:
            if time.monotonic() > end:
                raise TimeoutError("operations are still to be carried out")
            time.sleep(0.02)

    # -- log -------------------------------------------------------------------------------------
    def log(self, *, after: int = 0) -> list[Json]:
        """The calls since the last reset, oldest first (see ``requestlog.Entry``)."""
        found: list[Json] = self.call("GET", f"/log?after={after}")
        return found

    def counters(self) -> dict[str, int]:
        """Calls and API requests since the last reset."""
        found: dict[str, int] = self.call("GET", "/counters")
        return found

    def reset_log(self) -> None:
        """Forget the calls and zero the counters."""
        self.call("DELETE", "/log")

    # -- users and tokens ------------------------------------------------------------------------
    def add_user(
        self,
        username: str,
        *,
        last_name: str,
        first_name: str | None = None,
        email: str | None = None,
        permissions: Sequence[str] | None = None,
        password: str = "demo",  # noqa: S107 - users of a simulation
    ) -> Json:
        """Add a user; ``permissions`` None means all of them."""
        body = {
            "username": username,
            "email": email or username,
            "last_name": last_name,
            "first_name": first_name,
            "permissions": None if permissions is None else list(permissions),
            "password": password,
        }
        found: Json = self.call("POST", "/users", body)
        return found

    def change_user(self, user: str, **values: str | bool) -> Json:
        """What an administrator sets on a user; see ``metadata.user_setup``."""
        found: Json = self.call("POST", "/users/change", {"user": user, **values})
        return found

    def set_user_active(self, user: str, active: bool) -> None:
        """Activate or deactivate a user by username or id."""
        self.call("POST", "/users/active", {"user": user, "active": active})

    def login_bounds(self, user: str, *, hours: str = "", addresses: Sequence[str] = ()) -> None:
        """When (``HH:MM-HH:MM`` in UTC) and from where a user may log in; nothing given: always,
        from anywhere."""
        body = {"user": user, "hours": hours, "addresses": list(addresses)}
        self.call("POST", "/users/login-bounds", body)

    def expire_access_tokens(self, user: str | None = None) -> int:
        """End access tokens (of one user), as at the end of a session; how many."""
        body = {} if user is None else {"user": user}
        return int(self.call("POST", "/tokens/expire", body)["ended"])

    def revoke_grants(self, user: str | None = None) -> int:
        """End approvals with all their tokens, as an administrator does; how many."""
        body = {} if user is None else {"user": user}
        return int(self.call("POST", "/tokens/revoke", body)["ended"])

    def tokens(self) -> dict[str, int]:
        """How many chains, access tokens and refresh tokens are alive."""
        found: dict[str, int] = self.call("GET", "/tokens")
        return found

    # -- metadata, rights and rules --------------------------------------------------------------
    def add_field(self, object_name: str, field: Mapping[str, Any]) -> None:
        """Add a field by its describe dict."""
        self.call("POST", "/fields", {"object": object_name, "field": dict(field)})

    def remove_field(self, object_name: str, field_name: str) -> None:
        """Delete a field with its values."""
        self.call("DELETE", f"/fields/{object_name}/{field_name}")

    def use_currencies(self, *codes: str, rates: Mapping[str, float] | None = None) -> None:
        """Several currencies; the first is the corporate one and everybody's own."""
        self.call("POST", "/features", {"currencies": list(codes), "rates": dict(rates or {})})

    def use_addresses(self, *, japan: bool = True, international: bool = True) -> None:
        """What email fields take: dots as Japanese carriers have them, letters beyond ASCII."""
        given = {"japan": japan, "international": international}
        self.call("POST", "/features", {"addresses": given})

    def use_places(self, places: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> None:
        """State and country picklists: states by country, as codes, and what they are called."""
        given = {country: list(states) for country, states in places.items()}
        self.call("POST", "/features", {"places": given, "names": dict(names)})

    def use_feature(self, name: str, **options: Any) -> None:
        """Have a feature from now on (see ``catalog.FEATURES``), or change its options."""
        self.call("POST", "/features", {name: options})

    def object_rights(self, user: str, object_name: str, **rights: bool) -> None:
        """Replace a user's create, read, edit and delete on an object."""
        self.call("POST", "/rights", {"user": user, "object": object_name, **rights})

    def field_rights(self, user: str, object_name: str, field: str, **rights: bool) -> None:
        """Replace a user's readable and editable on a field."""
        body = {"user": user, "object": object_name, "field": field, **rights}
        self.call("POST", "/rights", body)

    def validation_rule(
        self, object_name: str, condition: str, message: str, error_field: str | None = None
    ) -> None:
        """Refuse saves for which a SOQL condition is true."""
        body = {
            "object": object_name,
            "condition": condition,
            "message": message,
            "error_field": error_field,
        }
        self.call("POST", "/rules/validation", body)

    def duplicate_rule(
        self, object_name: str, name: str, *, action: str, match_on: Sequence[str], **more: Any
    ) -> None:
        """Refuse (block) or warn (alert) when a record equals another in ``match_on``."""
        body = {"object": object_name, "name": name, "action": action, "match_on": list(match_on)}
        self.call("POST", "/rules/duplicate", {**body, **more})

    def trigger(self, object_name: str, name: str, **more: Any) -> None:
        """A trigger or flow: what it costs a transaction (see ``rules.triggers.Trigger``)."""
        self.call("POST", "/rules/trigger", {"object": object_name, "name": name, **more})

    def assignment_rule(
        self, object_name: str, owner_id: str | None, *, active: bool = True
    ) -> str | None:
        """New Leads or Cases get this user or queue as their owner; None ends the active rule. The
        id of the rule, which runs when it is named even if it is not active."""
        body = {"object": object_name, "owner_id": owner_id, "active": active}
        found: str | None = self.call("POST", "/rules/assignment", body)["id"]
        return found

    def auto_response(self, object_name: str) -> None:
        """Answer the senders of new Cases or Leads by mail."""
        self.call("POST", "/rules/auto-response", {"object": object_name})

    def notifications(self) -> list[Json]:
        """The mail that assignment and auto-response rules sent: reason, address, record_id."""
        found: list[Json] = self.call("GET", "/notifications")
        return found

    def clear_rules(self) -> None:
        """Remove every rule."""
        self.call("DELETE", "/rules")

    # -- sharing ---------------------------------------------------------------------------------
    def share(self, **defaults: str) -> Json:
        """Restrict rows by organization-wide defaults: the value of ``Organization.Default…Access``
        by object, the factory's for those left out. The defaults in force."""
        found: Json = self.call("POST", "/sharing", defaults)
        return found

    def share_everything(self) -> None:
        """Show every row to everybody again."""
        self.call("DELETE", "/sharing")

    def restrict(self, object_name: str, condition: str | None) -> None:
        """Show only rows for which a SOQL condition holds, but to those who see all; None ends the
        rule."""
        self.call("POST", "/restrictions", {"object": object_name, "condition": condition})

    def role(self, name: str, *users: str, parent: str | None = None) -> None:
        """A role below ``parent``, and the users who have it."""
        self.call("POST", "/roles", {"name": name, "parent": parent, "users": list(users)})

    def queue(self, name: str, objects: Sequence[str], members: Sequence[str] = ()) -> str:
        """A queue for records of these objects; its id."""
        body = {"name": name, "objects": list(objects), "members": list(members)}
        return str(self.call("POST", "/queues", body)["id"])

    # -- records ---------------------------------------------------------------------------------
    def query(self, soql: str, *, all_rows: bool = False) -> list[Json]:
        """The records of a query as the administrator, read to the end; costs no API request."""
        body = {"soql": soql, "all_rows": all_rows}
        found: list[Json] = self.call("POST", "/query", body)["records"]
        return found

    def count(self, soql: str, *, all_rows: bool = False) -> int:
        """How many records a query finds."""
        body = {"soql": soql, "all_rows": all_rows}
        return int(self.call("POST", "/query", body)["totalSize"])

    def create(self, object_name: str, *, user: str | None = None, **values: Any) -> str:
        """Create a record as the administrator, or as ``user``; its id."""
        body = {"object": object_name, "fields": values}
        if user is not None:
            body["user"] = user
        return str(self.call("POST", "/records", body)["id"])

    def create_many(
        self, object_name: str, records: Sequence[Mapping[str, Any]], *, user: str | None = None
    ) -> list[str]:
        """Create records in one transaction, all or none; their ids in order. 10,000 take a few
        seconds."""
        body: Json = {"object": object_name, "records": [dict(record) for record in records]}
        if user is not None:
            body["user"] = user
        return [str(one) for one in self.call("POST", "/records", body)["ids"]]

    def update(self, object_name: str, record_id: str, **values: Any) -> None:
        """Change a record as the administrator."""
        self.call("PATCH", f"/records/{object_name}/{record_id}", {"fields": values})

    def delete(self, object_name: str, record_id: str) -> None:
        """Put a record into the recycle bin."""
        self.call("DELETE", f"/records/{object_name}/{record_id}")

    def undelete(self, record_id: str) -> list[str]:
        """Take a record out of the recycle bin with what went with it; their ids."""
        found: list[str] = self.call("POST", "/undelete", {"id": record_id})["ids"]
        return found

    def archive(self) -> int:
        """Run the archiving of old closed activities; how many it archived."""
        return int(self.call("POST", "/archive")["archived"])

    def empty_bin(self, *, days: float = 15) -> int:
        """Forget what was deleted so many days ago; how many records."""
        return int(self.call("POST", "/bin/empty", {"days": days})["forgotten"])

    def merge(self, object_name: str, *, master: str, loser: str, third: str | None = None) -> None:
        """Merge two records, or three."""
        losers = [loser] if third is None else [loser, third]
        self.call("POST", "/merge", {"object": object_name, "master": master, "losers": losers})

    def convert(self, lead: str, *, user: str | None = None, **order: Any) -> Json:
        """Convert a Lead as the administrator, or as ``user``; the ids that came out of it.
        ``order``: see ``records.conversion.ConversionOrder``."""
        body = {"lead": lead, **order, **({} if user is None else {"user": user})}
        found: Json = self.call("POST", "/convert", body)
        return found
