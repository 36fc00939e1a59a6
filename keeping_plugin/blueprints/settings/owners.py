"""Whose the records of the automations become: the choice, and which user each agent is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.automation import of_mailboxes
from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.errors import InvalidInput, KeepingError, NotConnected, NotFound
from keeping_plugin.models import AgentUser, Connection
from keeping_plugin.services.admin import agent_users
from keeping_plugin.services.connection import connect
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.people import agents, owners, policy
from keeping_plugin.services.people.policy import Owner
from keeping_plugin.services.schema import describe
from keeping_plugin.state import current_runtime
from keeping_plugin.times import PANEL_CALL
from keeping_plugin.types import Agent, Mailbox, UserFound
from keeping_plugin.wording.errors import error_sentence
from keeping_plugin.wording.people import MATCHES, NOBODY_NAMED, NOT_OWNED_YET, OWNERS

_OWNER = ("owner", "owner_id", "owner_name")


@dataclass(frozen=True, slots=True)
class UserPick:
    """A user being looked for: what was typed, whom it found, who is chosen, what is wrong."""

    typed: str = ""
    hits: Sequence[UserFound] = ()
    chosen: UserFound | None = None
    problem: str = ""


def owners_page() -> ResponseReturnValue:
    """Show the choice of the company, or of `?mailbox=`, and the agents; or change the choice."""
    agent, mailboxes, mailbox = of_mailboxes()
    if request.method == "GET":
        return _page(agent, mailboxes, mailbox)
    match request.form.get("do", "save"):
        case "check":
            return _check_agents(agent, mailbox)
        case "company" if mailbox is not None:
            with current_runtime().database.write() as session:
                policy.follow_company(session, agent, mailbox.id, _OWNER)
            notices.add_notice(f"{mailbox.name} follows the company again.")
            return _back(mailbox)
    return _choose(agent, mailboxes, mailbox)


def _choose(
    agent: Agent, mailboxes: Sequence[Mailbox], mailbox: Mailbox | None
) -> ResponseReturnValue:
    try:
        owner = Owner(request.form.get("owner", ""))
    except ValueError:
        raise InvalidInput("Choose who owns the records.", field="owner") from None
    if request.form.get("do") == "find" and request.form.get("user", "").strip():
        owner = Owner.CHOSEN_USER  # who looks for a user means to choose one
    runtime, scope = current_runtime(), mailbox.id if mailbox else policy.COMPANY
    with runtime.database.read() as session:
        kept = policy.load(session, agent.company_id).of(scope)
        connection = connect.current(session, agent.company_id)
    wanted: dict[str, object] = {"owner": owner}
    if owner is Owner.CHOSEN_USER:
        known = UserFound(kept.owner_id, kept.owner_name, "") if kept.owner_id else None
        pick = _pick(agent, connection, known, queues=True)
        if pick.chosen is None or pick.hits:
            page = _page(agent, mailboxes, mailbox, owner=owner, pick=pick)
            return page, 422 if pick.problem else 200
        wanted |= {"owner_id": pick.chosen.id, "owner_name": pick.chosen.name}
    with runtime.database.write() as session:
        policy.save(session, agent, scope, **wanted)
        if connection is not None and owner is Owner.CHOSEN_USER:
            owners.forget_refused(session, connection.id, str(wanted["owner_id"]))
    where = mailbox.name if mailbox else "All mailboxes"
    notices.add_notice(f"{where}: saved. {OWNERS[owner].effect}")
    return _back(mailbox)


def _pick(
    agent: Agent, connection: Connection | None, known: UserFound | None, *, queues: bool = False
) -> UserPick:
    """What the fields of `pick_user.html` say. With `hits` a choice is still to be made."""
    typed, chosen_id = request.form.get("user", "").strip(), request.form.get("user_id", "")
    if not typed and not chosen_id:
        problem = "" if known else "Type a part of the user’s name."
        return UserPick(chosen=known, problem=problem)
    asked = request.form.get("do") == "find" or typed != request.form.get("searched", "")
    search = typed and (asked or not chosen_id)
    try:
        if connection is None or connection.lost_at is not None:
            raise NotConnected("Salesforce is not connected.")
        with current_runtime().asked_by(
            agent, connection.id, Feature.RECORDS, within=PANEL_CALL
        ) as gateway:
            if search:
                hits = [hit for hit in gateway.users_named(typed) if queues or not hit.is_queue]
                problem = "" if hits else NOBODY_NAMED[queues]
                return UserPick(typed, hits, known, problem)
            found = [hit for hit in gateway.users((), [chosen_id]) if queues or not hit.is_queue]
    except KeepingError as error:
        return UserPick(typed, chosen=None, problem=error_sentence(error))
    problem = "" if found else "This user is no longer active in Salesforce."
    return UserPick(typed, chosen=found[0] if found else None, problem=problem)


def _check_agents(agent: Agent, mailbox: Mailbox | None) -> ResponseReturnValue:
    runtime = current_runtime()
    with runtime.database.read() as session:
        connection = connect.current(session, agent.company_id)
    try:
        if connection is None or connection.lost_at is not None:
            raise NotConnected("Salesforce is not connected.")
        with runtime.asked_by(agent, connection.id, Feature.SCHEMA) as gateway:
            agents.check_again(runtime, agent, gateway, connection)
        notices.add_notice("The agents were compared with the users of your Salesforce org.")
    except KeepingError as error:
        notices.add_notice(f"The agents could not be checked. {error_sentence(error)}", good=False)
    return _back(mailbox, anchor="k-agents")


def _back(mailbox: Mailbox | None, anchor: str | None = None) -> ResponseReturnValue:
    return redirect(url_for(".owners", mailbox=mailbox and mailbox.id, _anchor=anchor), 303)


def _page(
    agent: Agent,
    mailboxes: Sequence[Mailbox],
    mailbox: Mailbox | None,
    *,
    owner: Owner | None = None,
    pick: UserPick | None = None,
) -> str:
    scope = mailbox.id if mailbox else policy.COMPANY
    with current_runtime().database.read() as session:
        people = policy.load(session, agent.company_id)
        connection = connect.current(session, agent.company_id)
        number = request.args.get("page", 1, type=int)
        beside_0_1_0 = policy.beside_0_1_0(session)
        listed = agent_users.listing(session, connection.id, number) if connection else None
        schemas = describe.schemas(session, connection.id) if connection else {}
    kept = people.of(scope)
    known = UserFound(kept.owner_id, kept.owner_name, "") if kept.owner_id else None
    return render_template(
        "keeping/settings/owners.html",
        tabs=tabs("automation"),
        mailboxes=mailboxes,
        mailbox=mailbox,
        own={each.id for each in mailboxes if "owner" in people.own(each.id)},
        owner=owner or kept.owner,
        options=OWNERS,
        why_not=owners.why_not(schemas),
        pick=pick or UserPick(chosen=known),
        connection=connection,
        listed=listed,
        matches=MATCHES,
        beside_0_1_0=beside_0_1_0,
        not_owned_yet=NOT_OWNED_YET,
    )


def agent_user() -> ResponseReturnValue:
    """Which user `?agent=` is: show, look for a user, or set what an admin says."""
    agent = guards.admin()
    agent_id = request.args.get("agent", "")
    with current_runtime().database.read() as session:
        connection = connect.current(session, agent.company_id)
        line = session.get(AgentUser, (connection.id, agent_id)) if connection else None
    if connection is None or line is None:
        raise NotFound("This agent is not known.")
    known = UserFound(line.user_id, line.user_name, "") if line.user_id else None
    pick = UserPick(hits=[UserFound(*each) for each in line.candidates or ()], chosen=known)
    status = 200
    if request.method == "POST":
        what = request.form.get("do", "save")
        if what == "match":
            with current_runtime().database.write() as session:
                agents.match_again(session, agent, connection.id, agent_id)
            return _check_agents(agent, None)
        if what == "nobody":
            return _set(agent, connection, agent_id, None)
        pick = _pick(agent, connection, known)
        if pick.chosen is not None and not pick.hits:
            return _set(agent, connection, agent_id, pick.chosen)
        status = 422 if pick.problem else 200
    page = render_template(
        "keeping/settings/agent_user.html",
        tabs=tabs("automation"),
        line=line,
        text=MATCHES[line.found],
        pick=pick,
    )
    return page, status


def _set(
    agent: Agent, connection: Connection, agent_id: str, user: UserFound | None
) -> ResponseReturnValue:
    with current_runtime().database.write() as session:
        agents.choose(session, agent, connection.id, agent_id, user)
        if user is not None:
            owners.forget_refused(session, connection.id, user.id)
    notices.add_notice("Saved.")
    return redirect(url_for(".owners", _anchor="k-agents"), 303)
