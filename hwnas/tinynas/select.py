"""Choose the search space whose satisfying networks compute the most: TinyNAS' first step.

Lin et al., "MCUNet: Tiny Deep Learning on IoT Devices", NeurIPS 2020, section 3.1. Under the same limits a
network that computes more has more capacity; so the space is taken whose networks within the limits have
the most MACs in the mean. No network is trained.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from hwnas.cost.boards import Board
from hwnas.cost.boards import limits as board_limits
from hwnas.cost.memory import get_runtime
from hwnas.cost.metrics import FlashMetric, SramMetric
from hwnas.executors import InlineExecutor, in_order
from hwnas.spaces import SearchSpace
from hwnas.tinynas.arguments import MOST_SAMPLES, check_limits, check_numbers
from hwnas.tinynas.grid import Grid, mcunet_grid, named
from hwnas.tinynas.limit import Limit
from hwnas.tinynas.ranking import Ranking, is_flagged, rank_spaces, score
from hwnas.tinynas.sampling import Draws, draw
from hwnas.tinynas.selection import Selection
from hwnas.tinynas.statistics import Criterion, SpaceStatistics, criterion_of
from hwnas.tinynas.unmet import unmet

AT_ONCE = 1000
LEAST_FOR_CONFIDENCE = 100
"""Networks drawn from each space before any of them is ruled out."""

Progress = Callable[[int, int, str], None]


def select_space(
    grid: Grid | Sequence[SearchSpace] | None = None,
    *,
    board: str | Board | None = None,
    sram: str | None = None,
    flash: str | None = None,
    runtime: str = "tinyengine",
    limits: Sequence[Limit] = (),
    samples: int = 1000,
    criterion: str = "mean",
    min_feasible: float = 0.05,
    confidence: float | None = None,
    seed: int = 0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Selection:
    """Rank search spaces by the networks in them that satisfy the limits.

    Networks are drawn independently, each space with a seed of its own: its figures depend neither on the
    rest of the grid nor on the executor.

    Args:
        grid: search spaces, by name or in a sequence; `mcunet_grid()` by default.
        board: a microcontroller, whose SRAM and flash are the limits (see `hwnas.cost.boards`).
        sram: limit of the SRAM, such as `"320kB"` (kB is 1024 bytes); goes before the board's.
        flash: limit of the flash, likewise.
        runtime: whose memory plan and format count (see `hwnas.cost`).
        limits: any further ones, such as on a `LatencyMetric`.
        samples: networks to draw from each space.
        criterion: `mean` MACs of the satisfying networks (the paper's), `p80`, or `mean*feasible`.
        min_feasible: fraction of a space that must satisfy the limits; spaces below are ranked after the
            others, and flagged.
        confidence: draw at least `LEAST_FOR_CONFIDENCE` from each space, and more from the first ones,
            doubling up to `MOST_SAMPLES`, until one of them is the first with this probability.
        seed: of everything random.
        executor: where to draw: `hwnas.executors.process_pool`, or any other of `concurrent.futures`; in
            this process by default.
        progress: called with (done, total, what is being done).

    Raises:
        NoFeasibleSpaceError: no network that was drawn satisfies the limits; it holds the nearest.
        ValueError: no limit, an unknown board, runtime or criterion, a number out of range, or a network
            with an operator that the runtime lacks.
        OSError: a worker process was killed.
    """
    spaces = named(mcunet_grid() if grid is None else grid)
    rule = criterion_of(criterion)
    check_numbers(samples, min_feasible, confidence, seed)
    check_limits(limits)
    given = sorted(_limits(board, sram, flash, runtime, limits), key=lambda one: one.metric.expensive)
    work = _Work(spaces, given, seed, executor or InlineExecutor(), progress or _silent)
    least = samples if confidence is None else max(samples, LEAST_FOR_CONFIDENCE)
    work.draw(dict.fromkeys(spaces, least), "drawing networks")
    if not any(len(found.macs) for found in work.draws.values()):
        raise unmet(given, work.draws)
    ranking = work.rank(rule, min_feasible)
    while confidence is not None and not ranking.is_sure(confidence):
        more = {
            name: min(work.draws[name].drawn, MOST_SAMPLES - work.draws[name].drawn)
            for name in ranking.undecided
        }
        if not any(more.values()):
            break
        work.draw(more, "telling the first spaces apart")
        ranking = work.rank(rule, min_feasible)
    return Selection(
        tuple(
            SpaceStatistics(
                name,
                spaces[name],
                work.draws[name],
                tuple(one.name for one in given),
                score(work.draws[name], rule),
                None if ranking.probabilities is None else ranking.probabilities[name],
                is_flagged(work.draws[name], min_feasible),
            )
            for name in ranking.order
        ),
        tuple(one.constraint for one in given),
        {one.name: one.metric.unit for one in given},
        runtime if len(given) > len(limits) else None,
        criterion,
        min_feasible,
        confidence,
        seed,
    )


@dataclass
class _Work:
    """What has been drawn so far, and how to draw more."""

    spaces: Mapping[str, SearchSpace]
    limits: Sequence[Limit]
    seed: int
    executor: Executor
    progress: Progress
    draws: dict[str, Draws] = field(default_factory=dict)

    def draw(self, more: Mapping[str, int], message: str) -> None:
        """Draw so many more networks of each space."""
        parts = [
            (name, start, min(AT_ONCE, wanted - start))
            for name, wanted in more.items()
            for start in range(0, wanted, AT_ONCE)
        ]
        before = {name: self.draws[name].drawn if name in self.draws else 0 for name in more}
        calls = [
            (self.spaces[name], name, self.limits, n, [*self._seed_of(name), before[name] + start])
            for name, start, n in parts
        ]
        done, total = 0, sum(more.values())
        self.progress(done, total, message)
        for (name, _, n), found in zip(parts, in_order(self.executor, draw, calls), strict=True):
            self.draws[name] = self.draws[name] + found if name in self.draws else found
            done += n
            self.progress(done, total, message)

    def rank(self, criterion: Criterion, min_feasible: float) -> Ranking:
        """The order of the spaces, and how sure it is."""
        return rank_spaces(self.draws, criterion, min_feasible, [self.seed])

    def _seed_of(self, name: str) -> tuple[int, int]:
        """A seed of the space's own, whatever the grid calls it and holds beside it."""
        digest = hashlib.sha256(str(self.spaces[name]).encode()).digest()
        return self.seed, int.from_bytes(digest[:8], "big")


def _limits(
    board: str | Board | None,
    sram: str | None,
    flash: str | None,
    runtime: str,
    others: Sequence[Limit],
) -> list[Limit]:
    found = list(others)
    if board is not None or sram is not None or flash is not None:
        get_runtime(runtime)
        memory = board_limits(board, sram, flash)
        if memory.sram_bytes is not None:
            screen = SramMetric(runtime, most=memory.sram_bytes)
            found.append(Limit(SramMetric(runtime), memory.sram_bytes, screen))
        if memory.flash_bytes is not None:
            found.append(Limit(FlashMetric(runtime), memory.flash_bytes))
    if not found:
        raise ValueError("there is no limit: give a board, sram, flash or limits, such as sram='320kB'")
    if len({one.name for one in found}) < len(found):
        raise ValueError("one metric is limited twice; give one limit for each")
    return found


def _silent(done: int, total: int, message: str) -> None:
    pass
