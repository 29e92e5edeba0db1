"""How long a check waits for an answer: a host that does not answer holds nobody up for minutes.

The SDK by itself waits for a minute, and asks eight times.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

SECONDS = 60.0
"""For all that one check asks."""
CONNECT_SECONDS, READ_SECONDS = 4.0, 15.0
"""For one request to OCI."""
_TRIES, _TRY_SECONDS = 3, 15.0


class NoAnswerInTimeError(Exception):
    """It took too long."""


def hurried(client: Any) -> Any:
    """A client of the SDK like *client*, which gives up sooner."""
    from oci.retry import RetryStrategyBuilder

    found = copy.copy(client)
    found.base_client = copy.copy(client.base_client)
    found.base_client.timeout = (CONNECT_SECONDS, READ_SECONDS)
    found.retry_strategy = RetryStrategyBuilder(
        max_attempts=_TRIES,
        total_elapsed_time_seconds=_TRY_SECONDS,
        retry_base_sleep_time_seconds=0.5,
        retry_max_wait_between_calls_seconds=2,
    ).get_retry_strategy()
    return found


@dataclass(frozen=True)
class Pages:
    """All pages of a list, as one answer."""

    data: list[Any]


def every_page(listing: Callable[..., Any], *arguments: Any, **options: Any) -> Pages:
    """What *listing*, of a client of the SDK, answers, page after page. The SDK's own function for
    it would ask eight times, each time as often as the client does."""
    found: list[Any] = []
    answer = listing(*arguments, **options)
    while True:
        found += answer.data if isinstance(answer.data, list) else answer.data.items
        if not answer.has_next_page:
            return Pages(found)
        answer = listing(*arguments, **options, page=answer.next_page)


def within(seconds: float, ask: Callable[[], T], name: str) -> T:
    """What *ask* answers, in a thread called *name* that nobody waits for after *seconds*.

    Raises:
        NoAnswerInTimeError: it takes longer.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        if answer.done():  # raised by what was asked
            raise
        raise NoAnswerInTimeError from None
