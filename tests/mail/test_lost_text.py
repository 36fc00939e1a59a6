"""What a customer wrote stands in the Task, whatever it looks like."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keeping_plugin.mail.reply import read_reply
from keeping_plugin.mail.task import task_text
from keeping_plugin.types import Address, Conversation, Direction, Message

ANNA = Address("anna@customer.example", "Anna Smith")
URL = "https://inbox.example/c/1"
WROTE = "On Mon, May 4, 2026 at 10:00 AM Bob Jones <bob@acme.example> wrote:"
BLOCK = """From: Bob Jones <bob@acme.example>
Sent: Monday, 4 May 2026 10:00
To: Anna <anna@customer.example>
Subject: Your order 4411
"""


def described(text: str | None, *, subject: str = "Re: Your order 4411", html: str = "") -> str:
    message = Message(
        company_id="acme",
        mailbox_id="sales",
        conversation_id="c1",
        message_id="m1",
        direction=Direction.INBOUND,
        opens_conversation=True,
        customer=ANNA,
        sender=ANNA,
        recipients=(),
        sent_at=datetime(2026, 5, 6, 9, 30, tzinfo=UTC),
        subject=subject,
        text=text,
        html=html or None,
    )
    conversation = Conversation("c1", "sales", subject, URL, customer=ANNA)
    fields = task_text(message, conversation=conversation, marker="[k-aaaaaaaaaaaaaaaa]").fields
    return str(fields["Description"])


@pytest.mark.field_case("C")
def test_every_sentence_of_the_mails_from_the_field_stands_in_the_task(shared: Path) -> None:
    mails = json.loads((shared / "field" / "lost-text.json").read_text())
    lost = [
        (mail["name"], sentence)
        for mail in mails
        for sentence in mail["must_stand"]
        if sentence not in described(mail["text"])
    ]
    assert len(mails) == 30
    assert not lost


@pytest.mark.field_case("C")
def test_replies_are_trimmed_as_people_would_and_none_loses_a_line(shared: Path) -> None:
    pairs = json.loads((shared / "field" / "trim" / "crisp.json").read_text())
    exact, lost = 0, []
    for pair in pairs:
        made = read_reply(pair["text"]).text
        exact += made.strip() == pair["expected"].strip()
        lost += [
            (pair["name"], line)
            for line in pair["expected"].split("\n")
            if line.strip() and line.strip() not in made
        ]
    assert len(pairs) == 45
    assert exact >= 36
    assert not lost


WHOLE = {
    "a line of a mailbox file": "We moved.\n>From Monday on deliver to Dock 4.",
    "an error message": "It says:\n\n> error 17: licence expired",
    "sizes": "Left:\n> 45 cm: three\n< 45 cm: none",
    "shell": "Try:\n> git diff\n>> appended",
    "a postscript": "Cancel 4411.\n\nBest regards,\nBob\n\nP.S. Do NOT cancel 4412.",
    "a postscript without dots": "Stornieren.\n\nViele Grüße\nUwe\n\nPS: Die 4412 nicht!",
    "an order below the name": "Cancel 4411.\n\nThanks,\nBob\n\nOrder 4412 must stay",
    "a new number": "Yes.\n\nBest,\nKim\nMy new number is 0170 1234567.",
    "a new address": "Hi\n\nKind regards\nKim\nNew delivery address: Dock 4, Oslo",
    "more after thanks": "It broke.\n\nThanks,\n\nIs the blue one back in stock?",
    "thanks above": "Hi Tom\n\nCheers,\nthat worked. Can I return it in June?",
    "a drawn line": "I need:\n\n--\n2 x red tent\n1 x blue tarp",
    "two drawn lines": "Change:\n--\n2 x red tent\n--\nDeliver to Oslo.",
    "a list below a real one": "I need:\n\n-- \n2 x red tent\nDeliver to Oslo please",
    "underscores": "Please fix:\n_____\nBug 1: crashes\nBug 2: freezes",
    "a long rule": "Please fix:\n" + "_" * 40 + "\nBug 1: crashes",
    "a colleague wrote": "On Friday, May 1, 2026 your colleague wrote:\nit is free.\nStill so?",
    "ein Kollege schrieb": "am 3. Mai 2026 schrieb mir Ihre Kollegin:\nes ist frei.\nGilt das?",
    "un collègue a écrit": "Le 3 mai 2026 votre collègue m'a écrit :\nc'est gratuit.\nToujours ?",
    "un compañero escribió": "El 3 de mayo de 2026 su compañera escribió:\nes gratis.\n¿Sigue?",
    "un collega ha scritto": "Il 3 maggio 2026 alle 10:24 il collega ha scritto:\nè gratis.\nVale?",
    "een collega schreef": "Op 3 mei 2026 schreef uw collega Anna:\nhet is gratis.\nGeldt dat?",
    "um colega escreveu": "Em 3 de maio de 2026 o colega escreveu:\né grátis.\nAinda vale?",
    "en kollega skrev": "Den 3 maj 2026 kl 10:24 skrev er kollega:\ndet är gratis.\nGäller det?",
    "kolega napisał": "Dnia 3 maja 2026 kolega napisał:\nto za darmo.\nCzy to aktualne?",
    "kolegyně napsala": "Dne 3. května 2026 vaše kolegyně napsala:\nzdarma.\nPlatí to?",
    "коллега написала": "3 мая 2026 г. ваша коллега написала:\nбесплатно.\nЭто в силе?",
    "同事写道": "在 2026年5月1日，您的同事写道：\n可以免费更换。\n现在还可以吗？",
    "a trip": "Quote this:\n\nFrom: Oslo\nTo: Berlin\nDate: 3 May 10:00\nSubject to change.",
    "a parcel": "Wo?\n\nVon: Lager\nGesendet: 3. Mai 10:00\nAn: Berlin\nBetreff: Zelt\n\nLeer.",
    "a form": f"New enquiry\n\n{BLOCK}\nDo you have red tents?",
    "a form by day": "From: K <k@c.example>\nDate: 3 May\nTo: s@o.example\nSubject: Q\n\nRed?",
    "an appointment": "Appointment\nDate: 3 May 2026\nTime: 10:00\nName: Kim\nPlease confirm.",
    "a typed separator": "What is it?\n----- Original Message -----\nIt ends.\n\nI paid on 1 May!",
    "with blank lines": "What is it?\n\n-----Original Message-----\n\nIt ends.\n\nI paid on 1 May!",
    "answers in capitals": f"See my answers below in CAPS.\n\n{BLOCK}\nWhich colour?\nRED PLEASE",
    "Antworten in Rot": f"Meine Antworten stehen unten in Rot.\n\n{BLOCK}\nWelche Farbe?\nROT",
    "réponses": f"Mes réponses sont ci-dessous.\n\n{BLOCK}\nQuelle couleur ?\nROUGE",
    "an address typed by hand": f"Hello,\n\n{WROTE}\nwe can replace it.\nIs that still so?",
    "a greeting alone": f"Hello Anna\n\n{WROTE}\n\nwe can replace it.\n\nIs that still so?",
    "a form by the hour": "New\n\nFrom: K <k@c.example>\nDate: 3 May 1:12\nTo: s\nSubject: Q\n\nR?",
    "what led on to it": f"Hi Bob.\n\nWhat do you mean by this:\n\n{WROTE}\n> It ends.",
    "only a phone's words above": f"Sent from my iPhone\n\n{WROTE}\n> Which? RED",
    "answers in the text": f"Hi, my comments are in your mail.\n\n{BLOCK}\nWhich?\nRED",
    "history in a forwarded mail": f"See\n\n- Forwarded message -\nFrom: X\n\n{WROTE}\n> a",
    "a wish for a phone": "It broke.\n\nGet me a new phone",
    "a mail that was sent": "It broke.\n\nSent mail to Bob yesterday",
    "sent by a carrier": "It comes.\n\nSent via DHL, mobile 0170 1234567",
    "goods below a mark": "I need:\n\n-- \nRed Tent\nBlue Tarp",
    "sent too early": "Hi\nSent from my iPhone\n\nSorry, too early. 4411 needs a paddle.",
    "sent from an office": "It was sent from my office in Oslo by mail on 3 May, parcel 4411.",
    "an answer below all": "On Mon, May 4, 2026, Anna <a@o.example> wrote:\nWhich colour?\n\nRed.",
}  # fmt: skip


@pytest.mark.field_case("C")
@pytest.mark.parametrize("name", WHOLE)
def test_what_only_looks_like_history_or_a_signature_stays_to_the_last_line(name: str) -> None:
    made = described(WHOLE[name], subject="")
    for line in WHOLE[name].split("\n"):
        assert line.strip() in made
    assert "[…]" not in made


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    "prefix", ["FW:", "Fwd:", "WG:", "TR:", "RV:", "I:", "[EXTERNAL] FW:", "Doorst:", "VB:", "PD:"]
)
def test_a_forwarded_mail_is_content(prefix: str) -> None:
    text = f"Please have a look.\n\n{BLOCK}\nthe news\n\nBest regards,\nBob Jones"
    assert described(text, subject=f"{prefix} Your order 4411") == text
    assert described(text, subject="RE: FW: Your order 4411") == "Please have a look."


@pytest.mark.field_case("C")
def test_vs_passes_on_in_danish_and_answers_in_finnish() -> None:
    danish = f"Se her.\n\n{BLOCK}\nnyt"
    assert described(danish, subject="VS: Your order 4411") == danish
    finnish = "Kiitos.\n\nma 4.5.2026 klo 10.00 Bob (bob@acme.example) kirjoitti:\n\nvanha"
    assert described(finnish, subject="VS: Your order 4411") == "Kiitos."


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    "says",
    ["Begin forwarded message:", "----- Mail transféré -----", "İletilen mesaj", "转发的邮件"],
)
def test_what_a_program_says_was_forwarded_is_content(says: str) -> None:
    text = f"Please see.\n\n{says}\n{BLOCK}\nthe news"
    assert described(text) == text


@pytest.mark.field_case("C")
def test_a_forwarded_mail_is_content_in_html_too() -> None:
    html = (
        "<p>Have a look.</p><blockquote type=cite><p>the news</p></blockquote>"
        "<div class=gmail_quote>Bob</div>"
    )
    assert "the news" in described(None, html=html, subject="WG: Neues")


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    ("html", "sentence"),
    [
        ("<p>It says:</p><blockquote type=cite>error 17</blockquote><p>What now?</p>", "error 17"),
        (
            (
                f"<p>Answers below in red</p><p>{WROTE.replace('<', '&lt;')}</p>"
                "<blockquote type=cite>Which?<p style='color:red'>XL</p></blockquote>"
            ),
            "XL",
        ),
        (
            (
                f"<p>{WROTE.replace('<', '&lt;')}</p>"
                "<blockquote class=gmail_quote>Which?</blockquote>"
                "<p>The red one</p>"
            ),
            "The red one",
        ),
    ],
)
def test_what_a_customer_wrote_in_html_stays(html: str, sentence: str) -> None:
    assert sentence in described(None, html=html)


def test_cited_history_in_html_is_left_out() -> None:
    wrote = WROTE.replace("<", "&lt;")
    html = f"<p>Yes.</p><div>{wrote}<br></div><blockquote class=gmail_quote>Which?</blockquote>"
    assert described(None, html=html) == "Yes."


REPLIES = [
    WROTE + "\n> old",
    "Am 04.05.2026 um 10:00 schrieb Bob Jones:\n> alt",
    "Am Mo., 4. Mai 2026 um 10:00 Uhr schrieb Bob Jones <bob@acme.example>:\n\nalt",
    "Le lun. 4 mai 2026 à 10:00, Bob Jones <bob@acme.example> a écrit :\n\nvieux",
    "El lun, 4 may 2026 a las 10:00, Bob Jones (<bob@acme.example>) escribió:\n\nviejo",
    "Il giorno lun 4 mag 2026 alle ore 10:00 Bob Jones <bob@acme.example> ha scritto:\n\nold",
    "Op ma 4 mei 2026 om 10:00 schreef Bob Jones <bob@acme.example>:\n\noud",
    "Em seg., 4 de mai. de 2026 às 10:00, Bob Jones <bob@acme.example> escreveu:\n\nold",
    "Den mån 4 maj 2026 kl 10:00 skrev Bob Jones <bob@acme.example>:\n\ngammal",
    "pon., 4 maj 2026 o 10:00 Bob Jones <bob@acme.example> napisał(a):\n\nold",
    "po 4. 5. 2026 v 10:00 odesílatel Bob Jones <bob@acme.example> napsal:\n\nold",
    "2026年5月4日(月) 10:00 Bob Jones <bob@acme.example>:\n\n古い",
    "Bob Jones <bob@acme.example> 于2026年5月4日周一 10:00写道：\n\n旧",
    "пн, 4 мая 2026 г. в 10:00, Bob Jones <bob@acme.example>:\n\nold",
    "4 May 2026 Pzt, 10:00 tarihinde Bob Jones <bob@acme.example> şunu yazdı:\n\nold",
    "Bob Jones <bob@acme.example> writes:\n\n> old",
    "-----Original Message-----\nFrom: Bob Jones\nSent: Monday\nTo: Anna\n\nold",
    "________________________________\nVon: Bob\nGesendet: Montag\nAn: Anna\nBetreff: x\n\nalt",
    "*From:* Bob Jones <bob@acme.example>\n*Sent:* Monday\n*To:* Anna\n*Subject:* x\n\nold",
    BLOCK + "\nold",
    "De : Bob Jones <bob@acme.example>\nEnvoyé : lundi 10:00\nÀ : Anna\nObjet : x\n\nold",
    "De: Bob Jones <bob@acme.example>\nEnviado el: lunes, 4 de mayo\nPara: A\nAsunto: x\n\nold",
    "Da: Bob Jones <bob@acme.example>\nInviato: lunedì 4 maggio\nA: Anna\nOggetto: x\n\nold",
    "Van: Bob Jones <bob@acme.example>\nVerzonden: maandag\nAan: Anna\nOnderwerp: x\n\noud",
    "差出人: Bob Jones <bob@acme.example>\n送信日時: 5月4日\n宛先: Anna\n件名: x\n\n古い",
    "发件人: Bob Jones <bob@acme.example>\n发送时间: 5月4日\n收件人: Anna\n主题: x\n\n旧",
    "------- Original Message -------\n" + WROTE + "\n\n> old",
]  # fmt: skip


@pytest.mark.field_case("C")
@pytest.mark.parametrize("history", REPLIES)
def test_history_of_any_usual_program_is_left_out_without_a_word(history: str) -> None:
    assert described(f"The red one, please.\n\n{history}") == "The red one, please."


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAnna Smith\nHead of Sales\nAcme Ltd.\n+47 22 33 44 55",
        "Best regards,\nAnna Smith",
        "Mit freundlichen Grüßen\n\nAnna Müller\nMüller GmbH\nTel.: 0170 1234567",
        "Sent from my iPhone",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Sent from my Samsung Galaxy smartphone.",
        "Sent from Mail for Windows 10",
        "Gesendet mit der GMX Mail App",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPad",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "iPhoneから送信",
    ],
)
def test_a_signature_that_was_left_out_is_told_with_a_link(signature: str) -> None:
    assert described(f"The red one.\n\n{signature}") == (
        "The red one.\n\n[…] A signature was left out; the full message is in the conversation: "
        + URL
    )


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    "text",
    [
        "Please call me on the number below.\n\nRegards,\nAnna Smith\n+44 20 7946 0018",
        "Sure, here it is.\n\nBest regards,\nKim Lee\n+47 22 33 44 55",
        "Here you are.\n\nThanks\nKim\nhttps://shop.example/kim",
        "Please send the items below.\n\nThanks,\nKim Lee\nRed Tent Ltd\nBlue Tarp Inc",
        "Please add those under my name.\n\nRegards,\nAnna Smith\nKim Lee, Sales Manager",
        "The broken page:\n\nThanks\nKim\nhttps://acme.example/broken",
        "Use another address.\n\nThanks\nKim\nkim.new@c.example",
        "We changed our name.\n\nBest regards,\nKim Lee\nNew Name GmbH",
        "Bitte rufen Sie mich zurück.\n\nViele Grüße\nUwe Meier\nTel. 030 123456",
    ],
)
def test_a_signature_that_its_writer_points_at_stays(text: str) -> None:
    assert described(text) == text


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    "number",
    ["4500012345", "4711-0815-42", "12.05.2026", "01/05/2026", "100 (50) 20", "50 - 60 80"],
)
def test_a_number_that_may_be_no_telephone_number_stays(number: str) -> None:
    text = f"Please look into it.\n\nThanks\nKim Lee\n{number}"
    assert described(text) == text


@pytest.mark.parametrize(
    "number",
    [
        "+47 22 33 44 55", "(555) 010-1234", "555-010-1234", "0170 1234567", "0170/1234567",
        "Tel.: 22334455", "M: 555 0100", "(+47) 22334455", "030 / 12 34 56",
    ],
)  # fmt: skip
def test_a_telephone_number_is_part_of_a_signature(number: str) -> None:
    said = described(f"Please look into it.\n\nThanks\nKim Lee\n{number}")
    assert number not in said
    assert URL in said


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    "text",
    [
        "Wir wechseln nicht zu Linux, sondern weg\nvon Windows",
        "Le colis a été\nenvoyé depuis mon mobile home",
    ],
)
def test_the_end_of_a_sentence_is_no_signature_of_a_phone(text: str) -> None:
    assert described(text) == text


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    "words",
    [
        "Hi, please find my notes after each question.",
        "I filled in the form.",
        "Hallo, ich habe meine Angaben direkt eingefügt.",
        "Hallo, siehe zwischen Ihren Zeilen.",
        "Hi, I typed into your text.",
        "Aquí está el formulario relleno.",
    ],
)
def test_what_was_written_into_the_history_stays_where_its_writer_says_so(words: str) -> None:
    assert "XXL" in described(f"{words}\n\n{BLOCK}\nSize: XXL")


@pytest.mark.field_case("C")
def test_the_headers_of_another_mail_that_somebody_copied_are_no_history() -> None:
    copied = BLOCK.replace("Sent: Monday, 4 May 2026", "Date: Mon, 4 May 2026").replace("4411", "5")
    text = f"Did you send that?\n\n{copied}\nPay to XX99.\n\nPlease say so before Friday."
    assert "before Friday" in described(text)
    assert described(text.replace("order 5", "order 4411")) == "Did you send that?"
    for words in ("Is this mail from you?", "Ist diese Mail von Ihnen?"):
        assert "before Friday" in described(f"{words}\n\n{BLOCK}\nPlease say so before Friday.")


@pytest.mark.field_case("C")
def test_a_form_with_a_rule_in_it_is_no_history() -> None:
    text = f"Name: Kim\n{'_' * 32}\nFrom: Oslo\nTo: Bergen\nDate: 4 May 2026\nPassengers: 3"
    assert described(text, subject="Trip") == text


@pytest.mark.field_case("C")
def test_an_answer_in_small_letters_between_long_quoted_lines_stays() -> None:
    asked = "> Which of these many colours would you like to have for the tent, please, and"
    assert "blue" in described(f"{WROTE}\n{asked}\nblue\n> what size?\n42")


@pytest.mark.field_case("C")
@pytest.mark.parametrize("tag", ["noscript", "object", "textarea", 'p style="/* display:none */"'])
def test_what_mail_programs_show_of_html_stays(tag: str) -> None:
    assert "3 tents" in described(None, html=f"<{tag}>3 tents</{tag.partition(' ')[0]}>")


def test_lines_written_below_a_long_quotation_are_told_when_they_are_not_read() -> None:
    text = f"See the end.\n\n{WROTE}\n" + "> old line\n" * 8_000
    assert described(text) == "See the end."
    assert URL in described(text + "\nAnd one thing more.")
