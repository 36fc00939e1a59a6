"""The table, one row per sentence of what users were promised, and by hand where it matters."""

from __future__ import annotations

import pytest

from keeping_plugin.rules import CHECKS, RULES, RULES_VERSION, Check, Facts, Policy, Rule, decide
from keeping_plugin.rules.table import version_of
from keeping_plugin.types import Action, Address, Direction, MessageArrived
from tests.rules.messages import BOTH_ON, added, arrived, from_, logged

OUT = {"direction": Direction.OUTBOUND, "opens_conversation": False}
ACME_IS_US = BOTH_ON._replace(internal=frozenset({"acme.example", "us@partner.example"}))
SKIPPING = BOTH_ON._replace(
    skipped=frozenset({"spam.example", "quiet.example", "xn--mller-kva.example"}),
    unlogged=frozenset({"quiet.example"}),
)

# sentence, message, policy, against adding, against logging
PROMISES: list[tuple[str, MessageArrived, Policy, tuple[str, ...], tuple[str, ...]]] = [
    (
        "Both automations are off unless they are switched on for the mailbox.",
        arrived(),
        Policy(connected=True),
        ("auto_add_off",),
        ("logging_off",),
    ),
    (
        "Auto-add works without logging.",
        arrived(),
        Policy(connected=True, add_contacts=True),
        (),
        ("logging_off",),
    ),
    (
        "Logging works without auto-add.",
        arrived(),
        Policy(connected=True, log_tasks=True),
        ("auto_add_off",),
        (),
    ),
    ("Both together give full coverage from the first message.", arrived(), BOTH_ON, (), ()),
    (
        "Every new conversation adds its customer; a later message does not.",
        arrived(opens_conversation=False),
        BOTH_ON,
        ("not_opening",),
        (),
    ),
    (
        "Outbound messages are logged, and add nobody.",
        arrived(**OUT),
        BOTH_ON,
        ("not_inbound", "not_opening"),
        (),
    ),
    (
        "A conversation opened by the team adds nobody, whoever answers.",
        arrived(direction=Direction.OUTBOUND),
        BOTH_ON,
        ("not_inbound",),
        (),
    ),
    (
        "After a disconnect both automations stop.",
        arrived(),
        Policy(connected=False, add_contacts=True, log_tasks=True),
        ("not_connected",),
        ("not_connected",),
    ),
    (
        "An internal domain is neither added nor logged.",
        from_("bob@acme.example"),
        ACME_IS_US,
        ("internal_address",),
        ("internal_address",),
    ),
    (
        "An internal alias is neither added nor logged.",
        from_("us@partner.example"),
        ACME_IS_US,
        ("internal_address",),
        ("internal_address",),
    ),
    (
        "Others at the domain of an internal alias are customers.",
        from_("them@partner.example"),
        ACME_IS_US,
        (),
        (),
    ),
    (
        "A skipped domain adds nobody, and is logged all the same.",
        from_("a@spam.example"),
        SKIPPING,
        ("skipped_domain",),
        (),
    ),
    (
        "A skipped domain may be kept out of the log as well.",
        from_("a@quiet.example"),
        SKIPPING,
        ("skipped_domain",),
        ("unlogged_domain",),
    ),
    (
        "A message that names no customer has nobody to look for.",
        arrived(customer=None),
        BOTH_ON,
        ("no_customer",),
        ("no_customer",),
    ),
    (
        "What is no address is neither added nor logged.",
        from_("anna at customer.example"),
        BOTH_ON,
        ("invalid_address",),
        ("invalid_address",),
    ),
    (
        "An address of more than 80 characters does not fit Contact.Email, so no Contact has it.",
        from_("a" * 60 + "@" + "b" * 12 + ".example"),
        BOTH_ON,
        ("address_too_long",),
        ("address_too_long",),
    ),
    (
        "An address of 80 characters does.",
        from_("a" * 60 + "@" + "b" * 11 + ".example"),
        BOTH_ON,
        (),
        (),
    ),
    (
        "An address with the dots of a Japanese carrier may be in Salesforce.",
        from_("taro..x@docomo.example"),
        BOTH_ON,
        (),
        (),
    ),
    (
        "Mail that no person wrote never becomes a Contact, and is logged.",
        arrived(headers={"auto-submitted": "auto-replied"}),
        BOTH_ON,
        ("auto_submitted",),
        (),
    ),
    (
        "All that speaks against a message is said at once.",
        from_(
            "no-reply@spam.example",
            **OUT,
            headers={"list-id": "<x>", "return-path": "<>", "precedence": "auto_reply"},
        ),
        SKIPPING._replace(add_contacts=False),
        (
            "auto_add_off",
            "not_inbound",
            "not_opening",
            "skipped_domain",
            "auto_submitted",
            "delivery_report",
            "mailing_list",
            "no_reply_sender",
        ),
        (),
    ),
]


@pytest.mark.parametrize(
    ("message", "policy", "against_adding", "against_logging"),
    [row[1:] for row in PROMISES],
    ids=[row[0] for row in PROMISES],
)
def test_promise(
    message: MessageArrived,
    policy: Policy,
    against_adding: tuple[str, ...],
    against_logging: tuple[str, ...],
) -> None:
    assert (added(message, policy), logged(message, policy)) == (against_adding, against_logging)


