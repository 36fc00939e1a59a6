"""The host, asked from a worker: what it raises is told as what it is, with the place.

A host's own code may need a request that a worker does not have, or a store that is away. That is
the operator's to mend, so it must not look like something that Salesforce said, or like a fault of
ours.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from keeping_plugin.errors import HelpDeskFailed
from keeping_plugin.ports import HelpDesk

log = logging.getLogger("keeping_plugin.delivery")

_FRAMES = 6

# Messages are read one at a time, so that no two bodies are in memory at once.
_STREAMS = frozenset({"messages", "message_facts"})


def guarded(helpdesk: HelpDesk, interrupts: tuple[type[Exception], ...] = ()) -> HelpDesk:
    """The same HelpDesk, whose errors are HelpDeskFailed; `interrupts` pass as they are."""
    return cast(HelpDesk, _Guarded(helpdesk, interrupts))


class _Guarded:
    def __init__(self, helpdesk: HelpDesk, interrupts: tuple[type[Exception], ...]) -> None:
        self._helpdesk = helpdesk
        self._interrupts = interrupts

    def __getattr__(self, question: str) -> Callable[..., Any]:
        """A method of the host's, which need not have every one (`ports.MessageFacts`)."""
        method = getattr(self._helpdesk, question)
        if not callable(method):
            raise AttributeError(question)

        def ask(*args: Any, **named: Any) -> Any:
            if question in _STREAMS:
                return self._each(question, lambda: method(*args, **named))
            with self._asked(question):
                told = method(*args, **named)
                return list(told) if isinstance(told, Iterable) else told

        return ask

    @contextmanager
    def _asked(self, question: str) -> Iterator[None]:
        try:
            yield
        except self._interrupts:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the host's code raises
            failed = HelpDeskFailed(question, error=type(error).__name__, where=place_of(error))
            log.error(  # noqa: TRY400 - its text may hold people's data
                "helpdesk_failed question=%s error=%s where=%s",
                question,
                failed.error,
                failed.where,
            )
            raise failed from None

    def _each(self, question: str, ask: Callable[[], Iterable[object]]) -> Iterator[object]:
        with self._asked(question):
            following = iter(ask())
        while True:
            with self._asked(question):
                found = next(following, None)
            if found is None:
                return
            yield found


def place_of(error: BaseException) -> str:
    """`file:line function` of the last calls that led to an error, without its text."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return "; ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
