"""What a search costs beside its trials: the loop with its storage, and the strategies' `ask` and `tell`."""

import statistics
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.timing import Row, seconds
from hwnas.objectives import Constraint, Objective
from hwnas.search import STRATEGIES
from hwnas.search.comparison import Contestant, compare, contestants, named, recorded_space
from hwnas.search.evaluate import Evaluator
from hwnas.search.fidelity import at_fidelity
from hwnas.search.loop import run_loop
from hwnas.search.store import TrialStore
from hwnas.search.strategies.bohb import BOHB
from hwnas.search.strategies.evolution import RegularizedEvolution
from hwnas.search.strategies.ppo import PPO
from hwnas.search.strategies.predictor.guided import PredictorGuided
from hwnas.search.strategies.random_search import RandomSearch
from hwnas.spaces import MobileNetV2, NASBench201

PROXY = "naswot"
BY_PROXY = (f"move:move_by={PROXY}", f"random_warm_up:warm_up=50,warm_up_by={PROXY}")
PARTS = (1 / 9, 1 / 3)
LEARNED = (PredictorGuided, BOHB, PPO)


class Free:
    """A metric that costs nothing."""

    name, unit, higher_is_better, expensive = "free", "", True, False

    def __call__(self, architecture):
        return float(architecture.encoding[0])


class Rough:
    """A hilly landscape on NAS-Bench-201: a trend in each decision, and as much noise."""

    unit = ""

    def __init__(self, name, seed, *, expensive=False, higher_is_better=True):
        generator = np.random.default_rng(seed)
        self.name, self.expensive, self.higher_is_better = name, expensive, higher_is_better
        self._trend, self._noise = generator.random((6, 5)), generator.random((5,) * 6)

    def __call__(self, architecture):
        encoding = architecture.encoding
        return float(self._trend[range(6), encoding].mean() + self._noise[encoding])


def _loop_seconds(kind, trials):
    space, objective = MobileNetV2(resolution=96, classes=10), Objective("free")
    with tempfile.TemporaryDirectory() as folder:
        store = TrialStore(Path(folder) / "trials.sqlite")
        evaluator = Evaluator(space, objective, {"free": Free()})
        taken = seconds(lambda: run_loop(kind(space, objective), evaluator, store, budget=trials))
        store.close()
    return taken / trials


def loop(trials: int = 2000, repeats: int = 5) -> list[Row]:
    """Milliseconds of the loop for each trial."""
    found = []
    for kind in (RandomSearch, RegularizedEvolution):
        each = 1e3 * statistics.median(_loop_seconds(kind, trials) for _ in range(repeats))
        found.append(Row(f"search loop, {kind.__name__}", f"{each:.2f} ms a trial", "<= 1 ms", each <= 1))
    return found


def _landscape(objective):
    metrics = {
        "value": Rough("value", 0, expensive=True),
        "cost": Rough("cost", 1, higher_is_better=False),
        PROXY: Rough(PROXY, 2),
        **{at_fidelity("value", part): Rough("value", 0, expensive=True) for part in PARTS},
    }
    return recorded_space(NASBench201(), objective, metrics)


def steps(repeats: int = 3, queries: int = 100) -> list[Row]:
    """Processor time of one `ask` and `tell` of each strategy on NAS-Bench-201."""
    objective = Objective("value", (Constraint("cost", 1.0),))
    taking_part = contestants([*named("all"), *BY_PROXY])
    found = compare(_landscape(objective), objective, taking_part, repeats=repeats, queries=queries)
    return [_step(entry) for entry in found.entries]


def _step(entry):
    name = entry.label.split(":")[0]
    limit = 50_000 if issubclass(STRATEGIES[name], LEARNED) else 200
    each = 1e6 * entry.step_seconds
    return Row(f"ask and tell, {name}", f"{each:,.0f} µs", f"<= {limit:,} µs", each <= limit)


def searches(repeats: int = 500, queries: int = 300) -> list[Row]:
    """Seconds of many whole searches by evolution on recorded results, on one core."""
    objective = Objective("value")
    recorded = _landscape(objective)
    taken = seconds(
        lambda: compare(
            recorded, objective, [Contestant("evolution", "evolution")], repeats=repeats, queries=queries
        )
    )
    what = f"{repeats} searches of {queries} networks, evolution"
    return [Row(what, f"{taken:.0f} s", "<= 60 s", taken <= 60)]


def rows() -> list[Row]:
    """All of them."""
    return [*loop(), *steps(), *searches()]
