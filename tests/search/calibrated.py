"""A predictor with intervals, and a search under its bounds."""

from types import SimpleNamespace

import numpy as np

from hwnas import search
from hwnas.latency import device
from tests.search.toy import Toy, Value

SENTINELS = {"dense": 300.0, "depthwise": 200.0}


class Calibrated:
    """Predicts the sum of the first decision's channels; bounds are 20 % above."""

    is_calibrated = True
    card = SimpleNamespace(kind="toy", table_id="0" * 64, sentinels=SENTINELS, calibration=None)

    def predict(self, networks):
        return np.array([10.0 * network.layers[0].output.shape[0] for network in networks])

    def upper(self, networks, level):
        return self.predict(networks) * (0.75 + level / 2)

    def interval(self, networks, level):
        return 0.7 * self.predict(networks), 1.3 * self.predict(networks)

    def probability_within(self, networks, bound):
        return (self.predict(networks) <= bound) * 0.9

    def check_device(self, identity):
        pass


def run(folder, predictor=None, **changes):
    settings = {
        "maximize": "value",
        "subject_to": ["latency_ms <= 44"],
        "metrics": {"value": Value(), "latency_ms": predictor or Calibrated()},
        "strategy": "random",
        "budget": 60,
        "candidates": 3,
        **changes,
    }
    return search.run(Toy(), folder=folder, **settings)


def on():
    return device("ort-cpu", threads=1)


def ms_of(network):
    return 10.0 * network.layers[0].output.shape[0]
