"""The Automation tab: two switches a mailbox, both off until an admin says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from keeping_plugin.addresses import shown_domain
from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.errors import NotFound
from keeping_plugin.forms import brake
from keeping_plugin.services.admin import overview
from keeping_plugin.services.admin.overview import Standing
from keeping_plugin.services.automation import backfill_progress, policy, skip_list
from keeping_plugin.services.automation.policy import MailboxAutomation
from keeping_plugin.services.automation.skip_list import SkipList
from keeping_plugin.services.connection import connect
from keeping_plugin.services.people import accounts
from keeping_plugin.services.people import policy as people
from keeping_plugin.services.people.policy import AddAs, CompanyPeople, PeopleChoices
from keeping_plugin.services.schema import describe, sending
from keeping_plugin.services.schema.sending import Obstacle
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Action, Agent, Mailbox
from keeping_plugin.wording import people as people_words
from keeping_plugin.wording.backfill import ended_sentence
from keeping_plugin.wording.connection import INTERRUPTIONS
from keeping_plugin.wording.people import OWNERS


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One mailbox with its switches."""

    mailbox: Mailbox
    add_contacts: bool
    log_tasks: bool
    as_leads: bool = False


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """One domain of the company's list; `shown` is how its owner writes it."""

    domain: str
    shown: str
    skip_logging: bool


def automation() -> ResponseReturnValue:
    """Show a mailbox's switches, those of the first unless `?mailbox=` names one, or set them."""
    agent, mailboxes, chosen = of_mailbox()
    if request.method == "GET" or chosen is None:
        return page(agent, mailboxes, chosen)
    wanted = MailboxAutomation("add_contacts" in request.form, "log_tasks" in request.form)
    with current_runtime().database.read() as session:
        kept = policy.mailbox_automation(session, agent.company_id, chosen.id)
        choices = people.load(session, agent.company_id).of(chosen.id)
        refused = _refused(_obstacles(session, agent.company_id, choices), kept, wanted)
    if refused:
        return page(agent, mailboxes, chosen, refused=refused, toggles=wanted), 422
    with current_runtime().database.write() as session:
        policy.set_mailbox_automation(
            session,
            agent,
            chosen.id,
            add_contacts=wanted.add_contacts,
            log_tasks=wanted.log_tasks,
        )
    notices.add_notice(f"{chosen.name}: saved. {_said(wanted, choices)}")
    return redirect(url_for(".automation", mailbox=chosen.id), 303)


def _obstacles(
    session: Session, company_id: str, choices: PeopleChoices
) -> Mapping[Action, Sequence[Obstacle]]:
    """What the connected org has in store for each automation; nothing while nobody knows."""
    row = connect.current(session, company_id)
    if row is None or not describe.is_described(session, row.id):
        return {}
    schemas = describe.schemas(session, row.id)
    lead = choices.add_as is AddAs.LEAD
    return {
        action: sending.obstacles(schemas, action, lead=lead, defaults=choices.defaults)
        for action in Action
    }


def _refused(
    obstacles: Mapping[Action, Sequence[Obstacle]],
    kept: MailboxAutomation,
    wanted: MailboxAutomation,
) -> list[Action]:
    """The automations that are to be switched on and would fail on every message."""
    switched = {
        Action.ADD_CONTACT: wanted.add_contacts and not kept.add_contacts,
        Action.LOG_TASK: wanted.log_tasks and not kept.log_tasks,
    }
    return [
        action
        for action, on in switched.items()
        if on and any(one.blocks for one in obstacles.get(action, ()))
    ]


def _said(wanted: MailboxAutomation, choices: PeopleChoices) -> str:
    added = "Leads" if choices.add_as is AddAs.LEAD else "Contacts"
    if wanted.add_contacts and wanted.log_tasks:
        return f"New customers become {added} and every message is logged."
    if wanted.add_contacts:
        return f"New customers become {added}; messages are not logged."
    if wanted.log_tasks:
        return "Messages are logged; new customers are not added."
    return "Both automations are off."


def of_mailbox() -> tuple[Agent, Sequence[Mailbox], Mailbox | None]:
    """As `of_mailboxes`, with the first mailbox where the address names none."""
    agent, mailboxes, named = of_mailboxes()
    if "mailbox" not in request.args and mailboxes:
        named = mailboxes[0]
    return agent, mailboxes, named


