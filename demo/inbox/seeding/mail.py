"""The mail of a fresh inbox. Its people are made up; some of them a fresh simulated org knows too:
as a Contact, as a Lead, twice under one address, or not at all."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedMail:
    """A message with the customer `email`; `ours` when we wrote it. `answers` is another's key."""

    key: str
    mailbox: str
    email: str
    name: str = ""
    subject: str
    hours_ago: float
    text: str = ""
    html: str = ""
    ours: bool = False
    answers: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[tuple[str, bytes], ...] = ()


def picture(color: tuple[int, int, int], *, crack: bool = False) -> bytes:
    """A PNG of one color, 320 by 200, if asked for with a crack across it."""
    rows = bytearray()
    for y in range(200):
        dark = 60 + y // 2 + (y * 7919 % 13) if crack else -1
        rows.append(0)
        for x in range(320):
            rows += bytes((40, 32, 24) if dark <= x < dark + 3 else color)
    parts = (
        (b"IHDR", pack(">IIBBBBB", 320, 200, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(rows))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


ANNA = ("anna.deboer@example.com", "Anna de Boer")
EMILY = ("emily.hart@example.org", "Emily Hart")
INES = ("ines.carvalho@example.net", "Inês Carvalho")
LIAM = ("liam.tremblay@example.com", "Liam Tremblay")

MAIL = (
    # A Contact with an Account, Opportunities and more Cases than fit.
    SeedMail(
        key="crack-1",
        mailbox="support",
        email=ANNA[0],
        name=ANNA[1],
        subject="Paddle arrived with a crack",
        hours_ago=29,
        text=(
            "Hello,\n\nThe parcel came this morning, thank you. One of the carbon paddles has a "
            "crack near the blade, about four centimetres long. The box itself looks fine, so I "
            "think it left your warehouse like this.\n\nWe have a course on Saturday. Can you "
            "send another one before then?\n\nAnna de Boer\nNorthwind Paddles"
        ),
        attachments=(("crack.png", picture((196, 164, 120), crack=True)),),
    ),
    SeedMail(
        key="crack-2",
        mailbox="support",
        email=ANNA[0],
        name=ANNA[1],
        subject="Re: Paddle arrived with a crack",
        hours_ago=26,
        ours=True,
        answers="crack-1",
        text=(
            "Hi Anna,\n\nI am sorry about that. A new paddle leaves today by express and should "
            "be with you on Thursday. Keep the cracked one, no need to send it back.\n\nTom"
        ),
    ),
    SeedMail(
        key="crack-3",
        mailbox="support",
        email=ANNA[0],
        name=ANNA[1],
        subject="Re: Paddle arrived with a crack",
        hours_ago=2.5,
        answers="crack-2",
        text=(
            "That is kind, thank you! It has just arrived and it is perfect.\n\nOne more thing: "
            "could the invoice go to our new address, Kade 12 instead of Kade 21?\n\nAnna\n\n"
            "On Tuesday, Support <support@outdoor.example.com> wrote:\n> Hi Anna,\n>\n> I am sorry "
            "about that. A new paddle leaves today by express and should\n> be with you on "
            "Thursday."
        ),
    ),
    # Nobody Salesforce knows.
    SeedMail(
        key="norway-1",
        mailbox="sales",
        email="robin.castell@example.com",
        name="Robin Castell",
        subject="Do you ship kayaks to Norway?",
        hours_ago=1.2,
        text=(
            "Hi there,\n\nI am looking for two touring kayaks (around 4.5 m) for our cabin near "
            "Arendal. Do you ship there, and what would it cost roughly? A delivery in the first "
            "half of May would be ideal.\n\nBest,\nRobin Castell\nCastell & Daughters"
        ),
    ),
    # Two Contacts who share one address.
    SeedMail(
        key="tent-1",
        mailbox="support",
        email="family.vermeer@example.com",
        name="Vermeer",
        subject="Question about the warranty of our tent",
        hours_ago=5,
        text=(
            "Good morning,\n\nThe zip of our family tent has given up after two summers. Is that "
            "still covered? We bought it in your Utrecht shop and have the receipt.\n\n"
            "Greetings from the Vermeers"
        ),
        attachments=(("receipt.txt", b"Example Outdoor, Utrecht\n1 family tent  449.00\n"),),
    ),
    # A Lead.
    SeedMail(
        key="hiking-1",
        mailbox="sales",
        email="milo.hartmann@example.com",
        name="Milo Hartmann",
        subject="Group price for 24 rucksacks",
        hours_ago=22,
        text=(
            "Hello,\n\nwe are a small hiking company and would like to equip our guides with the "
            "same rucksack, 24 pieces in three sizes. What can you do on the price, and can you "
            "print our logo?\n\nMilo Hartmann\nHartmann Hiking"
        ),
    ),
    # HTML only, with an attachment.
    SeedMail(
        key="booking-1",
        mailbox="support",
        email=INES[0],
        name=INES[1],
        subject="Booking page shows an error",
        hours_ago=46,
        html=(
            "<p>Olá,</p><p>since yesterday our guests see <b>“Something went wrong (E-417)”</b> "
            "when they book:</p><ul><li>the river tour,</li><li>the night tour.</li></ul>"
            '<p>The <a href="https://tagus.example.com/tours">other tours</a> work. Could you '
            "have a look?</p><p>Obrigada,<br>Inês</p>"
        ),
        attachments=(("screenshot.png", picture((230, 236, 244))),),
    ),
    SeedMail(
        key="booking-2",
        mailbox="support",
        email=INES[0],
        name=INES[1],
        subject="Re: Booking page shows an error",
        hours_ago=44,
        ours=True,
        answers="booking-1",
        text=(
            "Hello Inês,\n\nThank you for the list, that helped. Both tours had lost their price; "
            "they are back since ten minutes. Please tell me if a guest sees the error again.\n\n"
            "Maya"
        ),
    ),
    # A plus-address is somebody of its own.
    SeedMail(
        key="events-1",
        mailbox="sales",
        email="anna.deboer+events@example.com",
        name="Anna de Boer (events)",
        subject="Demo day on the 12th",
        hours_ago=70,
        text=(
            "Hi,\n\nfor our demo day we would need six boats and somebody who can talk about "
            "them. Is the 12th possible for you?\n\nAnna"
        ),
    ),
    # A conversation that we opened.
    SeedMail(
        key="camp-1",
        mailbox="sales",
        email=LIAM[0],
        name=LIAM[1],
        subject="Your camp kits are on their way",
        hours_ago=98,
        ours=True,
        text=(
            "Hi Liam,\n\nAll 40 camp kits left our warehouse this morning, in three parcels. They "
            "should reach you on Friday.\n\nHave a good season!\nTom"
        ),
    ),
    SeedMail(
        key="camp-2",
        mailbox="sales",
        email=LIAM[0],
        name=LIAM[1],
        subject="Re: Your camp kits are on their way",
        hours_ago=50,
        answers="camp-1",
        text="Got them, all three. The kids will love the head lamps. Thanks, Tom!\n\nLiam",
    ),
    SeedMail(
        key="bags-1",
        mailbox="support",
        email=EMILY[0],
        name=EMILY[1],
        subject="Return of two dry bags",
        hours_ago=120,
        text=(
            "Hello,\n\nWe ordered two dry bags too many (order 20417). They are unopened. Where "
            "do we send them?\n\nEmily Hart, Alder & Finch"
        ),
    ),
    SeedMail(
        key="bags-2",
        mailbox="support",
        email=EMILY[0],
        name=EMILY[1],
        subject="Re: Return of two dry bags",
        hours_ago=117,
        ours=True,
        answers="bags-1",
        text="Hi Emily,\n\nA label is on its way to you by post. No rush.\n\nTom",
    ),
    SeedMail(
        key="refund-1",
        mailbox="billing",
        email="xenia.dahl@example.org",
        name="Xenia Dahl",
        subject="Refund has not arrived",
        hours_ago=7,
        text=(
            "Hello,\n\non the 3rd you wrote that 412.50 would be refunded within five days. It is "
            "the second week now. Please check.\n\nXenia Dahl\nFjord Freight"
        ),
    ),
    # A stranger without a name.
    SeedMail(
        key="size-1",
        mailbox="support",
        email="j.moreira@example.net",
        subject="size?",
        hours_ago=53,
        text="i am 1.84 and 78 kg, which life vest do i need\n\nSent from my phone",
    ),
    # A converted Lead: a Contact today.
    SeedMail(
        key="lodge-1",
        mailbox="billing",
        email="sofie.lund@example.net",
        name="Sofie Lund",
        subject="Invoice 3018: our VAT number",
        hours_ago=140,
        text="Hi,\n\nplease put our VAT number on the invoice: NO 914 555 018 MVA.\n\nSofie Lund",
    ),
    # A mailing list: never a customer.
    SeedMail(
        key="weekly-1",
        mailbox="sales",
        email="news@paddle-weekly.example.net",
        name="Paddle Weekly",
        subject="This week: five rivers for late autumn",
        hours_ago=31,
        text="Five rivers, one new dry suit, and a look into a boat builder's shed.",
        headers=(
            ("List-Id", "Paddle Weekly <weekly.paddle-weekly.example.net>"),
            ("List-Unsubscribe", "<https://paddle-weekly.example.net/leave>"),
            ("Precedence", "bulk"),
        ),
    ),
    # The other company.
    SeedMail(
        key="gears-1",
        mailbox="workshop",
        email="bas.visser@example.com",
        name="Bas Visser",
        subject="Gears slip after the service",
        hours_ago=9,
        text="Hi,\n\nsince the service the third gear slips. Can I come by on Monday?\n\nBas",
    ),
    SeedMail(
        key="wheel-1",
        mailbox="workshop",
        email="lotte.brandt@example.com",
        name="Lotte Brandt",
        subject="Can you true a wheel while I wait?",
        hours_ago=28,
        text="Hello, is that possible on a Saturday, and what does it cost?\n\nLotte Brandt",
    ),
)
