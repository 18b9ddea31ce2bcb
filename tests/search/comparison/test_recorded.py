"""Everything that is recorded is found again; what is missing or recorded twice is refused by name."""

import math

import numpy as np
import pytest

from hwnas.objectives import Constraint, MetricError, Objective
from hwnas.oracles import oracle
from hwnas.search.comparison import counted, recorded_space
from hwnas.spaces import MobileNetV2
from tests.search.comparison.tables import (
    BOUNDED,
    FREE,
    METRICS,
    Halved,
    Recorded,
    Small,
    accuracy,
    recorded,
    write_csv,
)


@pytest.mark.parametrize("space", [Small(), Halved()], ids=["all valid", "half"])
def test_every_architecture_is_found_again(space):
    found = recorded(space=space)
    assert found.is_architecture.sum() == space.size
    for one in space:
        assert found.metrics["accuracy"].at(one.encoding) == accuracy(*one.encoding)
        assert found.metrics["accuracy"](one) == accuracy(*one.encoding)


def test_undefined_proxies_stay_undefined():
    found = recorded()
    assert found.coverage("proxy") == 0.75 and found.coverage("cost") == 1
    assert math.isnan(found.metrics["proxy"].at((0, 1, 2)))
    with pytest.raises(MetricError, match="proxy is not recorded for d0=0"):
        found.metrics["proxy"](Small().from_encoding((0, 1, 2)))


@pytest.mark.parametrize("objective", [FREE, BOUNDED])
def test_the_optimum_is_that_of_all_feasible_ones(objective):
    within = [one for one in Small() if objective.violation({"cost": METRICS["cost"](one)}) == 0]
    found = recorded(objective)
    assert found.feasible(objective).sum() == len(within)
    assert found.optimum(objective) == max(METRICS["accuracy"](one) for one in within)


def test_bounds_that_nothing_keeps_name_the_nearest():
    impossible = Objective("accuracy", (Constraint("cost", 0.5),))
    with pytest.raises(ValueError, match=r"no architecture keeps all.*cost 1 \(100.0 % too much\)"):
        recorded(impossible).optimum(impossible)


def test_what_is_refused():
    gaps = {"accuracy": Recorded("accuracy", lambda a, b, c: np.nan if c == 3 else 0.5)}
    with pytest.raises(ValueError, match=r"accuracy is not recorded for 16 of the 64.*d0=0,d1=0,d2=3, "):
        recorded(metrics=gaps)
    with pytest.raises(ValueError, match="metric cost is not given"):
        recorded(BOUNDED, metrics={"accuracy": METRICS["accuracy"]})
    with pytest.raises(ValueError, match="less is better of cost"):
        recorded(Objective("cost"))
    with pytest.raises(ValueError, match="proxy is not recorded for any"):
        recorded(metrics={**METRICS, "proxy": Recorded("proxy", lambda *e: np.nan)})
    with pytest.raises(ValueError, match="too many to enumerate"):
        recorded(space=MobileNetV2())
    with pytest.raises(ValueError, match=r"accuracies is no file and no count; counts: flops, macs"):
        counted(["flops", "accuracies"])


def test_files_with_missing_or_repeated_architectures(tmp_path):
    whole = write_csv(tmp_path / "whole.csv", Small(), {"accuracy": accuracy})
    found = recorded_space(Small(), FREE, {"accuracy": oracle(whole, "accuracy", Small())})
    assert found.optimum(FREE) == recorded().optimum(FREE)
    lines = whole.read_text().splitlines()
    short = tmp_path / "short.csv"
    short.write_text("\n".join(lines[:-2]) + "\n")
    with pytest.raises(ValueError, match=r"not recorded for 2 of the 64.*d0=3,d1=3,d2=2, d0=3,d1=3,d2=3$"):
        recorded_space(Small(), FREE, {"accuracy": oracle(short, "accuracy", Small())})
    twice = tmp_path / "twice.csv"
    twice.write_text("\n".join([*lines, lines[5]]) + "\n")
    with pytest.raises(ValueError, match=r"d0=0,d1=1,d2=0 occurs twice, in rows 5 and 65"):
        oracle(twice, "accuracy", Small())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("accuracy", math.inf, "accuracy must be a finite number, not inf as for d0=0,d1=0,d2=2"),
        ("proxy", -math.inf, "proxy must be a finite number, not -inf as for d0=0,d1=0,d2=2"),
        ("cost", -1.0, "cost is a cost, so it must be at least 0, not -1 as for d0=0,d1=0,d2=2"),
        ("seconds", -10.0, "seconds is a cost, so it must be at least 0, not -10 as for d0=0,d1=0,d2=2"),
    ],
)
def test_infinite_values_and_negative_costs_are_refused(name, value, message):
    spoiled = Recorded(name, lambda a, b, c: value if c == 2 else 0.5)
    with pytest.raises(ValueError, match=message):
        recorded(BOUNDED, metrics={**METRICS, name: spoiled})


def test_what_is_no_cost_may_be_negative():
    found = recorded(BOUNDED, metrics={**METRICS, "accuracy": Recorded("accuracy", lambda a, b, c: -a)})
    assert found.optimum(BOUNDED) == 0
