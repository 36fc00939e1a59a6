"""The companies of a fresh inbox, their mailboxes, and who can log in."""

from __future__ import annotations

from pathlib import Path

CONFIG_FILE = Path("build/demo/inbox.json")  # unless INBOX_CONFIG names another
PASSWORD = "demo"  # noqa: S105 - everybody may know it
FIRST_MAILBOX = "support@outdoor.example.com"

# id, name, domain
COMPANIES = (
    ("outdoor", "Example Outdoor", "outdoor.example.com"),
    ("cycles", "Example Cycles", "cycles.example.com"),
)

# id, company, name, admin
PEOPLE = (
    ("maya", "outdoor", "Maya Lindholm", True),
    ("tom", "outdoor", "Tom Okoro", False),
    ("elena", "cycles", "Elena Petrova", True),
)

# id, company, name, local part, further local parts
MAILBOXES: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("support", "outdoor", "Support", "support", ("help",)),
    ("sales", "outdoor", "Sales", "sales", ()),
    ("billing", "outdoor", "Billing", "billing", ()),
    ("workshop", "cycles", "Workshop", "workshop", ()),
)
