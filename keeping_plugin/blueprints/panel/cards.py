"""A panel as its templates and its JSON show it: cards with titles and rows of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from flask import url_for

from keeping_plugin.fieldtypes import ShownAs, field_type
from keeping_plugin.objects import AROUND, AROUND_KEYS, PERSON_ACCOUNT, record_page, row_of
from keeping_plugin.services.panel.cards import around, person
from keeping_plugin.services.panel.display import day, shown
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.services.schema.fields import label_in, why_read_only
from keeping_plugin.types import ContactMatch, LeadMatch, Record, Value

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


class Section(NamedTuple):
    """The records of one object around a person; `more` are the Account's, under a heading of
    their own."""

    key: str
    heading: str
    cards: tuple[RecordCard, ...]
    more_heading: str
    more: tuple[RecordCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCard:
    """A Contact or a Lead with what stands around it, by `objects.AROUND_KEYS`."""

    person: RecordCard
    account: RecordCard | None = None
    around: Mapping[str, tuple[RecordCard, ...]] = field(default_factory=dict)

    @property
    def sections(self) -> tuple[Section, ...]:
        """What stands around the person, without what is empty."""
        sections = []
        for row, relation in AROUND:
            more = relation.of_account
            section = Section(
                row.key,
                row.tab,
                self.around.get(row.key, ()),
                more.heading if more else "",
                self.around.get(more.key, ()) if more else (),
            )
            if section.cards or section.more:
                sections.append(section)
        return tuple(sections)

    def as_json(self) -> dict[str, Any]:
        return {
            "person": self.person.as_json(),
            "account": self.account.as_json() if self.account else None,
            **{key: [card.as_json() for card in self.around.get(key, ())] for key in AROUND_KEYS},
        }


class Cards:
    """Makes the cards of one conversation's panel."""

    def __init__(self, link: Linked, conversation_id: str) -> None:
        self._link = link
        self._conversation_id = conversation_id
        self._edit_urls: dict[str, str] = {}

    def person(self, found: ContactMatch | LeadMatch) -> PersonCard:
        """The card of a match."""
        if isinstance(found, LeadMatch):
            return PersonCard(person=self.record(found.lead))
        return PersonCard(
            person=self.record(found.contact),
            account=self.record(found.account) if found.account is not None else None,
            around={key: tuple(map(self.record, around(found, key))) for key in AROUND_KEYS},
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
            "created": day(str(created)[:10]) if created else "",
        }

    def record(self, record: Record) -> RecordCard:
        """The card of one record."""
        schema = self._link.schemas[record.object]
        fields = record.fields
        chosen = self._shown(record)
        row = row_of(record.object)
        aside = [shown(schema, record, name).text for name in row.aside if name in chosen]
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
        spec = schema.fields[name]
        text, href = shown(schema, record, name)
        shown_as = field_type(spec.type).shown
        return FieldRow(
            id=row_id(record.id, name),
            name=name,
            label=label_in(schema, spec),
            help_text=spec.help_text,
            text=text,
            href=href,
            value=record.fields.get(name),
            reason=why_read_only(schema, name) or "",
            # The route of one field stands below its record's; a name of the API needs no quoting.
            edit_url=f"{self._edit_url(record)}/{name}",
            copied=bool(text) and (shown_as in _COPIED or spec.auto_number or spec.type == "id"),
        )

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
