"""What a browser would send back of a form that nobody touched."""

from __future__ import annotations

import lxml.html
from werkzeug.datastructures import MultiDict

from keeping_plugin.forms.record import RecordForm


def markup(form: RecordForm) -> str:
    """Every control of the form."""
    return "".join(str(control()) for _, control in form.controls())


def untouched(form: RecordForm) -> MultiDict[str, str]:
    """The inputs of the printed form; an edit form carries the marks of what was printed."""
    page = lxml.html.fromstring(f"<form>{markup(form)}</form>")
    sent: MultiDict[str, str] = MultiDict()
    for name, value in page.form_values():
        # The first line break after <textarea> is markup, not text.
        sent.add(name, value.removeprefix("\r\n").replace("\n", "\r\n"))
    for name, control in () if form.creating else form.controls():
        sent.add(f"was_{name}", control.shown_mark)
    return sent
