import numpy as np
import pytest

from hwnas import search
from tests.search.toy import Cost, Toy, Value


def _without_name(architecture):
    return 0.0


_without_name.unit, _without_name.higher_is_better, _without_name.expensive = "", True, True


@pytest.mark.parametrize(
    ("argument", "value", "says"),
    [
        *(
            ("budget", value, "budget must be at least 1")
            for value in (0, 2.5, float("inf"), "20", None, True)
        ),
        *(("candidates", value, "candidates must be at least 1") for value in (0, 2.5, None)),
        *(("seed", value, "seed must be at least 0, a whole") for value in (None, -1, 1.5, "x")),
        *(("trial_seconds", value, "trial_seconds must be above 0") for value in ("5", 0, float("nan"))),
        *(("confidence", value, r"confidence must be at least 0\.5") for value in ("0.9", float("nan"))),
        *(("space", value, "space must be a SearchSpace") for value in ("nasbench201", None, Toy)),
        *(("maximize", value, "maximize must be the name of a metric") for value in (None, 3)),
        *(("subject_to", value, "subject_to must be constraints") for value in (None, 5, [5])),
        *(("metrics", value, "metrics must be a dict") for value in ([Value()], {3: Value()})),
        ("metrics", {"value": _without_name}, "metrics: 'value' must be .*; it lacks name"),
        ("metrics", {"value": 3}, "metrics: 'value' must be a predictor"),
        ("strategy_settings", 5, "strategy_settings must be a dict"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_written(tmp_path, argument, value, says):
    settings = {
        "space": Toy(),
        "maximize": "value",
        "metrics": {"value": Value(), "cost": Cost()},
        "budget": 5,
    }
    folder = tmp_path / "run"
    with pytest.raises(ValueError, match=says):
        search.run(**{**settings, argument: value}, folder=folder)
    assert not folder.exists()


def test_whole_numbers_of_numpy_are_taken(tmp_path):
    settings = {"maximize": "value", "metrics": {"value": Value()}, "strategy": "random"}
    found = search.run(Toy(), folder=tmp_path / "numpy", budget=np.int64(3), seed=np.int64(1), **settings)
    plain = search.run(Toy(), folder=tmp_path / "plain", budget=3, seed=1, **settings)
    assert [t.architecture for t in found.record.trials] == [t.architecture for t in plain.record.trials]
