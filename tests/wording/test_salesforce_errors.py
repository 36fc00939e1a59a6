"""Every code once, each with a whole sentence; unknown codes stay raw."""

from __future__ import annotations

from keeping_plugin.errors import Complaint
from keeping_plugin.wording.entries import ENTRY_SENTENCES, entry_sentence
from keeping_plugin.wording.salesforce_errors import SENTENCES, explained, sentence_for


def test_every_code_stands_once_with_a_sentence() -> None:
    codes = [row.code for row in SENTENCES]
    assert len(codes) == len(set(codes))
    for row in SENTENCES:
        assert row.code.isupper(), row.code
        assert row.means.endswith("."), row.code
        assert row.sentence.startswith(row.means)


def test_the_codes_that_salesforce_documents_for_saves_are_known() -> None:
    known = {row.code for row in SENTENCES}
    assert known >= {
        "REQUIRED_FIELD_MISSING",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "STRING_TOO_LONG",
        "INVALID_EMAIL_ADDRESS",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "DUPLICATE_VALUE",
        "DUPLICATES_DETECTED",
        "UNABLE_TO_LOCK_ROW",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "REQUEST_LIMIT_EXCEEDED",
    }


def test_an_unknown_code_is_not_guessed_at() -> None:
    assert sentence_for("SOMETHING_NEW") is None
    unknown = Complaint("SOMETHING_NEW", "Words of its own")
    assert explained([unknown]) == [(unknown, None)]
    assert entry_sentence("something_new") == "something_new"
    assert entry_sentence("") == ""


def test_every_reason_of_an_entry_is_a_sentence() -> None:
    for reason, sentence in ENTRY_SENTENCES.items():
        assert reason.islower()
        assert sentence.endswith("."), reason
