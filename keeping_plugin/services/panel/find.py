"""Search Salesforce: people and Accounts of the whole org, for the agent who knows whom they want.

A free search lets an agent look beyond the conversation (SECURITY.md, 6 and 13). So an admin has to
allow it, it has a daily limit of its own beside those of `lookup`, every search leaves an audit
row, and only a record that the agent's own search returned may be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from keeping_plugin.errors import NotFound, SchemaStale
from keeping_plugin.fieldtypes import ShownAs, field_type
from keeping_plugin.objects import ACCOUNT, CONTACT, LEAD, PEOPLE, PERSON_ACCOUNT, TO_ACCOUNT
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.panel import call, cards, lookup
from keeping_plugin.services.panel.view import Linked, PanelView
from keeping_plugin.services.people import picks
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import PANEL_CALL
from keeping_plugin.types import Agent, ObjectSchema, Record

MIN_LENGTH = 3  # letters or digits worth a search
MAX_RESULTS = 5
A_DAY = 100  # of one agent
ANY = "*"  # the "object" of a search of all of them
_SEARCHED = (CONTACT, LEAD, ACCOUNT)
_TICKED = 4  # fields of an object that tell its records apart
_PLAIN = frozenset({ShownAs.TEXT, ShownAs.MAIL_LINK, ShownAs.DIAL_LINK})
_PERSON_CONTACT = "PersonContactId"  # of an Account that is a person (Object Reference, Account)


def search(runtime: Runtime, agent: Agent, link: Linked, text: str) -> list[Record] | None:
    """At most five records, people before Accounts; None when the text is too short to look for.
    Raises NotFound while no admin has allowed it, TooBusy, and what the gateway raises."""
    if not link.may_search:
        raise NotFound("Searching Salesforce is not switched on.")
    text = text.strip()
    if sum(map(str.isalnum, text)) < MIN_LENGTH or len(text) > lookup.MAX_LENGTH:
        return None
    if not text.isprintable():
        return []
    asked = lookup.begin(runtime, agent, link, ANY, most=A_DAY)
    found = _ask(runtime, agent, link, text)
    shown = _first(found)
    ids = [record_id for one in shown if (record_id := person_id(one))]
    with runtime.database.write() as session:
        lookup.keep_found(session, asked, ids)
        audit.record_by(
            session,
            agent,
            Audited.ORG_SEARCHED,
            connection_id=link.connection_id,
            detail=f"found={len(shown)}",
        )
    return shown


def choose(runtime: Runtime, agent: Agent, link: Linked, address: str, record_id: str) -> bool:
    """This is them: remember a record that the agent's search returned within the hour; says
    whether it did."""
    object = next((row.name for row in PEOPLE if record_id.startswith(row.prefix)), "")
    if (
        not link.may_search
        or not object
        or record_id[:15] not in lookup.returned(runtime, agent, link, (ANY,))
    ):
        return False
    with runtime.database.write() as session:
        released = picks.keep(session, agent, link.connection_id, address, object, record_id)
        cards.keep(session, link.connection_id, address, ())  # it shows somebody else
    if released:
        runtime.queue.ring([link.connection_id])
    return True


def choose_shown(
    runtime: Runtime, agent: Agent, view: PanelView, object: str, record_id: str
) -> None:
    """Remember which of the records with the address is meant. Raises NotFound if it is none of
    them, and whatever kept the panel from finding them."""
    link = view.linked
    if view.error is not None and not view.found:
        raise view.error
    people = [cards.person(found) for found in view.found]
    if link is None or (object, record_id) not in {(each.object, each.id) for each in people}:
        raise NotFound("This record does not have the customer's address.")
    with runtime.database.write() as session:
        released = picks.keep(session, agent, link.connection_id, view.address, object, record_id)
    if released:
        runtime.queue.ring([link.connection_id])


def not_them(
    runtime: Runtime, agent: Agent, link: Linked, address: str, record_id: str = ""
) -> None:
    """Take the choice for an address back; with `record_id` only the choice of that record."""
    with runtime.database.write() as session:
        picks.take_back(session, agent, link.connection_id, address, record_id)
        cards.keep(session, link.connection_id, address, ())


def person_id(record: Record) -> str:
    """The Contact or Lead that choosing a hit means: of a person account its Contact; "" for a
    company, which is no person."""
    if record.object != ACCOUNT.name:
        return record.id
    return str(record.fields.get(_PERSON_CONTACT) or "")


def account_path(link: Linked) -> str:
    """The path to the name of a Contact's Account; "" where it cannot be read."""
    contact = link.schemas.get(CONTACT.name)
    if contact is None or TO_ACCOUNT not in contact.fields or ACCOUNT.name not in link.schemas:
        return ""
    return f"{contact.fields[TO_ACCOUNT].relationship or ACCOUNT.name}.Name"


def _ask(runtime: Runtime, agent: Agent, link: Linked, text: str) -> Sequence[Record]:
    with runtime.asked_by(agent, link.connection_id, Feature.RECORDS, within=PANEL_CALL) as gateway:
        try:
            return gateway.find_by_text(text, _fields(link, ticked=_TICKED), limit=MAX_RESULTS)
        except SchemaStale:
            # A field is gone: the names are there in every org.
            call.describe_again(runtime, link.connection_id)
            return gateway.find_by_text(text, _fields(link, ticked=0), limit=MAX_RESULTS)


def _fields(link: Linked, *, ticked: int) -> dict[str, tuple[str, ...]]:
    made = {}
    for row in _SEARCHED:
        schema = link.schemas.get(row.name)
        if schema is not None:
            head = [name for name in (*row.head, *_told(row.name)) if name in schema.fields]
            account = account_path(link) if row is CONTACT and ticked else ""
            plain = [name for name in link.shown.get(row.name, ()) if _is_plain(schema, name)]
            made[row.name] = tuple(
                dict.fromkeys([*head, *([account] if account else []), *plain[:ticked]])
            )
    return made


def _told(object: str) -> tuple[str, ...]:
    if object == ACCOUNT.name:
        return (PERSON_ACCOUNT.flag, _PERSON_CONTACT)
    return ()


def _is_plain(schema: ObjectSchema, name: str) -> bool:
    spec = schema.fields.get(name)
    return spec is not None and field_type(spec.type).shown in _PLAIN and spec.compound != "Name"


def _first(found: Sequence[Record]) -> list[Record]:
    """Five, one of each object in turn, so that many Contacts hide no Account."""
    of = {row.name: [one for one in found if one.object == row.name] for row in _SEARCHED}
    turns = [each[n] for n in range(MAX_RESULTS) for each in of.values() if n < len(each)]
    first = turns[:MAX_RESULTS]
    return [one for name in of for one in first if one.object == name]
