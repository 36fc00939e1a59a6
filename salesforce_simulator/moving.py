"""An org that moves: a new address beside the login host's, and what is left at the old one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from wsgiref.headers import Headers
from wsgiref.types import WSGIApplication

from salesforce_simulator.faults.fault_injection import Answer, html_page
from salesforce_simulator.server import Server

#: What the address before says from now on: 302 to the new one; 420, as the edge without a route;
#: 404, as an edge that knows neither host nor path; or nothing, since nobody listens there.
Left = Literal["redirect", "no_route", "not_found", "gone"]


@dataclass(slots=True)
class Home:
    """Where an org is served. `url` is empty while it is the login host's own address."""

    url: str = ""
    left: dict[int, Left] = field(default_factory=dict)
    _server: Server | None = None

    def move(self, application: WSGIApplication, *, login_port: int, left: Left) -> str:
        """Serve the org at a fresh address and leave the one before; the new one. ValueError when
        that is the login host's and nobody is to listen there: logins would end, too."""
        before, old = self._server, login_port if self._server is None else self._server.port
        if left == "gone" and before is None:
            raise ValueError("the login host stays; move the org away from it first")
        self._server = Server(0)
        self._server.start(application)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.left[old] = left
        if left == "gone" and before is not None:
            before.close()
        return self.url

    def come_back(self) -> None:
        """Serve it at the login host again, and nowhere else."""
        if self._server is not None:
            self._server.close()
        self.url, self._server = "", None
        self.left.clear()

    def answer(self, port: int, target: str) -> Answer | None:
        """What an address says that the org has left; None where it is, and for logins."""
        left = self.left.get(port)
        if left is None or not target.startswith("/services/data"):
            return None
        if left == "redirect":
            return Answer(302, "Found", Headers([("Location", self.url + target)]), b"")
        if left == "no_route":
            return Answer(420, "Enhance Your Calm", Headers(), b"")
        return html_page(404, "Not Found", "There is nothing here")
