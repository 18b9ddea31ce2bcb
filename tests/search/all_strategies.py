"""A search with every strategy, each in its own folder; as a program all at the same time, to be killed."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from hwnas.search import STRATEGIES, Events
from hwnas.search.run import run
from tests.search.toy import Cost, Toy, Value

BUDGET = 60
AHEAD = dict.fromkeys(("bananas", "evolution", "hyperband", "nsga2", "ppo"), 4)
"""Proposals under way, each evaluated in a thread; of the other strategies one."""
PAUSES = [0.0]
"""Seconds before each value and after each trial: no setting of a search, so that one may be resumed without them."""
SETTINGS = {
    "area": {"population": 5, "warm_up": 10, "warm_up_by": "proxy"},
    "bananas": {"initial": 10, "every": 10},
    "brp_nas": {"initial": 10, "every": 10},
    "chamnet": {"population": 10, "generations": 5},
    "evolution": {"population": 10, "tournament": 3},
    "genetic": {"population": 20, "parents": 5},
    "move": {"move_by": "proxy", "population": 10, "tournament": 3},
    "naswot": {"samples": 50, "score_by": "proxy"},
    "nsga2": {"costs": ["cost"], "population": 12},
    "ppo": {"score": "rank", "batch": 8},
    "random_warm_up": {"warm_up": 20, "warm_up_by": "proxy"},
    "reinforce": {"score": "rank"},
}


@dataclass(frozen=True)
class Paused(Value):
    """The toy's value, less after a part of the training, after a pause."""

    share: float = 1.0

    def at_fidelity(self, fidelity):
        return replace(self, share=fidelity)

    def __call__(self, architecture):
        time.sleep(PAUSES[0])
        return self.share * super().__call__(architecture)


def searched(strategy, folder):
    """The trials, without their times."""
    ahead = AHEAD.get(strategy, 1)
    with ThreadPoolExecutor(ahead) as threads:
        found = run(
            Toy(),
            maximize="value",
            subject_to=["cost <= 10"],
            metrics={"value": Paused(), "cost": Cost(), "proxy": Paused("proxy")},
            strategy=strategy,
            strategy_settings=SETTINGS.get(strategy, {}),
            budget=BUDGET,
            ahead=ahead,
            seed=5,
            folder=folder,
            candidates=1,
            executor=threads,
            events=Events(trial=lambda trial: time.sleep(PAUSES[0])),
        )
    return [(t.number, t.architecture, t.asked, t.status, dict(t.metrics)) for t in found.record.trials]


if __name__ == "__main__":
    base = Path(sys.argv[1])
    PAUSES[0] = 0.15
    threads = [threading.Thread(target=searched, args=(name, base / name)) for name in STRATEGIES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
