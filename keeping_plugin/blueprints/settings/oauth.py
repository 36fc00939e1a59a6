"""Off to Salesforce's login page, back again, and the window that closes itself."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlencode

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.errors import (
    InvalidInput,
    KeepingError,
    NotFound,
    TooBusy,
)
from keeping_plugin.services.connection import connect as connection
from keeping_plugin.services.connection import login
from keeping_plugin.state import current_runtime
from keeping_plugin.wording.connection import SIGNED_IN
from keeping_plugin.wording.errors import login_advice

# In the host's session: what binds a login to this browser, and the window that waits for it.
_SECRET = "keeping_login"  # noqa: S105 - a name
_WINDOW = "keeping_window"
_DONE = "keeping_done"
_NONCE = re.compile(r"[A-Za-z0-9-]{16,64}")


def connect() -> ResponseReturnValue:
    """Send the browser to Salesforce's login page."""
    agent = guards.admin()
    current_runtime().rate.hit(agent.company_id, agent.id)
    secret = session.setdefault(_SECRET, secrets.token_urlsafe(32))
    window = request.form.get("window", "")
    session.pop(_DONE, None)
    session.pop(_WINDOW, None)
    if _NONCE.fullmatch(window):
        session[_WINDOW] = window
    url = login.begin(
        current_runtime(),
        agent,
        session_secret=secret,
        redirect_uri=_callback_address(),
    )
    return redirect(url, 303)


def _callback_address() -> str:
    """Where Salesforce sends the browser back to, grant in hand. Anybody can send a Host header, so
    it is believed only where nothing better is known."""
    base = current_runtime().config.base_url
    if base is None:
        return url_for(".oauth_callback", _external=True)
    return base + url_for(".oauth_callback")


def oauth_callback() -> ResponseReturnValue:
    """Take the grant. A callback that belongs to no open login of this browser is a 400; whatever
    Salesforce refused is said on the settings page."""
    if "again" not in request.args and current_runtime().helpdesk.current_agent() is None:
        arguments = urlencode({**request.args.to_dict(), "again": "1"})
        url = f"{url_for('.oauth_callback')}?{arguments}"
        return render_template("keeping/settings/come_back.html", url=url), 401
    agent = guards.admin()
    try:
        # TooBusy comes before the login is used up: the page it shows can be loaded again.
        with current_runtime().turn(agent):
            outcome = login.finish(
                current_runtime(),
                agent,
                request.args.to_dict(),
                session_secret=session.get(_SECRET, ""),
            )
    except TooBusy:
        raise
    except InvalidInput:
        page = render_template("keeping/settings/login_closed.html")
        return page, 400
    except KeepingError as error:
        # Salesforce's own words come with a full stop and without.
        said = f"{str(error).rstrip('.')}. {login_advice(error)}".rstrip()
        notices.add_notice(f"Salesforce was not connected. {said}", good=False)
    else:
        session.pop(_SECRET, None)
        if outcome in SIGNED_IN:
            notices.add_notice(SIGNED_IN[outcome])
    window = session.pop(_WINDOW, None)
    if window is None:
        return redirect(url_for(".settings"), 303)
    session[_DONE] = window
    return redirect(url_for(".oauth_done"), 303)


def oauth_done() -> ResponseReturnValue:
    """The last page of the window: it tells the settings page and closes itself."""
    return render_template("keeping/settings/done.html", window=session.get(_DONE, ""))


def connect_status() -> ResponseReturnValue:
    """Whether the login in this window has come to its end, for a page that cannot hear from it."""
    guards.admin()
    window = request.args.get("window", "")
    return {"finished": bool(window) and session.get(_DONE) == window}


def confirm() -> ResponseReturnValue:
    """An admin's word on a login to another org."""
    agent = guards.admin()
    runtime = current_runtime()
    seen = request.form.get("connection", 0, type=int)
    try:
        if request.form.get("answer") == "use":
            connection.confirm_org(runtime, agent, connection_id=seen)
            notices.add_notice("Salesforce is connected to the new org.")
        else:
            connection.refuse_org(runtime, agent, connection_id=seen)
            notices.add_notice("The new org was not connected; nothing was changed.")
    except NotFound:
        # Pressed twice, or answered in another window meanwhile.
        notices.add_notice(
            "That login has already been answered, or a newer one replaced it. This page "
            "shows the current state."
        )
    return redirect(url_for(".settings"), 303)
