"""What a client asks for first: versions, resources, who it is."""

from __future__ import annotations

import pytest
import requests

from salesforce_simulator.process import OrgProcess, RunningOrg
from tests.salesforce_simulator.conftest import Api


@pytest.mark.parametrize(
    "path", ["/services/oauth2/userinfo", "/services/data/v66.0/limits", "/services/data"]
)
def test_a_second_slash_in_front_of_services_changes_nothing(api: Api, path: str) -> None:
    # Clients join the path to an instance URL that ends in a slash.
    url = api.grant.instance_url
    once, twice = (api.http.get(url + slash + path, timeout=30) for slash in ("", "/"))
    assert twice.status_code == once.status_code == 200
    assert twice.json().keys() == once.json().keys() if path != "/services/data" else True
    assert (twice.headers.get("Sforce-Limit-Info") is None) is (
        once.headers.get("Sforce-Limit-Info") is None
    )


def test_the_version_names_the_callers_identity(api: Api) -> None:
    resources = api.get("").json()
    assert resources["identity"] == api.grant.identity_url
    assert resources["recent"] == "/services/data/v66.0/recent"
    for name, path in resources.items():
        if name not in {"identity", "composite", "search", "parameterizedSearch", "ui-api"}:
            assert api.get(path).status_code != 404, name


def test_the_identity_takes_the_token_as_a_parameter(api: Api) -> None:
    asked = {"format": "json", "oauth_token": api.grant.access_token}
    answer = requests.get(api.grant.identity_url, params=asked, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["id"] == api.grant.identity_url
    refused = requests.get(api.grant.identity_url, params={"oauth_token": "00D!x"}, timeout=30)
    assert (refused.status_code, refused.text) == (403, "Bad_OAuth_Token")


@pytest.mark.parametrize(
    ("method", "leads_to"), [({}, 200), ({"code_challenge_method": "plain"}, 302)]
)
def test_a_code_challenge_without_a_method_is_a_hash(
    org: RunningOrg, process: OrgProcess, method: dict[str, str], leads_to: int
) -> None:
    uri = "http://127.0.0.1:9/callback"
    org.control.allow_redirect(uri)
    query = {"response_type": "code", "client_id": process.client_id, "redirect_uri": uri}
    page = requests.get(
        f"{org.base_url}/services/oauth2/authorize",
        params={**query, "code_challenge": "x" * 43, **method},
        timeout=30,
        allow_redirects=False,
    )
    assert page.status_code == leads_to
