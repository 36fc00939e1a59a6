"""The tokens of a statement, read one by one."""

from __future__ import annotations

from salesforce_simulator.errors import OrgError
from salesforce_simulator.query.soql.complaints import complain, misplaced
from salesforce_simulator.query.soql.tokens import Token

_DIGITS = 9


class TokenStream:
    """A cursor over tokens that complains the way the service does."""

    def __init__(self, text: str, found: list[Token]) -> None:
        self.text = text
        self._tokens = found
        self._place = 0
        self.depth = 0
        self.in_semi_join = False

    def peek(self, ahead: int = 0) -> Token:
        """The token to come; the end stays the end."""
        return self._tokens[min(self._place + ahead, len(self._tokens) - 1)]

    def next(self) -> Token:
        """Take a token."""
        token = self.peek()
        self._place += 1
        return token

    def unexpected(self, token: Token | None = None) -> OrgError:
        """MALFORMED_QUERY at this token."""
        token = token or self.peek()
        shown = f"'{token.text}" if token.kind == "string" else token.text
        return misplaced(self.text, token.offset, f"unexpected token: '{shown}'")

    def skip(self, symbol: str) -> bool:
        """Take this symbol if it is there."""
        if self.peek().kind == "symbol" and self.peek().text == symbol:
            self._place += 1
            return True
        return False

    def symbol(self, symbol: str) -> None:
        """Take this symbol or complain."""
        if not self.skip(symbol):
            raise self.unexpected()

    def skip_word(self, word: str) -> bool:
        """Take this keyword if it is there."""
        if self.peek().is_word(word):
            self._place += 1
            return True
        return False

    def word(self, word: str) -> None:
        """Take this keyword or complain."""
        if not self.skip_word(word):
            raise self.unexpected()

    def name(self) -> Token:
        """Take a name or complain."""
        if self.peek().kind != "name":
            raise self.unexpected()
        return self.next()

    def count(self, word: str) -> int | None:
        """The number after a keyword such as LIMIT; None when the keyword is not there."""
        if not self.skip_word(word):
            return None
        return self.whole_number()

    def whole_number(self) -> int:
        """Take a number without sign or fraction or complain."""
        token = self.peek()
        if token.kind != "number" or not token.text.isdecimal():
            raise self.unexpected()
        if len(token.text) > _DIGITS:
            message = f"number outside valid range: {token.text}"
            raise complain(self.text, token.offset, message, "NUMBER_OUTSIDE_VALID_RANGE")
        return int(self.next().text)
