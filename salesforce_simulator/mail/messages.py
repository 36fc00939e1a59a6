"""What may be in an EmailMessage, and what of it may be changed afterwards."""

from __future__ import annotations

from html.parser import HTMLParser

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.mail.described import JUNCTION_FIELDS
from salesforce_simulator.results import User
from salesforce_simulator.store import Record

_BLOCKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3"})
_UNSEEN = frozenset({"head", "style", "script", "title"})
_LISTS = frozenset({*JUNCTION_FIELDS, "ContentDocumentIds"})


def check_new(changes: Record, *, enhanced: bool, now: str) -> None:
    """Fill in what follows from what is given. With Enhanced Email off only mail on a Case is
    taken (documented; the words of the refusal are assumed)."""
    parent, related = changes.get("ParentId"), changes.get("RelatedToId")
    if parent and related and parent != related:
        message = "ParentId and RelatedToId must name the same case"
        raise refuse("FIELD_INTEGRITY_EXCEPTION", message, ["ParentId", "RelatedToId"])
    if parent:
        changes["RelatedToId"] = parent
    elif related and str(related).startswith("500"):
        changes["ParentId"] = related
    on_case = bool(changes.get("ParentId"))
    if not on_case and not enhanced:
        message = "Enhanced Email is not enabled: an email must be related to a case"
        raise refuse("FIELD_INTEGRITY_EXCEPTION", message, ["ParentId"])
    if changes.get("ActivityId") and not on_case:
        raise fixed("ActivityId")
    if not changes.get("TextBody") and changes.get("HtmlBody"):
        changes["TextBody"] = text_of(str(changes["HtmlBody"])) or None
    if not changes.get("MessageDate"):
        changes["MessageDate"] = now
    _name(changes)


def check_change(user: User, before: Record, changes: Record) -> None:
    """A draft is free; of any other message only little may be changed."""
    if before.get("Status") != "5":
        for name, value in changes.items():
            if not _free(user, before, name, value):
                raise fixed(name)
    if changes.get("RelatedToId"):
        is_case = str(changes["RelatedToId"]).startswith("500")
        changes["ParentId"] = changes["RelatedToId"] if is_case else None
    if "Subject" in changes:
        _name(changes)


def _free(user: User, before: Record, name: str, value: object) -> bool:
    match name:
        case "IsExternallyVisible":
            return True
        case "Status":
            return before.get("Status") == "0" and value == "1"
        case "RelatedToId":
            return bool(before.get("IsClientManaged"))
        case _ if name in _LISTS:
            return may_relate(user, before)
    return name.endswith("__c")


def may_relate(user: User, message: Record) -> bool:
    """Whether the people and files of a message may be changed: of a draft, of one that a mail
    client manages, or with the permission Update Email Messages."""
    return (
        message.get("Status") == "5"
        or bool(message.get("IsClientManaged"))
        or "update_email_messages" in user.permissions
    )


def require_open(user: User, message: Record, name: str) -> None:
    """Refuse a change of people or files that ``may_relate`` does not allow."""
    if not may_relate(user, message):
        raise fixed(name)


def fixed(name: str) -> OrgError:
    """A field that can no longer be changed, or not here."""
    return refuse("INSUFFICIENT_ACCESS_OR_READONLY", "You cannot edit this field", [name])


def _name(changes: Record) -> None:
    changes["Name"] = str(changes.get("Subject") or "")[:255] or None


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if self._unseen <= 0:
            self.parts.append(data)


def text_of(html: str) -> str:
    """The text of an HTML body, a line for each block."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    return "".join(parser.parts).strip()
