"""A panel as its templates and its JSON show it: cards with titles and rows of fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from flask import url_for
from markupsafe import Markup

from keeping_plugin.fieldtypes import ShownAs, field_type
from keeping_plugin.locales import Reader
from keeping_plugin.mail.numbers import is_named, record_numbers
from keeping_plugin.mail.rich_text import formatted
from keeping_plugin.objects import (
    ACCOUNT,
    AROUND,
    AROUND_KEYS,
    PERSON_ACCOUNT,
    TO_ACCOUNT,
    record_page,
    related_list_page,
    row_of,
)
from keeping_plugin.salesforce.names import is_id
from keeping_plugin.services.panel.cards import around, person
from keeping_plugin.services.panel.display import day, has_formats, moment_of, shown
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.services.schema.fields import is_lookup, is_rich, label_in, why_read_only
from keeping_plugin.types import ContactMatch, FieldSpec, LeadMatch, Record, Value

# Longer values are shown from their beginning, with *Show more*.
_LONG = 240
_COPIED = frozenset(
    {
        ShownAs.MAIL_LINK,
        ShownAs.DIAL_LINK,
        ShownAs.ADDRESS,
        ShownAs.NUMBER,
        ShownAs.WHOLE_NUMBER,
        ShownAs.AMOUNT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field of one record. `reason` says why it cannot be edited, "" when it can."""

    id: str
    name: str
    label: str
    help_text: str
    text: str
    href: str
    value: Value
    reason: str
    edit_url: str
    html: Markup  # rich text, safe to be printed; "" for everything else
    moment: datetime | None  # the text tells it exactly
    copied: bool  # people carry it elsewhere, so it has a copy button

    @property
    def long(self) -> bool:
        return len(self.text) > _LONG or self.text.count("\n") > 6

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label,
            "value": self.value,
            "text": self.text,
            "editable": not self.reason,
            "reason": self.reason or None,
        }


