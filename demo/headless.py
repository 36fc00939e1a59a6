"""A browser without a screen: cookies, links, redirects, and forms filled as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import requests
from lxml import html
from lxml.html import FormElement, HtmlElement

_TIMEOUT = 60.0


class PageFailed(RuntimeError):
    """A page answered with an error, or lacks the form that was looked for."""


class Page:
    """One answer, read as HTML."""

    def __init__(self, answer: requests.Response) -> None:
        self.url = answer.url
        self.status = answer.status_code
        self.source = answer.text
        self.document: HtmlElement = html.document_fromstring(
            answer.text.strip() or "<p></p>", base_url=answer.url
        )

    @property
    def text(self) -> str:
        """What a person reads, on one line; shadow roots are read too."""
        shown = "//text()[not(ancestor::script or ancestor::style or ancestor::head)]"
        words = self.document.xpath(shown)
        return " ".join(" ".join(words).split())

    def form(self, *, action: str = "", button: str = "") -> FormElement:
        """The first form whose address ends with `action` and that has a button so labelled.
        Raises PageFailed."""
        for form in self.document.xpath("//form"):
            labels = [" ".join(one.text_content().split()) for one in form.xpath(".//button")]
            address = urljoin(self.url, form.get("action") or self.url).partition("?")[0]
            if address.endswith(action) and (not button or button in labels):
                return form
        raise PageFailed(f"{self.url} has no form for {action or button}: {self.text[:500]}")


class Browser:
    """One person's browser. Every page that answers with an error raises PageFailed unless its
    status is expected."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Accept"] = "text/html"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def get(self, path: str, *, expect: int = 200) -> Page:
        """Open a page, following redirects."""
        url = urljoin(self.base_url, path)
        return self._send(requests.Request("GET", url), expect)

    def submit(
        self,
        page: Page,
        form: FormElement,
        values: Mapping[str, str] | None = None,
        *,
        press: str = "",
        expect: int = 200,
    ) -> Page:
        """Send a form with what stands in it, `values` in their fields, and the button `press`.

        A value for a field that the form does not have raises PageFailed, as a person would not
        find it either; a checkbox is ticked by its value "on" and cleared by "".
        """
        for name, value in (values or {}).items():
            _fill(page, form, name, value)
        pairs = [(name, str(value)) for name, value in form.form_values()]
        pairs += _pressed(page, form, press)
        target = urljoin(page.url, form.get("action") or page.url)
        if form.method == "GET":
            return self._send(requests.Request("GET", target, params=pairs), expect)
        return self._send(requests.Request("POST", target, data=pairs), expect)

    def _send(self, request: requests.Request, expect: int) -> Page:
        try:
            prepared = self.http.prepare_request(request)
            page = Page(self.http.send(prepared, timeout=_TIMEOUT))
        except requests.RequestException as error:
            raise PageFailed(f"{request.url} does not answer: {type(error).__name__}") from error
        if page.status != expect:
            raise PageFailed(f"{page.url} answered {page.status}: {page.text[:800]}")
        return page


def _fill(page: Page, form: FormElement, name: str, value: str) -> None:
    found = form.xpath(".//*[@name=$name]", name=name)
    if not found:
        raise PageFailed(f"{page.url}: the form has no field {name}")
    field = found[-1]
    if field.get("type") == "checkbox":
        field.checked = bool(value)
    elif field.get("type") == "radio":
        form.fields[name] = value
    else:
        field.value = value


def _pressed(page: Page, form: FormElement, label: str) -> list[tuple[str, str]]:
    if not label:
        return []
    for button in form.xpath(".//button"):
        if " ".join(button.text_content().split()) == label:
            return [(button.get("name"), button.get("value", ""))] if button.get("name") else []
    raise PageFailed(f"{page.url}: the form has no button {label}")
