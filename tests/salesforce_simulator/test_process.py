"""The process: how it starts, what it keeps, how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.process import OrgDidNotStart, OrgProcess


def gone(pid: int) -> bool:
    """Whether the process has ended (one that waits to be reaped has)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def await_end(pid: int) -> None:
    end = time.monotonic() + 60
    while not gone(pid):
        assert time.monotonic() < end, "the org should have ended"
        time.sleep(0.02)


def test_the_seed_has_what_a_demo_needs(process: OrgProcess) -> None:
    control = process.sandbox.control
    counts = {
        "Contact": 30, "Account": 8, "Lead": 6, "Opportunity": 8, "OpportunityContactRole": 9,
        "Case": 10, "Task": 5,
    }  # fmt: skip
    for name, least in counts.items():
        assert control.count(f"SELECT Id FROM {name}") >= least
    assert control.count("SELECT Id FROM Lead WHERE IsConverted = true") == 1
    shared = "SELECT Id FROM Contact WHERE Email = 'family.vermeer@example.com'"
    assert control.count(shared) == 2
    addresses = [r["Email"] for r in control.query("SELECT Email FROM Contact")]
    assert all(a is None or a.split("@")[1].startswith("example.") for a in addresses)


def test_records_logins_and_tokens_survive_a_restart(tmp_path: Path) -> None:
    with OrgProcess(data=tmp_path, options=["--no-seed"]) as first:
        kept = (first.client_id, first.client_secret, first.production.organization_id)
        grant = connect(first, first.production)
        contact = first.production.control.create("Contact", LastName="Kept")
    with OrgProcess(data=tmp_path) as second:
        assert (second.client_id, second.client_secret, second.production.organization_id) == kept
        answer = requests.get(
            f"{second.production.base_url}/services/data/v66.0/sobjects/Contact/{contact}",
            headers={"Authorization": f"Bearer {grant.access_token}"},
            timeout=30,
        )
        assert answer.json()["LastName"] == "Kept"


def test_a_term_signal_stops_it_cleanly() -> None:
    process = OrgProcess(options=["--no-seed"]).start()
    # One signal: a second one, while Python ends, would meet its default handler.
    assert process.stop(seconds=60) == 0
    assert process.errors() == ""


def test_it_dies_with_its_parent() -> None:
    script = (
        "import os\n"
        "from salesforce_simulator.process import OrgProcess\n"
        "process = OrgProcess(options=['--no-seed']).start()\n"
        "print(process.pid, flush=True)\n"
        "os._exit(1)\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    said = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ["PYTHONPATH"]])},
    )
    await_end(int(said.stdout))


def test_a_folder_of_describes_is_an_org_and_the_start_names_what_it_lacks(
    shared: Path,
) -> None:
    folder = shared / "salesforce" / "describe" / "grouparoo"
    with OrgProcess(describe=folder) as process:
        lacking = set(process.production.objects_from_package)
        assert {"Case", "Opportunity", "Task"} <= lacking
        assert not lacking & {"Account", "Contact", "Lead", "Campaign"}
        grant = connect(process, process.production)
        body = requests.get(
            f"{grant.instance_url}/services/data/v66.0/sobjects/Contact/describe",
            headers={"Authorization": f"Bearer {grant.access_token}"},
            timeout=30,
        ).json()
        assert "Custom_External_ID__c" in {field["name"] for field in body["fields"]}


@pytest.mark.parametrize(
    "folder",
    [
        "assembled-task", "cumulusci", "cumulusci-person-accounts", "dreamhouse-tickets",
        "fixit-felix", "force-toolkit-net", "restforce", "soql-metadata-trimmed",
        "swiftly-salesforce",
    ],
)  # fmt: skip
def test_every_recorded_org_starts_seeded_and_describes_all_of_its_objects(
    shared: Path, folder: str
) -> None:
    with OrgProcess(describe=shared / "salesforce" / "describe" / folder) as process:
        org = process.production
        token = connect(process, org).access_token
        with requests.Session() as http:
            http.headers["Authorization"] = f"Bearer {token}"
            base = f"{org.base_url}/services/data/v66.0/sobjects"
            names = [entry["name"] for entry in http.get(base, timeout=30).json()["sobjects"]]
            for name in names:
                body = http.get(f"{base}/{name}/describe", timeout=30).json()
                assert body["name"] == name
                page = http.get(f"{org.base_url}/lightning/o/{name}/list", timeout=30)
                assert page.status_code == 200
        assert org.control.count("SELECT Id FROM Contact") >= 30
        assert process.errors() == ""


def test_what_keeps_it_from_starting_is_said_in_a_sentence(
    process: OrgProcess, tmp_path: Path
) -> None:
    taken = int(process.production.base_url.rpartition(":")[2])
    for options, message in (
        ({"describe": tmp_path}, "holds no describe results"),
        ({"describe": tmp_path / "nowhere"}, "is not a folder of describe results"),
        ({"port": taken}, "Address already in use"),
    ):
        with pytest.raises(OrgDidNotStart, match=message) as refusal:
            OrgProcess(**options).start()  # type: ignore[arg-type]
        assert "Traceback" not in str(refusal.value)
