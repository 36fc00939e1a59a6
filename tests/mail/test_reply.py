"""History and signatures are left out, answers never."""

from __future__ import annotations

import time

import pytest

from keeping_plugin.mail.reply import read_reply

WROTE = "On Mon, May 4, 2026 at 10:00 AM Bob Jones <bob@acme.example> wrote:"

OUTLOOK = "________________________________\nFrom: Bob\nSent: Monday\nTo: A\nSubject: x"
FORWARDED = """FYI

---------- Forwarded message ---------
From: X <x@y.example>
Date: Mon
Subject: s
To: z

the news"""

CASES = [
    ("Hello", "Hello"),
    ("", ""),
    (f"Answer\n\n{WROTE}\n> old\n> older", "Answer"),
    (f"Answer\n\n{WROTE}\n\nold without marks", "Answer"),
    ("Answer\n\nOn Mon, May 4, 2026\nBob <bob@acme.example> wrote:\n> old", "Answer"),
    ("Ja, gerne.\n\nAm 4. Mai 2026 um 10:00 schrieb Bob <b@x.example>:\n> alt", "Ja, gerne."),
    ("Oui.\n\nLe 4 mai 2026 à 10:00, Bob a écrit :\n> vieux", "Oui."),
    (f"Ok\n\n{OUTLOOK}\n\nold", "Ok"),
    ("Ok\n\n-----Original Message-----\nFrom: Bob\nSent: Monday\n\nold", "Ok"),
    # Answers between and below stay.
    (f"See below.\n\n{WROTE}\n> one?\nyes\n> two?\nno", f"See below.\n\n{WROTE}\nyes\nno"),
    (f"{WROTE}\n> one?\n\nMy answer", f"{WROTE}\n\nMy answer"),
    # A forwarded mail is what its sender wants to show.
    (FORWARDED, FORWARDED),
    # Signatures.
    ("Hello\n\n-- \nAnna Smith\nAcme Ltd.\n+1 555 0100", "Hello"),
    ("Hello\n\nBest regards,\nAnna", "Hello"),
    ("Hallo\n\nMit freundlichen Grüßen\nAnna Müller", "Hallo"),
    ("Hello\n\nSent from my iPhone", "Hello"),
    # What only looks like one.
    ("Thanks, that works. One more question: how?", "Thanks, that works. One more question: how?"),
    ("Hi\n\nThanks, that works for me.\nWhen?", "Hi\n\nThanks, that works for me.\nWhen?"),
    ("To do:\n- one\n- two", "To do:\n- one\n- two"),
    ("Take care of this:\nData: 3.5\n/usr/bin", "Take care of this:\nData: 3.5\n/usr/bin"),
    # Nothing but history is better than nothing.
    ("> only\n> quotes", "> only\n> quotes"),
    ("Thanks, Anna", "Thanks, Anna"),
]  # fmt: skip


NORTHERN = [
    "Den tor. 7. maj 2026 kl. 10.24 skrev Bob Jones <bob@acme.example>:",
    "Den tors 7 maj 2026 kl 10:24 skrev Bob Jones <bob@acme.example>:",
    "tor. 7. mai 2026 kl. 10:24 skrev Bob Jones <bob@acme.example>:",
    "Den tors 7 maj 2026 kl 10:24 skrev Bob Jones <\nbob@acme.example>:",
    "czw., 7 maj 2026 o 10:24 Bob Jones <bob@acme.example> napisał(a):",
    "czw., 7 maj 2026 o 10:24 Bob Jones <bob@acme.example>\nnapisał(a):",
    "W dniu 7.05.2026 o 10:24, Bob Jones pisze:",
    "Dnia 7 maja 2026 10:24 Bob Jones <bob@acme.example> napisał(a):",
    "to 7.5.2026 klo 10.24 Bob Jones (bob@acme.example) kirjoitti:",
    "Em qui., 7 de mai. de 2026 às 10:24, Bob Jones <bob@acme.example> escreveu:",
    "-----Oprindelig meddelelse-----\nFra: Bob Jones\nSendt: 7. maj 2026",
    "----- Ursprungligt meddelande -----\nFrån: Bob Jones\nSkickat: den 7 maj 2026",
    "Fra: Bob Jones <bob@acme.example>\nSendt: 7. maj 2026 10:24\nTil: Anna\nEmne: Kano",
    "Från: Bob Jones <bob@acme.example>\nSkickat: den 7 maj 2026\nTill: Anna\nÄmne: Kanot",
    "Od: Bob Jones <bob@acme.example>\nWysłano: 7 maja 2026\nDo: Anna\nTemat: Kajak",
    "De: Bob Jones <bob@acme.example>\nEnviado: 7 de maio de 2026\nPara: Anna\nAssunto: Caiaque",
]


