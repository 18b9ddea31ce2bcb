"""The numbers of a timing protocol: how often a model runs, and when two passes agree.

`STANDARD` (``p10-v1``) times a model in short chunks, interleaved at random with the other models, and
reports the 10th percentile: on a shared machine the mean of 100 runs moves by 20 % between
repetitions, the 10th percentile by 0.2 %. The first runs of a chunk find cold caches and are
discarded. The whole pass is repeated with fresh sessions in a fresh process; where both passes
agree the entry is accepted, elsewhere further passes are added.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Protocol:
    """How a model is timed. Tables of different protocols never mix: the id follows the numbers.

    Args:
        rounds: times each model's turn comes in one pass.
        chunk: timed samples in each turn.
        discard: untimed runs that open each turn.
        warm_up: untimed runs after a session is created.
        passes: whole passes, each with fresh sessions in a fresh process; at least 2.
        tolerance: passes agree when ``|p10 of pass a / p10 of pass b - 1|`` is below it ...
        resolution_us: ... or their difference is below this: what the place of a process in memory
            changes in the overhead of a call.
        max_extra: further passes at most, for the entries whose passes disagree, or for all
            of a group if the sentinels tell that other processes disturbed it.

    Raises:
        ValueError: a number is out of range; the message names it.
    """

    rounds: int = 10
    chunk: int = 10
    discard: int = 2
    warm_up: int = 10
    passes: int = 2
    tolerance: float = 0.01
    resolution_us: float = 0.1
    max_extra: int = 5

    def __post_init__(self) -> None:
        least = {"rounds": 1, "chunk": 1, "discard": 0, "warm_up": 1, "passes": 2, "max_extra": 0}
        for field, low in least.items():
            if getattr(self, field) < low:
                raise ValueError(f"protocol: {field} must be at least {low}, not {getattr(self, field)}")
        if not 0 < self.tolerance < 1:
            raise ValueError(f"protocol: tolerance must be between 0 and 1, not {self.tolerance}")
        if not 0 <= self.resolution_us < 1000:
            raise ValueError(f"protocol: resolution_us must be 0 to 1000, not {self.resolution_us}")

    @property
    def id(self) -> str:
        """``p10-v1``, ``p10-v1-quick``, ``estimate-v1``, or ``p10-v1-custom-`` and the numbers' digest."""
        if self == STANDARD:
            return "p10-v1"
        if self == QUICK:
            return "p10-v1-quick"
        if self == ESTIMATE:
            return "estimate-v1"
        return "p10-v1-custom-" + hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:8]


STANDARD = Protocol()
QUICK = Protocol(rounds=3, chunk=10, discard=2, warm_up=5, passes=2, tolerance=0.02, max_extra=1)
ESTIMATE = Protocol(rounds=1, chunk=1, discard=0, warm_up=1, passes=2, max_extra=0)
"""Of devices whose latencies are estimates, equal at every repetition: nothing is timed."""