def of_mailboxes() -> tuple[Agent, Sequence[Mailbox], Mailbox | None]:
    """The admin of this request, the company's mailboxes, and the one that `?mailbox=` names.
    Raises NotFound for an id that is not the company's."""
    agent = guards.admin()
    mailboxes = list(current_runtime().helpdesk.mailboxes(agent.company_id))
    guards.end_host_transaction()
    wanted = request.args.get("mailbox")
    named = next((each for each in mailboxes if each.id == wanted), None)
    if wanted is not None and named is None:
        raise NotFound("This mailbox does not exist.")
    return agent, mailboxes, named


def page(
    agent: Agent,
    mailboxes: Sequence[Mailbox],
    chosen: Mailbox | None,
    **context: object,
) -> str:
    """The whole tab. `context` holds what was typed and what was wrong with it: `toggles` are
    switches that were not saved, those of `refused` because the org stands in their way."""
    helpdesk = current_runtime().helpdesk
    with current_runtime().database.read() as session:
        set_up = policy.mailbox_automations(session, agent.company_id)
        standing = overview.standing(connect.latest(session, agent.company_id))
        skipped = skip_list.read(session, agent.company_id)
        choices = people.load(session, agent.company_id)
        mine = choices.of(chosen.id if chosen else people.COMPANY)
        obstacles = _obstacles(session, agent.company_id, mine)
        problems = _problems(session, agent.company_id, mine)
        progress = (
            backfill_progress.latest(session, agent.company_id, chosen.id) if chosen else None
        )
        beside_0_1_0 = people.beside_0_1_0(session)
    rows = [
        MailboxRow(
            mailbox,
            toggles.add_contacts,
            toggles.log_tasks,
            choices.of(mailbox.id).add_as is AddAs.LEAD,
        )
        for mailbox in mailboxes
        for toggles in (set_up.get(mailbox.id, MailboxAutomation()),)
    ]
    follows = chosen is None or choices.own(chosen.id).isdisjoint(brake.NAMES)
    kept = next((row for row in rows if row.mailbox == chosen), None)
    return render_template(
        "keeping/settings/automation.html",
        tabs=tabs("automation"),
        mailboxes=rows,
        mailbox=chosen,
        kept=kept,
        obstacles=obstacles,
        choices=mine,
        people_words=people_words,
        beside_0_1_0=beside_0_1_0,
        people_own=bool(chosen and choices.own(chosen.id)),
        private=_private(rows, choices),
        people_problems=problems,
        limited=[
            each.name
            for each in mailboxes
            if each != chosen and not choices.own(each.id).isdisjoint(brake.NAMES)
        ],
        connected=standing in (Standing.LIVE, Standing.BARRED, Standing.LOST),
        interruption=INTERRUPTIONS.get(standing),
        owners=OWNERS,
        progress=progress,
        ended_sentence=ended_sentence,
        skipped=_skipped_rows(skipped),
        internal=sorted(helpdesk.internal_addresses(agent.company_id)),
        host_skipped=sorted(helpdesk.skipped_domains(agent.company_id)),
        **{
            "toggles": kept,
            "refused": (),
            "brake": brake.BrakeForm.of(mine, everywhere=follows),
            **context,
        },
    )


def _problems(session: Session, company_id: str, choices: PeopleChoices) -> list[str]:
    """What of these choices Salesforce does not take any more."""
    row = connect.current(session, company_id)
    if row is None:
        return []
    schemas = describe.schemas(session, row.id)
    found = [
        f"{sentence} The value is left out."
        for name, chosen in choices.defaults.items()
        if name in schemas
        for sentence in sending.unusable(schemas[name], chosen)
    ]
    if schemas and (choices.looks_for_accounts or choices.account_id):
        why = accounts.why_not(schemas)
        found += [f"{why} {people_words.NO_ACCOUNTS}"] if why else []
    if choices.account_id in accounts.kept(session, row.id, (), current_runtime().times).gone:
        found.append(people_words.CHOSEN_GONE)
    return found


def _private(rows: Sequence[MailboxRow], choices: CompanyPeople) -> list[tuple[bool, list[str]]]:
    """The mailboxes in which everyone who is added stays private, and those in which some may."""
    names: dict[bool, list[str]] = {True: [], False: []}
    for row in rows:
        theirs = choices.of(row.mailbox.id)
        if row.add_contacts and theirs.may_stay_private:
            names[not theirs.looks_for_accounts].append(row.mailbox.name)
    return list(names.items())


def _skipped_rows(skipped: SkipList) -> list[SkippedRow]:
    rows = [(domain, False) for domain in skipped.skipped]
    rows += [(domain, True) for domain in skipped.unlogged]
    return [SkippedRow(domain, shown_domain(domain), unlogged) for domain, unlogged in sorted(rows)]
