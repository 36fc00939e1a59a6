"""The record type of an existing record."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from keeping_plugin.forms.record import record_form
from tests.fake_salesforce.salesforce import shipped_schemas


def test_a_record_type_is_chosen_among_those_the_org_has() -> None:
    contact = shipped_schemas()["Contact"]
    first, second = (kind for kind in contact.record_types if not kind.master)
    form = record_form(contact, ["RecordTypeId"])
    shown = str(form(values={"RecordTypeId": first.id})["sf_RecordTypeId"]())
    assert f'<option selected value="{first.id}">{first.name}</option>' in shown
    posted = MultiDict({"sf_RecordTypeId": second.id})
    edited = form(posted, values={"RecordTypeId": first.id})
    assert edited.validate()
    assert edited.changes() == {"RecordTypeId": second.id}
    stranger = form(MultiDict({"sf_RecordTypeId": "012000000000009AAA"}), values={})
    assert not stranger.validate()
