"""What is done again when the process or the connection that runs the models ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from hwnas.latency.devices.device import RunnerDiedError

Result = TypeVar("Result")


def tried_again(
    attempt: Callable[[], Result], notify: Callable[[str], None], blame: Callable[[RunnerDiedError], None]
) -> Result:
    """What `attempt` returns, tried again after each end of the runner as often as its kind allows.

    Args:
        attempt: starts a runner of its own, and keeps nothing of an attempt that did not end well.
        notify: called with a line about each end.
        blame: called when the runner ended too often; it raises, or changes what the next attempt does.
    """
    deaths: Counter[type[RunnerDiedError]] = Counter()
    while True:
        try:
            return attempt()
        except RunnerDiedError as death:
            deaths[type(death)] += 1
            again = deaths[type(death)] <= death.retries
            notify(f"{death}; trying the group again" if again else str(death))
            if not again:
                blame(death)