@pytest.mark.parametrize("header", NORTHERN)
def test_history_is_left_out_in_northern_languages_and_portuguese(header: str) -> None:
    old = "> gammelt\n> ældre" if header.endswith("pisze:") else "gammelt\n\nældre"
    assert read_reply(f"Tak, det er fint!\nKl. 10:00?\n\n{header}\n\n{old}").text == (
        "Tak, det er fint!\nKl. 10:00?"
    )
    assert read_reply(f"Hello\n{header}\n> old").text == "Hello"


KEPT = [
    "Den 3. maj 2026 skrev jeg til jer:\nHvor er min kano?",
    "Jeg skrev kl. 10:24:\ningen svarede",
    "Od: 10:00\nDo: 12:00",
    "Data: 3.5\nFra: lageret\nTil: mig",
    "De: 3 a 5 de maio de 2026",
    "Onde?\n\nDe: Armazém\nEnviado: 7 de maio de 2026\nPara: Anna\nAssunto: Caiaque\n\nAh.",
    "Hvad er det?\n\n-----Oprindelig meddelelse-----\n\nKære kunde.\n\nDet har jeg ikke købt!",
    "Mvh er en forkortelse.",
    "Pozdrawiam wszystkich na kursie i pytam: kiedy?",
    "---------- Videresendt meddelelse ---------\nFra: X <x@y.example>\nDato: nu\nEmne: s\n\nnyt",
    "Se nedenfor.\n\nDen 7. maj 2026 kl. 10.24 skrev Bob <b@x.example>:\n> et?\nja\n> to?\nnej",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_history_stays(text: str) -> None:
    assert read_reply(text).text == "\n".join(line for line in text.split("\n") if line[:1] != ">")


@pytest.mark.parametrize(
    "closing",
    [
        "Med venlig hilsen",
        "Mvh,",
        "Med vänliga hälsningar",
        "Vennlig hilsen",
        "Z poważaniem",
        "Pozdrawiam,",
        "Ystävällisin terveisin",
        "Atenciosamente,",
    ],
)
def test_signatures_of_those_languages_are_left_out(closing: str) -> None:
    assert read_reply(f"Tak for hjælpen.\n\n{closing}\nAnna Møller\n+45 00 00 00 00").text == (
        "Tak for hjælpen."
    )


@pytest.mark.parametrize(("text", "new"), CASES)
def test_the_new_part(text: str, new: str) -> None:
    assert read_reply(text).text == new


def test_lines_are_kept_as_they_were_written() -> None:
    text = "def f():\n    return 1\n\n" + "word " * 500 + "end\n\n" + WROTE + "\n> old"
    assert read_reply(text).text == "def f():\n    return 1\n\n" + "word " * 500 + "end"


SIZE = 64 * 1024
UNITS = [
    "Den 10:24 skrev @ ",
    "Fra: x\n",
    "czw. 10:24 @\nnapisał(a)\n",
    "On ",
    "Am x schrieb ",
    "Op x schreef ",
    "Dne x ",
    "From: ",
    "> ",
    "* ",
    "_",
    "Thanks,",
    " ",
]
UNITS += [
    "\n",
    "a\n\n",
    "On a wrote:\n\n",
    "From: a\n",
    "--\n",
    "x    ",
    "2026年1月1日(月) 10:00",
    "-----",
]


@pytest.mark.parametrize("unit", UNITS)
def test_no_text_takes_long(unit: str) -> None:
    """One long line, and the same in lines of a usual length."""
    for text in (unit * (SIZE // len(unit)), "\n".join([(unit * 200)[:199]] * (SIZE // 200))):
        started = time.process_time()
        read_reply(text)
        assert time.process_time() - started < 5
