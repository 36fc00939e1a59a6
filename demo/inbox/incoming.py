"""Where the mail server delivers: one raw message a request, as its delivery pipe sends it."""

from __future__ import annotations

import hashlib
import hmac
import re

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from demo.inbox.database import db
from demo.inbox.intake import receive
from demo.inbox.mime.message import UnreadableMail
from demo.inbox.models import Mailbox

bp = Blueprint("incoming", __name__)

_DELIVERY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,179}")


@bp.post("/incoming/<address>")
def deliver(address: str) -> ResponseReturnValue:
    """`POST /incoming/support@…?id=…` with a message/rfc822 body and the mail server's token.

    201 stored, 200 known from an earlier delivery; 422 the body is no message, with the reason;
    404 no such mailbox; 400 an unusable id. Without an id the body's digest serves as one.
    """
    expected = f"Bearer {current_app.config['INBOX_DELIVERY_TOKEN']}"
    sent = request.headers.get("Authorization", "")
    if not hmac.compare_digest(expected.encode(), sent.encode()):
        return {"error": "Delivery requires the mail server's token."}, 401
    mailbox = db.session.scalar(select(Mailbox).where(Mailbox.address == address.lower()))
    if mailbox is None:
        return {"error": f"There is no mailbox {address}."}, 404
    raw = request.get_data()
    delivery_id = request.args.get("id") or hashlib.sha256(raw).hexdigest()
    if not _DELIVERY_ID.fullmatch(delivery_id):
        return {"error": "A delivery id must have 1 to 180 letters, digits, dots, - or _."}, 400
    try:
        stored = receive(mailbox, raw, delivery_id=delivery_id)
    except UnreadableMail as error:
        return {"error": str(error)}, 422
    answer = {"message": stored.message_id, "conversation": stored.conversation_id}
    return answer, 201 if stored.is_new else 200