class Fact(NamedTuple):
    """Something that a person's head says; `label` is "" where the value speaks for itself."""

    name: str
    label: str
    text: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCard:
    """One record: a title, a line beside it, a way into Salesforce and its fields."""

    object: str
    id: str
    kind: str
    title: str
    aside: str
    url: str
    edit_url: str
    rows: tuple[FieldRow, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "object": self.object,
            "id": self.id,
            "title": self.title,
            "url": self.url,
            "fields": [row.as_json() for row in self.rows],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The records of one object around a person. `named` are those whose number stands in the
    conversation's subject; `more` are open ones behind `cards`; `others` are the Account's, under
    a heading of their own. `shown` of the person's `total` ("7", "20+") are on the panel's face;
    `url` lists all in Salesforce. `hidden`: the connected user may not see this object. `folded`:
    closed until somebody opens it."""

    key: str
    heading: str
    named: tuple[RecordCard, ...] = ()
    cards: tuple[RecordCard, ...] = ()
    more: tuple[RecordCard, ...] = ()
    others: tuple[RecordCard, ...] = ()
    others_heading: str = ""
    shown: int = 0
    total: str = ""
    url: str = ""
    hidden: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCard:
    """A Contact or a Lead with what stands around it, by `objects.AROUND_KEYS`. `facts` are what
    its head says beside the name. `has_account`: it belongs to an Account, or could; without
    `account`, `account_hidden` tells one that may not be seen from none. `found_by`: the label of
    the field that has the address, where that is not Email."""

    person: RecordCard
    facts: tuple[Fact, ...] = ()
    account: RecordCard | None = None
    has_account: bool = False
    account_hidden: bool = False
    around: Mapping[str, tuple[RecordCard, ...]] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    found_by: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "person": self.person.as_json(),
            "account": self.account.as_json() if self.account else None,
            **{key: [card.as_json() for card in self.around.get(key, ())] for key in AROUND_KEYS},
        }


class Cards:
    """Makes the cards of one conversation's panel."""

    def __init__(
        self, link: Linked, conversation_id: str, reader: Reader, subject: str = ""
    ) -> None:
        self._link = link
        self._reader = reader
        self._conversation_id = conversation_id
        self._numbers = record_numbers(subject)
        self._edit_urls: dict[str, str] = {}

    def person(self, found: ContactMatch | LeadMatch) -> PersonCard:
        """The card of a match."""
        record = person(found)
        card = self.record(record)
        facts = tuple(self._facts(record))
        related = self._around(found)
        if isinstance(found, LeadMatch):
            return PersonCard(
                person=card,
                facts=facts,
                around=related,
                sections=tuple(self._sections(found, related)),
                found_by=self._found_by(found),
            )
        # Without the object or the lookup nobody can tell that there is none.
        unseen = ACCOUNT.name not in self._link.schemas or TO_ACCOUNT not in record.fields
        hidden = unseen or bool(record.fields[TO_ACCOUNT])
        return PersonCard(
            person=card,
            facts=facts,
            account=self.record(found.account) if found.account is not None else None,
            has_account=record.fields.get(PERSON_ACCOUNT.flag) is not True,
            account_hidden=hidden,
            around=related,
            sections=tuple(self._sections(found, related)),
            found_by=self._found_by(found),
        )

    def _found_by(self, found: ContactMatch | LeadMatch) -> str:
        spec = self._link.schemas[person(found).object].fields.get(found.by)
        return spec.label if spec is not None else found.by

    def _facts(self, record: Record) -> Iterator[Fact]:
        chosen, fields = self._shown(record), self._link.schemas[record.object].fields
        for row in (
            self.row(record, name) for name in row_of(record.object).aside if name in chosen
        ):
            if row.text:
                speaks = field_type(fields[row.name].type).shown is ShownAs.TEXT
                yield Fact(row.name, "" if speaks else row.label, row.text, row.href)

    def _around(self, found: ContactMatch | LeadMatch) -> Mapping[str, tuple[RecordCard, ...]]:
        """What stands around a person. The card was kept for an address; which of its records
        are named is told by the subject of this conversation."""
        made: dict[str, tuple[RecordCard, ...]] = {}
        for row, relation in AROUND:
            named: dict[str, Record] = {}
            for key in (row.named_key, row.key, row.more_key):
                for record in around(found, key) if relation.number else ():
                    if is_named(record.fields.get(relation.number), self._numbers):
                        named.setdefault(record.id, record)
            made[row.named_key] = tuple(map(self.record, named.values()))
            others = relation.of_account
            for key in (row.key, row.more_key, others.key if others else ""):
                made[key] = tuple(
                    self.record(record) for record in around(found, key) if record.id not in named
                )
        return {key: made[key] for key in AROUND_KEYS}

    def _sections(
        self, found: ContactMatch | LeadMatch, related: Mapping[str, tuple[RecordCard, ...]]
    ) -> Iterator[Section]:
        for row, relation in AROUND:
            others = relation.of_account
            count, at_least = found.counts.get(row.key, (0, False))
            hidden = row.name not in self._link.schemas or row.key not in found.counts
            if hidden and (relation.optional or isinstance(found, LeadMatch)):
                continue
            url = related_list_page(
                self._link.instance_url, person(found).id, relation.related_list
            )
            yield Section(
                key=row.key,
                heading=row.tab,
                named=related.get(row.named_key, ()),
                cards=related[row.key],
                more=related.get(row.more_key, ()),
                others=related[others.key] if others else (),
                others_heading=others.heading if others else "",
                shown=len(around(found, row.key)),
                total=f"{count}+" if at_least else str(count),
                url=url if relation.related_list else "",
                hidden=hidden,
                folded=relation.optional,
            )

    def candidate(self, found: ContactMatch | LeadMatch) -> dict[str, Any]:
        """What tells one of several apart from the others."""
        record = person(found)
        card = self.record(record)
        fields = {name: record.fields.get(name) for name in self._shown(record)}
        values = [fields.get("Title"), fields.get("Company")]
        if isinstance(found, ContactMatch) and found.account is not None:
            values.append(found.account.fields.get("Name"))
        created = fields.get("CreatedDate")
        return {
            "card": card,
            "facts": [str(value) for value in values if value],
            "found_by": self._found_by(found),
            "created": day(str(created)[:10], self._reader) if created else "",
        }

    def record(self, record: Record) -> RecordCard:
        """The card of one record."""
        schema = self._link.schemas[record.object]
        fields = record.fields
        chosen = self._shown(record)
        row = row_of(record.object)
        aside = [
            shown(schema, record, name, self._reader).text for name in row.aside if name in chosen
        ]
        return RecordCard(
            object=record.object,
            id=record.id,
            # One card for both: the Contact's row is the Account's person.
            kind="Person account" if fields.get(PERSON_ACCOUNT.flag) is True else schema.label,
            title=_title(record, chosen),
            aside=" · ".join(text for text in aside if text),
            url=record_page(self._link.instance_url, record.object, record.id),
            edit_url=self._edit_url(record),
            rows=tuple(self.row(record, name) for name in chosen if name in fields),
        )

    def _shown(self, record: Record) -> Sequence[str]:
        """The fields of it that an admin ticked; no value of another one leaves this class, but for
        the names that tell records apart."""
        return self._link.shown.get(record.object, ())

    def row(self, record: Record, name: str) -> FieldRow:
        """One field of a record."""
        schema = self._link.schemas[record.object]
        updated = row_of(record.object).updated
        spec = schema.fields[name]
        text, href = shown(schema, record, name, self._reader)
        shown_as = field_type(spec.type).shown
        value = record.fields.get(name)
        if isinstance(value, str) and is_lookup(spec) and is_id(value):
            href = self._page_of(spec, value)
        reason = why_read_only(schema, name) or ""
        if not updated or (not reason and has_formats(spec, value)):
            reason = "Edit in Salesforce"
        return FieldRow(
            id=row_id(record.id, name),
            name=name,
            label=label_in(schema, spec),
            help_text=spec.help_text,
            text=text,
            href=href,
            value=value,
            reason=reason,
            # The route of one field stands below its record's; a name of the API needs no quoting.
            edit_url=f"{self._edit_url(record)}/{name}",
            html=Markup(formatted(value)) if is_rich(spec) and isinstance(value, str) else Markup(),  # noqa: S704
            moment=moment_of(str(value)) if shown_as is ShownAs.MOMENT and text else None,
            copied=bool(text) and (shown_as in _COPIED or spec.auto_number or spec.type == "id"),
        )

    def _page_of(self, spec: FieldSpec, record_id: str) -> str:
        """Where Salesforce shows what a lookup refers to; its own redirect where the object of a
        lookup to several is not known."""
        if len(spec.reference_to) == 1:
            return record_page(self._link.instance_url, spec.reference_to[0], record_id)
        return f"{self._link.instance_url}/{record_id}"

    def _edit_url(self, record: Record) -> str:
        """Built once a record: fifty fields of a panel would cost a millisecond."""
        if record.id not in self._edit_urls:
            self._edit_urls[record.id] = url_for(
                ".edit_record",
                conversation_id=self._conversation_id,
                object=record.object,
                record_id=record.id,
            )
        return self._edit_urls[record.id]


def _title(record: Record, chosen: Sequence[str]) -> str:
    """Its title fields, as far as they may be shown; else a person's address."""
    row = row_of(record.object)
    told = (record.fields.get(name) for name in row.title if name in row.head or name in chosen)
    title = " · ".join(str(part) for part in told if part)
    return title or str(record.fields.get("Email") or record.id)


def row_id(record_id: str, name: str) -> str:
    """The id of a field's row in the page."""
    return f"k-{record_id}-{name}"
