"""What a new person's form starts from: address, name, and a company only as a suggestion."""

from __future__ import annotations

from collections.abc import Mapping

from keeping_plugin.addresses import address_key, domain_of
from keeping_plugin.services.contact_name import contact_fields
from keeping_plugin.types import Address, ObjectSchema, Value

# Providers of personal mail: their domain says nothing of a company.
_PERSONAL = frozenset(
    """aol.com bluewin.ch comcast.net fastmail.com free.fr freenet.de gmail.com gmx.at gmx.ch
    gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.com hotmail.co.uk hotmail.fr icloud.com
    laposte.net libero.it live.com live.nl mac.com mail.com mail.ru me.com msn.com naver.com
    orange.fr outlook.com outlook.de pm.me proton.me protonmail.com qq.com rediffmail.com sfr.fr
    t-online.de tuta.io tutanota.com verizon.net wanadoo.fr web.de yahoo.co.jp yahoo.co.uk yahoo.com
    yahoo.de yahoo.fr yandex.ru ymail.com zoho.com 126.com 163.com""".split()
)
# Second-level labels under which companies register: acme.co.uk is Acme.
_SHARED = frozenset({"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"})


def person_values(schema: ObjectSchema, customer: Address) -> dict[str, Value]:
    """Values for the form of a new Contact or Lead, as far as the object has these fields."""
    values: Mapping[str, Value] = {**contact_fields(customer), "Email": customer.email}
    return {name: value for name, value in values.items() if name in schema.fields}


def suggested_company(customer: Address) -> str:
    """A company's name read from the address's domain, "" when it tells none. A guess, to be shown
    as one and never saved unseen."""
    key = address_key(customer.email)
    domain = domain_of(key) if key else ""
    if not domain or domain in _PERSONAL:
        return ""
    labels = domain.split(".")
    if len(labels) < 2:
        return ""
    place = -3 if len(labels) > 2 and labels[-2] in _SHARED and len(labels[-1]) == 2 else -2
    label = labels[place]
    if label.startswith("xn--"):
        label = label.encode("ascii").decode("idna")
    return " ".join(word.capitalize() for word in label.split("-") if word)
