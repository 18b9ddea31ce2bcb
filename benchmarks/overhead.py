"""What the search loop itself costs for each trial, storage included."""

import statistics
import tempfile
from pathlib import Path

from benchmarks.timing import Row, seconds
from hwnas.objectives import Objective
from hwnas.search.evaluate import Evaluator
from hwnas.search.loop import run_loop
from hwnas.search.store import TrialStore
from hwnas.search.strategies.evolution import RegularizedEvolution
from hwnas.search.strategies.random_search import RandomSearch
from hwnas.spaces import MobileNetV2


class Free:
    """A metric that costs nothing."""

    name, unit, higher_is_better, expensive = "free", "", True, False

    def __call__(self, architecture):
        return float(architecture.encoding[0])


def _seconds(kind, trials):
    space, objective = MobileNetV2(resolution=96, classes=10), Objective("free")
    with tempfile.TemporaryDirectory() as folder:
        store = TrialStore(Path(folder) / "trials.sqlite")
        evaluator = Evaluator(space, objective, {"free": Free()})
        taken = seconds(lambda: run_loop(kind(space, objective), evaluator, store, budget=trials))
        store.close()
    return taken / trials


def rows(trials: int = 2000, repeats: int = 5) -> list[Row]:
    found = []
    for kind in (RandomSearch, RegularizedEvolution):
        each = 1e3 * statistics.median(_seconds(kind, trials) for _ in range(repeats))
        found.append(Row(f"search loop, {kind.__name__}", f"{each:.2f} ms a trial", "<= 1 ms", each <= 1))
    return found
