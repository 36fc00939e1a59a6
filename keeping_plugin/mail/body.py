"""The text of a message as far as it is read: its plain text, or what its HTML says."""

from __future__ import annotations

from typing import Final

from keeping_plugin.mail.clean import clean
from keeping_plugin.mail.html import HTML_LIMIT, html_to_text
from keeping_plugin.types import Message

# Twice what a Task's Description holds, so that history below a long answer is seen for what it is.
TEXT_READ: Final = 64 * 1024


def text_of(message: Message) -> tuple[str, bool]:
    """At most 65,536 characters, cleaned, and whether that is all there is."""
    read = clean((message.text or "")[:TEXT_READ])
    if read.strip() or not message.html:
        return read, len(message.text or "") <= TEXT_READ
    text = html_to_text(message.html)
    return text[:TEXT_READ], len(text) <= TEXT_READ and len(message.html) <= HTML_LIMIT
