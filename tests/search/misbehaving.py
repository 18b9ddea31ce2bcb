"""Metrics of the toy space that hang, kill their process, raise, or give NaN."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.search.toy import Value


@dataclass(frozen=True)
class Hanging(Value):
    """Takes for ever where the first decision is `at`."""

    at: int = 0

    def __call__(self, architecture):
        if architecture.encoding[0] == self.at:
            time.sleep(600)
        return super().__call__(architecture)


@dataclass(frozen=True)
class Killing(Value):
    """Kills its process where the first decision is 0; only once where there is a `mark`."""

    mark: str | None = None

    def __call__(self, architecture):
        if architecture.encoding[0] == 0 and not (self.mark and Path(self.mark).exists()):
            if self.mark:
                Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(architecture)


@dataclass(frozen=True)
class NotANumber(Value):
    """NaN where the first decision is 0."""

    def __call__(self, architecture):
        return float("nan") if architecture.encoding[0] == 0 else super().__call__(architecture)


class OfTwoError(Exception):
    """An exception that cannot be unpickled."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


@dataclass(frozen=True)
class RaisingAt(Value):
    """Raises where the first decision is 0."""

    def __call__(self, architecture):
        if architecture.encoding[0] == 0:
            raise OfTwoError("a", "b")
        return super().__call__(architecture)
