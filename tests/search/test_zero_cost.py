"""The combined zero-cost score as the metric of a search."""

import json
import math
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from hwnas.executors import process_pool
from hwnas.network import Builder
from hwnas.proxies.ranks import ReferencePopulation
from hwnas.search import Events, run
from hwnas.search.metrics import metric
from hwnas.search.zero_cost import ZeroCostMetric, reference_population
from hwnas.spaces import NASBench201, SearchSpace

SPACE = NASBench201(channels=4, cells=1, resolution=8)


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> ReferencePopulation:
    said: list[str] = []
    folder = tmp_path_factory.mktemp("reference")
    with pytest.MonkeyPatch.context() as smaller:
        smaller.setattr("hwnas.search.zero_cost.POPULATION", 60)
        found = reference_population(ZeroCostMetric(), SPACE, folder, said.append)
    assert said == ["scoring 60 random architectures, the population that zero_cost ranks within"]
    assert sorted(path.name for path in folder.iterdir()) == ["reference.json"]
    assert reference_population(ZeroCostMetric(), SPACE, folder, said.append) == found
    assert len(said) == 1
    return found


def test_a_score_depends_on_the_reference_alone(reference: ReferencePopulation) -> None:
    scored = ZeroCostMetric(reference=reference)
    some = SPACE.sample(6, seed=5)
    values = [scored(architecture) for architecture in some]
    assert [scored(architecture) for architecture in reversed(some)] == values[::-1]
    assert all(math.isfinite(value) for value in values)
    assert pickle.loads(pickle.dumps(scored)) == scored


def test_good_cells_score_above_bad_ones(reference: ReferencePopulation) -> None:
    scored = ZeroCostMetric(reference=reference)
    best = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    pools = "|avg_pool_3x3~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|avg_pool_3x3~2|"
    nothing = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    values = [scored(SPACE.parse(text)) for text in (best, pools, nothing)]
    assert values[0] > values[1] > values[2]
    assert values[2] == min(values[2], *(scored(a) for a in SPACE.sample(10, seed=1)))


def test_progress_is_told_while_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwnas.search.zero_cost.POPULATION", 3)
    monkeypatch.setattr("hwnas.search.zero_cost.SAY_EVERY_S", 0.0)
    said: list[str] = []
    reference_population(ZeroCostMetric(), SPACE, tmp_path, said.append)
    assert said[-1].endswith("(3 of 3)")


def test_without_a_reference_it_says_so() -> None:
    with pytest.raises(ValueError, match="zero_cost ranks within a reference population"):
        metric("zero_cost")(SPACE.sample(1, seed=0)[0])


def searched(folder: Path, **changes: object):
    settings = {"maximize": "zero_cost", "budget": 6, "strategy": "random", "candidates": 1, **changes}
    return run(SPACE, folder=folder, subject_to=["live_params <= 30k"], **settings)


def test_a_search_keeps_its_reference_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwnas.search.zero_cost.POPULATION", 10)
    first = searched(tmp_path / "run")
    trials = [(t.architecture, t.metrics.get("zero_cost")) for t in first.record.trials]
    kept = (tmp_path / "run" / "reference.json").read_bytes()
    longer = searched(tmp_path / "run", budget=8)
    again = [(t.architecture, t.metrics.get("zero_cost")) for t in longer.record.trials]
    assert again[: len(trials)] == trials
    assert (tmp_path / "run" / "reference.json").read_bytes() == kept
    with process_pool(2) as executor:
        parallel = searched(tmp_path / "parallel", executor=executor)
    assert [(t.architecture, t.metrics.get("zero_cost")) for t in parallel.record.trials] == trials
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["metrics"]["zero_cost"]["reference"] is None


@pytest.mark.parametrize(
    ("strategy", "settings"),
    [
        ("evolution", {"population": 4, "tournament": 2, "warm_up": 6, "warm_up_by": "zero_cost"}),
        ("reinforce", {"warm_up": 6, "warm_up_by": "zero_cost"}),
        ("naswot", {"samples": 6, "score_by": "zero_cost"}),
        ("move", {"population": 2, "tournament": 1, "random_move": 0.0, "move_by": "zero_cost"}),
        ("bayesian", {"initial": 2, "proxies": ["zero_cost"], "scored": 4, "relatives": 1}),
    ],
)
def test_a_strategy_is_guided_by_it(
    strategy: str, settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hwnas.search.zero_cost.POPULATION", 10)
    found = searched(
        tmp_path, maximize="naswot", strategy=strategy, strategy_settings=settings, budget=5
    ).record
    scored = [trial for trial in found.trials if "zero_cost" in trial.metrics]
    assert scored
    assert all(trial.asked == "zero_cost" and trial.status == "complete" for trial in scored)
    assert (tmp_path / "reference.json").exists()


def test_a_population_of_ones_own(reference: ReferencePopulation, tmp_path: Path) -> None:
    own = replace(ZeroCostMetric(), reference=reference)
    found = searched(tmp_path / "run", metrics={"zero_cost": own})
    assert not (tmp_path / "run" / "reference.json").exists()
    assert found.record.winner == 0


class Flat(SearchSpace):
    """Four plain networks without blocks, of one resolution each."""

    name = "flat"
    decisions = {"width": (4, 8), "kernel": (1, 3)}

    def network(self, architecture):
        b = Builder()
        x = b.relu(b.conv(b.input(3, 8, 8), architecture["width"], kernel=architecture["kernel"]))
        return b.build(b.linear(b.global_average_pool(x), 10))


def test_a_part_that_is_undefined_everywhere_is_left_out(tmp_path: Path) -> None:
    said: list[str] = []
    found = run(
        Flat(),
        maximize="zero_cost",
        folder=tmp_path,
        budget=4,
        strategy="random",
        events=Events(step=said.append),
    )
    assert "zero_cost goes without az_trainability: undefined for all of them" in said
    assert all(trial.status == "complete" for trial in found.record.trials)
