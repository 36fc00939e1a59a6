"""A configuration for the demo's inbox, and a visitor who uses its pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from lxml import html

from tests.servers.ports import free_port

TOKEN = "delivery-token"


def configured(database: Path, **more: Any) -> dict[str, Any]:
    """A whole configuration; nobody listens on the ports it names."""
    nobody = f"127.0.0.1:{free_port()}"
    return {
        "TESTING": True,
        "SECRET_KEY": "test",
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{database}",
        "INBOX_URL": "http://127.0.0.1:1",
        "INBOX_DELIVERY_TOKEN": TOKEN,
        "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
        "KEEPING_REDIS_URL": f"redis://{nobody}/0",
        "KEEPING_SALESFORCE_CLIENT_ID": "client",
        "KEEPING_SALESFORCE_CLIENT_SECRET": "secret",
        "KEEPING_SALESFORCE_LOGIN_URLS": [f"http://{nobody}", f"http://{nobody}"],
        "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
        **more,
    }


class Visitor:
    """A browser's manners for Flask's test client: forms carry the tokens they hold."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, *, status: int = 200) -> html.HtmlElement:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return html.document_fromstring(answer.text)

    def post(self, path: str, page: str, *, status: int = 302, **values: str) -> str:
        """Send the values with the token of a form on `page`; where it leads, or its text."""
        token = self.get(page).xpath("//input[@name='form_token']/@value")[0]
        answer = self.client.post(path, data={**values, "form_token": token})
        assert answer.status_code == status, answer.text
        return answer.location or answer.text
