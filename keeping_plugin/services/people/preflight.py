"""What the connection check says of the people that the automations add: who will find them, whose
they become, and what may stop them. Nothing is asked while no mailbox adds people or logs Tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import select

from keeping_plugin.errors import (
    OF_THE_CONNECTION,
    KeepingError,
    PermissionDenied,
    SchemaStale,
)
from keeping_plugin.models import AgentUser, Connection, MailboxPolicy, now
from keeping_plugin.objects import ACCOUNT, CONTACT, LEAD, row_of
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.people import accounts, address_fields, agents, owners, policy
from keeping_plugin.services.people.policy import AddAs, Owner, PeopleChoices
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema.preflight import Line, More, Outcome, unknown
from keeping_plugin.types import ObjectSchema, Visibility
from keeping_plugin.wording.people import FIELD_PROBLEMS, NO_ACCOUNTS

# The values of Organization.Default…Access.
_SHARED = {
    "None": "private",
    "Read": "readable for everyone",
    "Edit": "readable and editable for everyone",
    "ReadEditTransfer": "readable and editable for everyone",
    "ControlledByParent": "shared like their Account",
}
_PUBLIC = frozenset({"Read", "Edit", "ReadEditTransfer"})
_ACCOUNT_RIGHTS = (
    "Give the user read access to Account and its Website, and edit access to Contact.AccountId."
)
_ON_THE_TAB = "Change this on the Automation tab, at “New people”."


@dataclass(frozen=True, slots=True)
class _Asked:
    """What applies to the mailboxes whose automations are on, and what the database has."""

    adding: Collection[PeopleChoices]
    owning: Collection[PeopleChoices]
    agents: int
    unsettled: int
    refused: Collection[tuple[str, str]]  # the owner's name, the object


def lines(runtime: Runtime) -> More:
    """The lines of this module, for `schema.preflight.run`: at most two requests."""
    return partial(_lines, runtime)


def _lines(
    runtime: Runtime,
    gateway: SalesforceGateway,
    connection: Connection,
    schemas: Mapping[str, ObjectSchema],
) -> Iterator[Line]:
    yield from _address_fields(runtime, connection, schemas)
    asked = _read(runtime, connection)
    adding = asked.adding
    if why := accounts.why_not(schemas) if any(map(_has_account, adding)) else None:
        yield Line("account_rights", Outcome.ADVICE, f"{why} {NO_ACCOUNTS}", _ACCOUNT_RIGHTS)
        adding = [
            replace(each, by_colleagues=False, by_website=False, account_id="") for each in adding
        ]
    if adding:
        try:
            told = gateway.visibility(connection.user_id)
        except OF_THE_CONNECTION:
            raise
        except KeepingError as error:
            yield unknown("sharing", "who sees which records", error)
        else:
            yield _sharing(told)
            yield _sees_all(told, connection.username)
            yield _added(told, adding)
            yield from _duplicate_rules(told, adding)
    chosen = {choice.owner for choice in asked.owning}
    yield from _owner_rights(chosen, schemas)
    if Owner.AGENT in chosen:
        yield _agents(asked)
    if Owner.CHOSEN_USER in chosen:
        yield from _chosen(gateway, asked)
    for name, object in sorted(asked.refused):
        yield Line(
            f"owner_refused_{object.lower()}_{name}",
            Outcome.ADVICE,
            f"Salesforce did not accept {name} as the owner of a new {object} within the last day; "
            "until tomorrow the connected user owns these.",
            "Check that the user is active and may read this object.",
        )


def _address_fields(
    runtime: Runtime, connection: Connection, schemas: Mapping[str, ObjectSchema]
) -> Iterator[Line]:
    with runtime.database.read() as session:
        ticked = address_fields.load(session, connection.company_id)
    for name, fields in ticked.items():
        for each in address_fields.offered(schemas[name], fields) if name in schemas else ():
            if each.ticked and each.problem:
                label = f"“{each.spec.label}” ({name}.{each.name})" if each.spec else each.name
                yield Line(
                    f"finds_{name.lower()}_{each.name}",
                    Outcome.ADVICE,
                    f"{label} is selected for finding people. {FIELD_PROBLEMS[each.problem]}",
                    f"Give the user access to it again, or clear it on the {row_of(name).tab} tab.",
                )


def _has_account(choices: PeopleChoices) -> bool:
    """Whether these choices give an added person an Account, or a Lead its name."""
    return choices.looks_for_accounts or bool(choices.account_id)


def _owner_rights(chosen: Collection[Owner], schemas: Mapping[str, ObjectSchema]) -> Iterator[Line]:
    """Asked only where somebody else than the connected user is to own records."""
    if not set(chosen) - {Owner.CONNECTING_USER}:
        return
    objects = ", ".join(owners.not_settable(schemas))
    if objects:
        yield Line(
            "owner_rights",
            Outcome.ADVICE,
            "The connected user cannot set the owner (OwnerId) of these objects, so these records "
            f"are their own: {objects}.",
            "Give the user edit access to OwnerId of these objects in Salesforce.",
        )
    for owner, reason in owners.why_not(schemas).items():
        if owner in chosen and not objects:
            yield Line(
                "owner_rights",
                Outcome.ADVICE,
                f"{reason} The connected user owns the records instead.",
                "Give the user read access to Account with its OwnerId, and to Contact.AccountId.",
            )


def _read(runtime: Runtime, connection: Connection) -> _Asked:
    with runtime.database.read() as session:
        people = policy.load(session, connection.company_id)
        switched = session.scalars(
            select(MailboxPolicy).where(
                MailboxPolicy.company_id == connection.company_id,
                MailboxPolicy.add_contacts | MailboxPolicy.log_tasks,
            )
        ).all()
        total, unsettled = agents.counts(session, connection.id)
        refused = owners.refused_lately(session, connection, now(session), runtime.times)
        everywhere = [people.of(each) for each in (policy.COMPANY, *people.mailboxes)]
        names: dict[str | None, str] = {each.owner_id: each.owner_name for each in everywhere}
        names |= dict(
            session.execute(
                select(AgentUser.user_id, AgentUser.user_name).where(
                    AgentUser.connection_id == connection.id,
                    AgentUser.user_id.in_([owner_id for owner_id, _ in refused]),
                )
            ).all()
        )
    return _Asked(
        [people.of(row.mailbox_id) for row in switched if row.add_contacts],
        [people.of(row.mailbox_id) for row in switched],
        total,
        unsettled,
        [(names.get(owner_id) or owner_id, object) for owner_id, object in refused],
    )


def _sharing(told: Visibility) -> Line:
    known = [
        f"{name}s are {_SHARED.get(value, value)}"
        for name, value in told.defaults.items()
        if value is not None
    ]
    if len(known) < len(told.defaults):
        some = "all of its records" if known else "its records"
        finding = f"Salesforce does not say how this org shares {some}"
        known = [finding, *known]
        mend = "In Salesforce, see Setup, Sharing Settings, Organization-Wide Defaults."
        return Line("sharing", Outcome.ADVICE, f"{'; '.join(known)}.", mend)
    return Line("sharing", Outcome.PASSED, f"Sharing in this org: {'; '.join(known)}.")


def _sees_all(told: Visibility, username: str) -> Line:
    if told.all_data or told.all_contacts:
        what = "records" if told.all_data else "Contacts"
        return Line("sees_all", Outcome.PASSED, f"{username} sees all {what}.")
    known = None not in (told.all_data, told.all_contacts)
    finding = (
        f"{username} does not see all Contacts. "
        if known
        else f"Salesforce does not say whether {username} sees all Contacts. "
    )
    return Line(
        "sees_all",
        Outcome.ADVICE,
        finding + "A customer whose Contact the user cannot see counts as new and is added again.",
        "Give the user “View All” on Contacts, or use a duplicate rule that bypasses sharing.",
    )


def _added(told: Visibility, adding: Iterable[PeopleChoices]) -> Line:
    """The worst that today's choices come to in some mailbox."""
    found = max((_finds(told, choices) for choices in adding), key=lambda each: each[0])
    _, finding, mend = found
    outcome = Outcome.ADVICE if mend else Outcome.PASSED
    return Line("added_visible", outcome, finding, mend)


