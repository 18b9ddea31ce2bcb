"""Searches of the toy space, as the tests of whole runs start them."""

from hwnas import search
from tests.search.toy import Cost, Toy, Value

METRICS = {"value": Value(), "cost": Cost()}
TOY = {
    "space": Toy(),
    "maximize": "value",
    "subject_to": ["cost <= 10"],
    "metrics": METRICS,
    "strategy_settings": {"population": 10, "tournament": 4},
    "budget": 60,
}


def run(folder, **changes):
    settings = {**TOY, **changes}
    return search.run(settings.pop("space"), folder=folder, **settings)


def essence(run):
    return [(t.architecture, t.status, dict(t.metrics)) for t in run.record.trials]


class Guess:
    """A predictor that says the same of every network."""

    def __init__(self, latency_ms=1.0):
        self.latency_ms = latency_ms

    def predict(self, networks):
        return [self.latency_ms] * len(networks)

    def __str__(self):
        return f"guess {self.latency_ms}"
