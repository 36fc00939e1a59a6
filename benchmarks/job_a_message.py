"""The rival of `drain`: one job a message through simple-salesforce, look up, then create.

What integrations commonly do: for each message find the Contact by its address, create it when it
is missing, create the Task. Each call has its round trip; `workers` of them run side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import local
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.format import format_soql


class _Plain(HTTPAdapter):
    """simple-salesforce always builds https; the simulated org speaks plain HTTP."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        request.url = "http://" + str(request.url).partition("://")[2]
        return super().send(request, **kwargs)


@dataclass(frozen=True, slots=True)
class Access:
    """A token and its org."""

    base_url: str
    token: str


class JobAMessage:
    """Threads instead of processes: all they do is wait for round trips."""

    def __init__(self, access: Access, *, workers: int) -> None:
        self._access = access
        self._workers = workers
        self._local = local()

    def _salesforce(self) -> Salesforce:
        found: Salesforce | None = getattr(self._local, "salesforce", None)
        if found is None:
            session = requests.Session()
            session.trust_env = False
            session.mount("https://", _Plain())
            found = Salesforce(
                instance_url=self._access.base_url.replace("http://", "https://"),
                session_id=self._access.token,
                version="66.0",
                session=session,
            )
            self._local.salesforce = found
        return found

    def _job(self, message: tuple[str, str]) -> None:
        number, address = message
        salesforce = self._salesforce()
        query = format_soql("SELECT Id FROM Contact WHERE Email = {} LIMIT 1", address)
        found = salesforce.query(query)["records"]
        if found:
            contact = found[0]["Id"]
        else:
            fields = {"LastName": address.partition("@")[0], "Email": address}
            contact = salesforce.Contact.create(fields)["id"]  # type: ignore[operator]
        salesforce.Task.create(  # type: ignore[operator]
            {
                "WhoId": contact,
                "Subject": f"Email: Question {number}",
                "Description": "Hello",
                "Status": "Completed",
                "TaskSubtype": "Email",
            }
        )

    def send(self, messages: Sequence[tuple[str, str]]) -> None:
        """(name, address) pairs; raises what a job raised."""
        with ThreadPoolExecutor(self._workers) as pool:
            for _ in pool.map(self._job, messages):
                pass