def _finds(told: Visibility, choices: PeopleChoices) -> tuple[int, str, str]:
    """How bad it is, what other users see of whoever is added, and what changes it."""
    if choices.add_as is AddAs.LEAD:
        default = told.defaults.get(LEAD.name)
        if default in _PUBLIC:
            return 0, "Everyone who may read Leads finds the people added.", ""
        if default is None:
            return 2, "Added people are Leads; Salesforce does not say who sees Leads.", _ON_THE_TAB
        finding = "Leads are private: only their owner, and users above the owner, find them."
        return 3, finding, _ON_THE_TAB
    if choices.may_stay_private:
        some = "Some people" if choices.looks_for_accounts else "People"
        why = " because no Account is found for them" if choices.looks_for_accounts else ""
        finding = (
            f"{some} are added without an Account{why}. Nobody but the owner of such a Contact, "
            "and users who see all Contacts, finds it or its Tasks."
        )
        return (
            (4 if choices.looks_for_accounts else 5),
            finding,
            ("On the Automation tab, choose an Account for people without one."),
        )
    contact, account = told.defaults.get(CONTACT.name), told.defaults.get(ACCOUNT.name)
    shared = account if contact == "ControlledByParent" else contact
    if shared in _PUBLIC:
        return 0, "Everyone who may read Contacts finds the people added, and their Tasks.", ""
    if shared is None:
        finding = (
            "People are added with an Account; Salesforce does not say who sees these Contacts."
        )
        return 2, finding, "See Setup, Sharing Settings, Organization-Wide Defaults."
    if contact == "ControlledByParent":
        return 1, "Whoever sees an Account finds the people added to it, and their Tasks.", ""
    finding = "Contacts are private: only their owner, and users above the owner, find them."
    return 3, finding, "Choose who owns them on the Automation tab, at “Owner”."


