"""What is no folder of describe results is refused in one sentence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from salesforce_simulator.metadata.recordings import NoDescribes, recorded

ID = {"name": "Id", "type": "id"}


def refusal(folder: Path) -> str:
    with pytest.raises(NoDescribes) as refused:
        recorded(folder)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name in ("nowhere", "file"):
        assert refusal(tmp_path / name) == f"{tmp_path / name} is not a folder of describe results"


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert refusal(tmp_path) == f"{tmp_path} holds no describe results (*.json)"


@pytest.mark.parametrize("text", [b"", b'{"name": "Contact", ', b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "Contact.json").write_bytes(text)
    assert refusal(tmp_path).startswith(f"{tmp_path / 'Contact.json'} is not JSON: ")


def test_what_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "Contact.json").mkdir()
    assert refusal(tmp_path) == f"{tmp_path / 'Contact.json'} can not be read: Is a directory"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "it has no list of fields"),
        ([1, 2], "it has no list of fields"),
        ({"name": "Contact"}, "it has no list of fields"),
        ({"fields": {"Id": {}}}, "it has no list of fields"),
        ({"fields": []}, "its list of fields is empty"),
        ({"name": 7, "fields": [ID]}, "its name is no text"),
        ({"keyPrefix": {"a": 1}, "fields": [ID]}, "its keyPrefix is no text"),
        ({"fields": [{"name": "A", "defaultValue": {}}]},
         "defaultValue of the field A is not a text, a number, true or false"),
        ({"fields": [ID, "Name"]}, "field 2 has no name"),
        ({"status": 1, "message": "NOT_FOUND"}, "it has no list of fields"),
        ({"status": 0, "result": {"fields": []}}, "its list of fields is empty"),
        ({"fields": [{"type": "id"}]}, "field 1 has no name"),
        ({"fields": [{"name": 5}]}, "field 1 has no name"),
        ({"fields": [ID, {"name": "id"}]}, "it has two fields id"),
        ({"fields": [{**ID, "type": 3}]}, "type of the field Id is not text"),
        ({"fields": [{**ID, "length": "18"}]}, "length of the field Id is not a number"),
        ({"fields": [{"name": "A", "referenceTo": "Account"}]},
         "referenceTo of the field A is not a list of objects"),
        ({"fields": [{"name": "A", "picklistValues": "x"}]},
         "picklistValues of the field A is not a list of objects"),
        ({"fields": [{"name": "A", "picklistValues": [{"label": "x"}]}]},
         "a picklist value of the field A has no value"),
        ({"fields": [{"name": "A", "dependentPicklist": True,
                      "picklistValues": [{"value": "x", "validFor": "A"}]}]},
         "validFor of x in the field A is no bitmap in base64"),
        ({"fields": [ID], "childRelationships": {"a": 1}},
         "childRelationships of it is not a list of objects"),
        ({"fields": [ID], "childRelationships": ["Cases"]},
         "childRelationships of it is not a list of objects"),
        ({"fields": [ID], "childRelationships": [{"relationshipName": "Cases"}]},
         "a child relationship has no childSObject"),
        ({"fields": [ID], "recordTypeInfos": "x"},
         "recordTypeInfos of it is not a list of objects"),
        ({"fields": [ID], "recordTypeInfos": [{"recordTypeId": "012000000000000AAA"}]},
         "a record type has no name"),
    ],
)  # fmt: skip
def test_what_is_no_describe_result(tmp_path: Path, body: Any, why: str) -> None:
    path = tmp_path / "Contact.json"
    path.write_text(json.dumps(body))
    assert refusal(tmp_path) == f"{path} is not a describe result: {why}"


def test_two_files_of_one_object(tmp_path: Path) -> None:
    for name in ("A", "B"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"name": "Contact", "fields": [ID]}))
    assert re.fullmatch(r"\S+/A\.json and \S+/B\.json both describe Contact", refusal(tmp_path))


def test_the_command_says_the_sentence_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "Contact.json").write_text("{")
    ended = subprocess.run(
        [sys.executable, "-m", "salesforce_simulator", "--describe", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"python -m salesforce_simulator: {tmp_path / 'Contact.json'} is not")