SKIPPED = [
    ("a@spam.example", True),
    ("a@SPAM.Example", True),
    ("a@spam.example.", True),
    ("a@mail.spam.example", True),
    ("a@very.deep.mail.spam.example", True),
    ("a@notspam.example", False),
    ("a@spam.example.org", False),
    ("a@example", False),
    ("a@müller.example", True),
    ("a@MÜLLER.example", True),
    ("a@xn--mller-kva.example", True),
    ("a@muller.example", False),
]


@pytest.mark.parametrize(("address", "skipped"), SKIPPED)
def test_a_skipped_domain_covers_its_subdomains_in_any_spelling(
    address: str, skipped: bool
) -> None:
    assert ("skipped_domain" in added(from_(address), SKIPPING)) is skipped


def test_an_address_has_its_own_case_and_its_own_plus() -> None:
    policy = BOTH_ON._replace(internal=frozenset({"strasse@x.example", "anna@x.example"}))
    assert added(from_("straße@x.example"), policy) == ()
    assert added(from_("anna+news@x.example"), policy) == ()
    assert added(from_("ANNA@X.example"), policy) == ("internal_address",)


MACHINES = [
    ({"auto-submitted": "auto-replied"}, "auto_submitted"),
    ({"auto-submitted": "Auto-Generated (failure)"}, "auto_submitted"),
    ({"auto-submitted": " auto-notified; owner=x"}, "auto_submitted"),
    ({"Auto-Submitted": "auto-replied"}, "auto_submitted"),
    ({"precedence": "auto_reply"}, "auto_submitted"),
    ({"x-autoreply": "yes"}, "auto_submitted"),
    ({"x-autorespond": ""}, "auto_submitted"),
    ({"x-autogenerated": "Reply"}, "auto_submitted"),
    ({"x-auto-reply": "1"}, "auto_submitted"),
    ({"x-mail-autoreply": "true"}, "auto_submitted"),
    ({"x-apple-action": "VACATION"}, "auto_submitted"),
    ({"X-Auto-Response-Suppress": "All"}, "auto_submitted"),
    ({"x-auto-response-suppress": "OOF, AutoReply"}, "auto_submitted"),
    ({"x-auto-response-suppress": "DR, OOF, AutoReply"}, "auto_submitted"),
    ({"auto-submitted": "(vacation) auto-replied"}, "auto_submitted"),
    ({"auto-submitted": '"auto-replied"'}, "auto_submitted"),
    ({"x-mdautoresponse": "1"}, "auto_submitted"),
    ({"return-path": "< >"}, "delivery_report"),
    # What Postfix writes for an empty one where it hands mail to a program.
    ({"return-path": "<MAILER-DAEMON>"}, "delivery_report"),
    ({"return-path": "MAILER-DAEMON@mx.customer.example"}, "delivery_report"),
    ({"content-type": "message/global-delivery-status"}, "delivery_report"),
    ({"content-type": "multipart/report; report-type=feedback-report"}, "delivery_report"),
    ({"content-type": "message/feedback-report"}, "delivery_report"),
    ({"x-arf": "yes"}, "delivery_report"),
    ({"return-path": "<>"}, "delivery_report"),
    ({"return-path": " <> "}, "delivery_report"),
    ({"content-type": "multipart/report; report-type=delivery-status"}, "delivery_report"),
    (
        {"content-type": "Multipart/Report;\n report-type=disposition-notification"},
        "delivery_report",
    ),
    ({"content-type": "message/delivery-status"}, "delivery_report"),
    ({"x-failed-recipients": "a@b.example"}, "delivery_report"),
    ({"list-id": "<dev.example.org>"}, "mailing_list"),
    ({"list-unsubscribe": "<mailto:x@example.org>"}, "mailing_list"),
    ({"precedence": "bulk"}, "mailing_list"),
    ({"precedence": "List"}, "mailing_list"),
    ({"content-type": "text/calendar; method=REPLY; charset=utf-8"}, "calendar_reply"),
    ({"content-type": 'text/calendar; charset=utf-8; method="COUNTER"'}, "calendar_reply"),
    (
        {"content-class": "urn:content-classes:calendarmessage", "in-reply-to": "<1@x>"},
        "calendar_reply",
    ),
]


