"""The literal after LIKE: ``%`` stands for any text, ``_`` for one character, in any case."""

from __future__ import annotations

import re

from salesforce_simulator.query.soql.tokens import characters


class LikePattern:
    """A LIKE literal. Pieces between the ``%`` are looked for one after the other, so that no
    literal makes the search slow."""

    def __init__(self, raw: str) -> None:
        pieces, prefix, plain = [""], [], True
        for char, escaped in characters(raw, pattern=True):
            wildcard = not escaped and char in "%_"
            plain = plain and not wildcard
            if plain:
                prefix.append(char.lower())
            if wildcard and char == "%":
                pieces.append("")
            else:
                pieces[-1] += "." if wildcard else re.escape(char.lower())
        self.prefix = "".join(prefix)
        """The text before the first wildcard, in lower case."""
        ends = [*pieces[:-1], pieces[-1] + r"\Z"] if len(pieces) == 1 else pieces
        self._pieces = [re.compile(piece, re.DOTALL) for piece in ends]

    def matches(self, text: str) -> bool:
        """Whether ``text``, given in lower case, is like the literal."""
        first, *middle = self._pieces
        found = first.match(text)
        if found is None or not middle:
            return found is not None
        place = found.end()
        *middle, last = middle
        for piece in middle:
            found = piece.search(text, place)
            if found is None:
                return False
            place = found.end()
        length = _length(last)
        return len(text) - length >= place and last.match(text, len(text) - length) is not None


def _length(piece: re.Pattern[str]) -> int:
    """How many characters a piece stands for: one for each that is not the mark of an escape."""
    return len(re.sub(r"\\(.)", r"\1", piece.pattern, flags=re.DOTALL))