def _duplicate_rules(told: Visibility, adding: Iterable[PeopleChoices]) -> Iterator[Line]:
    objects = {LEAD.name if each.add_as is AddAs.LEAD else CONTACT.name for each in adding}
    for name in sorted(objects):
        code = f"duplicate_rules_{name.lower()}"
        if told.duplicate_rules is None:
            yield Line(
                code,
                Outcome.ADVICE,
                f"Salesforce does not tell this user which duplicate rules apply to {name}s. One "
                "that blocks keeps people from being added.",
                "See Setup, Duplicate Rules; their names are shown here if the user has “View "
                "Setup and Configuration”.",
            )
            continue
        rules = told.duplicate_rules.get(name, ())
        if not rules:
            yield Line(code, Outcome.PASSED, f"No duplicate rule applies to {name}s.")
            continue
        named = ", ".join(f"“{rule}”" for rule in rules[:5])
        yield Line(
            code,
            Outcome.ADVICE,
            f"Duplicate rules apply to {name}s: {named}. A person whom one of them reports is not "
            "added; the Activity tab says so.",
            "See Setup, Duplicate Rules, if people are missing.",
        )


def _agents(asked: _Asked) -> Line:
    if not asked.agents:
        return Line(
            "agents",
            Outcome.ADVICE,
            "Records belong to the agent, but no agent has been matched to a Salesforce user yet.",
            "On the Automation tab, open “Owner” and press Check again.",
        )
    if not asked.unsettled:
        return Line("agents", Outcome.PASSED, "Every agent is matched to a Salesforce user.")
    number = f"{asked.unsettled:,} of {asked.agents:,} agents"
    return Line(
        "agents",
        Outcome.ADVICE,
        f"{number} have no single Salesforce user, so the connected user owns their records.",
        "On the Automation tab, open “Owner” to see and set them.",
    )


def _chosen(gateway: SalesforceGateway, asked: _Asked) -> Iterator[Line]:
    chosen = {
        each.owner_id: each.owner_name
        for each in asked.owning
        if each.owner is Owner.CHOSEN_USER and each.owner_id
    }
    try:
        active = {user.id[:15] for user in gateway.users((), list(chosen))}
    except OF_THE_CONNECTION:
        raise
    except (PermissionDenied, SchemaStale):
        return  # who cannot be looked for was not chosen here
    except KeepingError as error:
        yield unknown("chosen_owner", "the chosen owner", error)
        return
    gone = sorted(name for user_id, name in chosen.items() if user_id[:15] not in active)
    if not gone:
        yield Line("chosen_owner", Outcome.PASSED, "The chosen owner is active.")
        return
    yield Line(
        "chosen_owner",
        Outcome.ADVICE,
        f"{', '.join(gone)} is chosen as owner, but is not an active user or a queue for Leads: "
        "the connected user owns the records.",
        "Choose another owner on the Automation tab, at “Owner”.",
    )