@pytest.mark.field_case("C")
@pytest.mark.parametrize(("headers", "code"), MACHINES)
def test_mail_that_no_person_wrote_never_becomes_a_contact(
    headers: dict[str, str], code: str
) -> None:
    assert added(arrived(headers=headers)) == (code,)
    assert logged(arrived(headers=headers)) == ()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"auto-submitted": "no"},
        {"auto-submitted": "NO (really)"},
        {"auto-submitted": ""},
        {"return-path": "<anna@customer.example>"},
        {"content-type": "text/plain; charset=utf-8"},
        {"content-type": "multipart/mixed; boundary=report"},
        {"content-type": "text/calendar; method=REQUEST"},
        {"content-class": "urn:content-classes:calendarmessage"},
        {"content-class": "urn:content-classes:message", "in-reply-to": "<1@x>"},
        {"precedence": "first-class"},
        {"x-autoreply": "no"},
        {"x-autogenerated": "0"},
        {"x-autoreply": '"no"'},
        {"x-autorespond": "off"},
        {"content-type": 'text/calendar; method = "REQUEST"'},
        {"return-path": "<mailer-daemon.fan@customer.example>"},
        {"x-apple-action": ""},
        {"x-auto-response-suppress": "None"},
        {"x-auto-response-suppress": "RN, NRN"},
        {"x-auto-response-suppress": "DR"},
        # People's mail to a distribution list of Exchange.
        {"x-auto-response-suppress": "DR, RN, NRN, OOF, AutoReply"},
        {"subject": "Precedence: bulk", "x-mailer": "list-id"},
    ],
)
def test_mail_that_a_person_wrote_does(headers: dict[str, str]) -> None:
    assert added(arrived(headers=headers)) == ()


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    "local",
    [
        "no-reply", "noreply", "NoReply", "no_reply", "no.reply", "noreply+12", "orders-noreply",
        "noreply-orders", "donotreply", "do-not-reply", "do_not_reply", "mailer-daemon",
        "MAILER-DAEMON", "postmaster", "bounce", "bounces", "bounces+anna=x.example", "bounce-12",
        "post_master", "post-master", "Mail-Daemon", "mailer.daemon", "double-bounce", "bounce3",
        "auto-reply", "mail-delivery-subsystem", "microsoftexchange" + "0123456789abcdef" * 2,
        "nicht-antworten", "ne-pas-repondre", "ne.pas.repondre", "no-responder", "nepasrepondre",
    ],
)  # fmt: skip
def test_an_address_that_nobody_reads_is_not_added(local: str) -> None:
    message = from_(f"{local}@shop.example")
    assert added(message) == ("no_reply_sender",)
    assert logged(message) == ()


@pytest.mark.parametrize(
    "local",
    ["anna", "reply", "norbert", "bouncer", "trampolin.bounce", "postmaster.general", "noel.reply"],
)
def test_an_address_that_somebody_may_read_is(local: str) -> None:
    assert added(from_(f"{local}@shop.example")) == ()


@pytest.mark.field_case("C")
@pytest.mark.parametrize(
    ("message", "nobody"),
    [
        (from_("mailer-daemon@mx.example"), True),
        (from_("no-reply@shop.example"), True),
        (arrived(headers={"content-type": "multipart/report; report-type=delivery-status"}), True),
        (arrived(headers={"content-type": "multipart/report; report-type=feedback-report"}), True),
        (arrived(headers={"x-failed-recipients": "a@b.example"}), True),
        # These come from the addresses of people.
        (arrived(headers={"return-path": "<>"}), False),
        (arrived(headers={"auto-submitted": "auto-replied"}), False),
        (
            arrived(
                headers={"content-type": 'multipart/report; report-type="disposition-notification"'}
            ),
            False,
        ),
        (arrived(), False),
    ],
)
def test_a_machine_is_told_from_a_person_who_may_be_added_later(
    message: MessageArrived, nobody: bool
) -> None:
    assert Facts.of(message, BOTH_ON).nobody_to_find is nobody


def test_a_customer_that_is_not_there_is_not_called_invalid_as_well() -> None:
    assert added(arrived(customer=Address(""))) == ("no_customer",)


def test_codes_and_sentences_are_fixed_texts_for_people() -> None:
    for rule in RULES:
        for check in rule.require:
            assert CHECKS[check.code] is check, "a code means the same in every rule"
            assert check.code == check.code.lower()
            assert check.code.replace("_", "").isalpha()
            assert len(check.code) <= 32
            for sentence in (check.sentence, check.refusal):
                assert sentence.endswith(".")
                assert sentence[0].isupper()
            assert check.sentence != check.refusal


def test_a_rule_that_requires_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one check"):
        Rule(Action.ADD_CONTACT, "Always", ())


def test_a_code_stands_in_a_rule_once() -> None:
    check = RULES[0].require[0]
    with pytest.raises(ValueError, match="each code once"):
        Rule(Action.ADD_CONTACT, "Always", (check, check))


def test_the_version_changes_with_every_code() -> None:
    first, *others = RULES
    shorter = Rule(first.action, first.on, first.require[1:])
    renamed = Rule(
        first.action, first.on, (first.require[0]._replace(code="x"), *first.require[1:])
    )
    versions = {RULES_VERSION} | {version_of([rule, *others]) for rule in (shorter, renamed)}
    assert len(versions) == 3
    assert version_of(RULES) == RULES_VERSION
    assert len(RULES_VERSION) <= 32


def test_a_check_that_raises_is_a_bug_that_surfaces() -> None:
    def broken(_: Facts) -> bool:
        raise ZeroDivisionError

    rule = Rule(Action.LOG_TASK, "Always", (Check("broken", broken, "Works.", "Fails."),))
    with pytest.raises(ZeroDivisionError):
        decide([rule], Facts.of(arrived(), BOTH_ON))
