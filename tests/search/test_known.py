"""Networks that were measured before: candidates at no cost."""

from dataclasses import replace

import pytest

from hwnas.latency import DeviceMismatchError
from hwnas.objectives import Constraint, Objective
from hwnas.search.evaluate import Evaluator
from hwnas.search.known import known_networks
from hwnas.search.metrics import CountMetric
from tests.latency.helpers import entry, table
from tests.search.calibrated import SENTINELS, on, run
from tests.search.toy import Toy, Value

SPACE = Toy()
BEST = SPACE.from_encoding((2, 4, 4, 4, 4, 4))
WORST = SPACE.from_encoding((1, 0, 0, 0, 0, 0))
SLOW = SPACE.from_encoding((4, 4, 4, 4, 4, 4))


def measured(architecture, ms, **changes):
    return entry(architecture.network.key, "network", 1000.0 * ms, name=str(architecture), **changes)


def known(*entries, sentinels=SENTINELS):
    return table(*entries, identity=on().identity(), sentinels=dict(sentinels))


def found(*entries, metrics=None, bounds=()):
    objective = Objective("value", (Constraint("latency_ms", 44.0), *bounds))
    evaluator = Evaluator(SPACE, objective, {"latency_ms": _Latency(), "value": Value(), **(metrics or {})})
    return [one.trial.architecture for one in known_networks(known(*entries), evaluator)]


class _Latency(CountMetric):
    def __init__(self):
        super().__init__("latency_ms")

    def __call__(self, architecture):
        return 1.0


def test_those_within_the_bound_are_known():
    assert found(measured(BEST, 30), measured(SLOW, 50)) == [str(BEST)]


@pytest.mark.parametrize("flag", ["unstable", "drifted", "rescaled"])
def test_doubtful_measurements_are_left_out(flag):
    assert found(measured(BEST, 30, flags=(flag,))) == []
    assert found(measured(BEST, 30, flags=("grouped",))) == [str(BEST)]


def test_what_lacks_the_metric_is_left_out():
    total = sum(BEST.encoding)
    assert found(measured(BEST, 30), metrics={"value": Value(undefined_at=total)}) == []
    bounds = (Constraint("params", 1.0),)
    assert found(measured(BEST, 30), metrics={"params": CountMetric("params")}, bounds=bounds) == []


def test_networks_of_another_space_are_refused():
    with pytest.raises(ValueError, match="known: the network 'd0=7' is none of"):
        found(replace(measured(BEST, 30), name="d0=7"))
    with pytest.raises(ValueError, match=r"known: the network .* is another one"):
        found(replace(measured(BEST, 30), name=str(SLOW)))


def test_a_known_network_is_an_answer_without_being_measured(tmp_path, machine):
    given = known(measured(BEST, 30), measured(WORST, 20))
    done = run(tmp_path, device=on(), known=given)
    winner = done.record.candidates[0]
    assert winner.architecture == str(BEST) and winner.satisfies and winner.onnx is not None
    assert not any(text.startswith(("d0=2", "d0=1")) for batch in machine.networks for text in batch)
    assert done.record.config["known"] == given.table_id


def test_only_what_may_improve_on_the_known_is_tried_first(tmp_path, machine):
    run(tmp_path, device=on(), candidates=1, known=known(measured(BEST, 30)))
    assert machine.networks == []


def test_a_known_network_from_a_faster_machine_is_judged_by_both_latencies(tmp_path, machine):
    """The table's machine was half as fast as the predictor's: 30 ms by the clock are 15 on its scale."""
    slower = {name: 2 * time for name, time in SENTINELS.items()}
    done = run(tmp_path, device=on(), candidates=1, known=known(measured(BEST, 43), sentinels=slower))
    assert done.record.candidates[0].architecture == str(BEST)
    faster = {name: 0.5 * time for name, time in SENTINELS.items()}
    done = run(tmp_path / "b", device=on(), candidates=1, known=known(measured(BEST, 30), sentinels=faster))
    assert done.record.candidates[0].architecture != str(BEST)


def test_known_networks_need_the_device_that_measured_them(tmp_path):
    with pytest.raises(ValueError, match=r"known: .* give device"):
        run(tmp_path / "run", known=known(measured(BEST, 30)))
    with pytest.raises(DeviceMismatchError):
        run(tmp_path / "run", device=on(), known=table(measured(BEST, 30)))
    assert not (tmp_path / "run").exists()
