"""Metrics of the toy space that hang, kill their process, or follow from a part of a training."""

import os
import signal
import time
from dataclasses import dataclass, replace
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


class OfTwo(Exception):
    """An exception that cannot be unpickled."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


@dataclass(frozen=True)
class Raising(Value):
    def __call__(self, architecture):
        raise OfTwo("a", "b")


@dataclass(frozen=True)
class Trained(Value):
    """The toy's value after a part of a training: the less of it, the less the later decisions count."""

    share: float = 1.0

    def at_fidelity(self, fidelity):
        if fidelity < 0.01:
            raise ValueError("less than one epoch")
        return replace(self, share=fidelity)

    def __call__(self, architecture):
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{architecture} {self.share:.3f}\n")
        return sum(d * self.share**i for i, d in enumerate(architecture.encoding)) + (
            0.01 * architecture.encoding[0] if self.share == 1 else 100
        )
