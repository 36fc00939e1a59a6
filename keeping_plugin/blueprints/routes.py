"""Every URL of the plugin: its rule, its endpoint, its view and the methods that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keeping_plugin.blueprints.corrections import repair, undo
from keeping_plugin.blueprints.panel import (
    add,
    address,
    api,
    duplicates,
    edit,
    find,
    log,
    search,
    view,
)
from keeping_plugin.blueprints.settings import (
    activity,
    audit,
    automation,
    backfill,
    brake,
    connection,
    fields,
    finding,
    oauth,
    owners,
    people,
    preview,
    skip_list,
)
from keeping_plugin.blueprints.web.guards import ROW_ID

Route = tuple[str, str, Callable[..., Any], tuple[str, ...]]

GET = ("GET",)
POST = ("POST",)
FORM = ("GET", "POST")

PANEL = "/conversations/<conversation_id>"
RECORD = f"{PANEL}/<object>/<record_id>"
AUTOMATION = "/settings/automation"
BACKFILL = f"{AUTOMATION}/backfill"
UNDO = "/settings/activity/undo"

ROUTES: tuple[Route, ...] = (
    # Agents: the panel beside a conversation.
    (PANEL, "panel", view.panel, GET),
    (f"{PANEL}/pick", "pick", view.pick, POST),
    (f"{PANEL}/unpick", "unpick", find.unpick, POST),
    (f"{PANEL}/find", "find", find.find, GET),
    (f"{PANEL}/address", "address", address.address, FORM),
    (f"{PANEL}/use", "use", duplicates.use, POST),
    (f"{PANEL}/search/<object>", "search", search.search_records, GET),
    (f"{PANEL}/new/<object>", "create", add.create, FORM),
    (f"{PANEL}/log", "conversation_log", log.log, GET),
    (f"{PANEL}/log/<{ROW_ID}:entry_id>/retry", "retry_entry", log.retry, POST),
    (f"{PANEL}/log/now", "log_now", log.log_now, POST),
    (f"{PANEL}/log/not", "do_not_log", log.do_not_log, POST),
    (f"{PANEL}/log/again", "log_again", log.log_again, POST),
    (f"{RECORD}/edit", "edit_record", edit.edit_record, FORM),
    (f"{RECORD}/edit/<field>", "edit_field", edit.edit_field, FORM),
    (f"{RECORD}/field/<field>", "field", edit.show_field, GET),
    ("/openapi.json", "openapi", api.openapi, GET),
    # Admins: the connection.
    ("/settings/", "settings", connection.settings, GET),
    ("/settings/connect", "connect", oauth.connect, POST),
    ("/settings/connect/status", "connect_status", oauth.connect_status, GET),
    ("/settings/confirm", "confirm", oauth.confirm, POST),
    ("/settings/disconnect", "disconnect", connection.disconnect, FORM),
    ("/settings/preflight", "preflight", connection.run_preflight, POST),
    ("/settings/schema", "schema", connection.refresh_schema, POST),
    ("/settings/schema/progress", "schema_progress", connection.schema_progress, GET),
    ("/oauth/callback", "oauth_callback", oauth.oauth_callback, GET),
    ("/oauth/done", "oauth_done", oauth.oauth_done, GET),
    ("/settings/repair", "repair", repair.repair, FORM),
    ("/settings/finding", "finding", finding.finding_page, FORM),
    # Admins: the other tabs.
    ("/settings/fields/<object>", "fields", fields.fields, FORM),
    ("/settings/creating", "creating", fields.creating_page, FORM),
    ("/settings/creating/<object>", "create_form", fields.create_form, FORM),
    (AUTOMATION, "automation", automation.automation, FORM),
    (f"{AUTOMATION}/brake", "automation_brake", brake.set_limits, POST),
    (f"{AUTOMATION}/once", "automation_once", brake.log_once, POST),
    (f"{AUTOMATION}/skip", "automation_skip", skip_list.change_list, POST),
    (f"{AUTOMATION}/people", "people", people.people_page, FORM),
    (f"{AUTOMATION}/people/<object>", "people_values", people.values_page, FORM),
    (f"{AUTOMATION}/try", "automation_try", preview.try_address, GET),
    (f"{AUTOMATION}/preview", "automation_preview", preview.preview, GET),
    (f"{AUTOMATION}/owners", "owners", owners.owners_page, FORM),
    (f"{AUTOMATION}/owners/agent", "agent_user", owners.agent_user, FORM),
    (BACKFILL, "backfill", backfill.preview, GET),
    (BACKFILL, "backfill_start", backfill.start, POST),
    (f"{BACKFILL}/progress", "backfill_progress", backfill.progress, GET),
    (f"{BACKFILL}/<{ROW_ID}:run_id>", "backfill_change", backfill.change, POST),
    ("/settings/activity", "activity", activity.activity, FORM),
    (UNDO, "undo", undo.undo, GET),
    (f"{UNDO}/confirm", "undo_confirm", undo.confirm, FORM),
    (f"{UNDO}/<{ROW_ID}:run_id>", "undo_run", undo.run, GET),
    (f"{UNDO}/<{ROW_ID}:run_id>/progress", "undo_progress", undo.run_progress, GET),
    (f"{UNDO}/<{ROW_ID}:run_id>/stop", "undo_stop", undo.stop, POST),
    (f"{UNDO}/allow", "undo_allow", undo.allow, POST),
    ("/settings/activity/held", "held", brake.review, FORM),
    ("/settings/audit", "audit", audit.audit, GET),
)
