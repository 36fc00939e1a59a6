"""An inbox that browsers can reach, with an org in memory behind it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.blueprints.inbox import CUSTOMER, Inbox


@dataclass(kw_only=True)
class Served:
    """An inbox that browsers can reach."""

    inbox: Inbox
    address: str

    def open(self, page: Page) -> Locator:
        """The conversation's page, as narrow as a sidebar unless it has its own size, once its
        panel has loaded."""
        if page.viewport_size == {"width": 1280, "height": 720}:
            page.set_viewport_size({"width": 400, "height": 800})
        page.goto(f"{self.address}/inbox/c-1")
        panel = page.locator("#k-panel[data-k-state]")
        expect(panel).to_be_visible()
        return panel

    def fill(self) -> str:
        """Somebody well known; her Contact's id."""
        fake = self.inbox.salesforce
        account = fake.add("Account", Name="Acme Roofing GmbH", Industry="Construction")
        jane = fake.add(
            "Contact",
            FirstName="Jane",
            LastName="Doe",
            Email=CUSTOMER.email,
            Phone="+1 555 0100",
            Title="Head of Purchasing",
            AccountId=account,
        )
        for name, stage in (("Spring campaign", "Prospecting"), ("Tiles", "Closed Won")):
            deal = fake.add(
                "Opportunity", Name=name, StageName=stage, Amount=1200.5, CloseDate="2026-12-01"
            )
            fake.add("OpportunityContactRole", ContactId=jane, OpportunityId=deal)
        fake.add("Case", CaseNumber="00001001", Subject="Broken tile", Status="New", ContactId=jane)
        return jane


def spoken(page: Page) -> Locator:
    """What screen readers are told."""
    return page.locator("keeping-panel [data-k-live]")
