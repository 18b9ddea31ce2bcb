import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.proxies.ranks import (
    ZERO_COST,
    ReferencePopulation,
    aznas,
    combinations,
    copeland,
    fractional_ranks,
    majority,
    majority_pair_accuracy,
    rank_sum,
    tenas,
    zero_cost,
)

NUMBERS = st.floats(-1e6, 1e6)
COLUMNS = st.integers(2, 12).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            name: st.lists(NUMBERS | st.just(math.nan), min_size=n, max_size=n)
            for name in ("synflow", "jacob_cov", "snip")
        }
    )
)


def test_ranks_by_hand() -> None:
    assert fractional_ranks([3.0, 1.0, math.nan, 2.0]).tolist() == [1.0, 0.5, 0.25, 0.75]
    assert fractional_ranks([3.0, 1.0, 1.0, 2.0], higher_is_better=False).tolist() == [
        0.25,
        0.875,
        0.875,
        0.5,
    ]
    assert fractional_ranks([math.inf, 1.0, -math.inf, math.nan]).tolist() == [1.0, 0.75, 0.375, 0.375]


def test_sums_of_ranks_by_hand() -> None:
    scores = {"synflow": [1.0, 2.0], "plain": [5.0, 6.0]}
    assert rank_sum(scores, ["synflow", "plain"], logarithmic=False).tolist() == [1.5, 1.5]
    assert rank_sum(scores, ["synflow"]).tolist() == [math.log(0.5), 0.0]


@given(COLUMNS)
def test_only_the_order_matters(scores: dict[str, list[float]]) -> None:
    squeezed = {name: [math.atan(v) for v in column] for name, column in scores.items()}
    if any(len({*a}) != len({*b}) for a, b in zip(scores.values(), squeezed.values(), strict=True)):
        return  # rounding has made two scores equal
    assert rank_sum(scores, list(scores)).tolist() == rank_sum(squeezed, list(scores)).tolist()
    assert copeland(scores).tolist() == copeland(squeezed).tolist()


@given(COLUMNS)
def test_the_majority_by_definition(scores: dict[str, list[float]]) -> None:
    columns = [[-math.inf if math.isnan(v) else v for v in column] for column in scores.values()]
    found = np.concatenate(list(majority(scores)))
    for i in range(len(columns[0])):
        for j in range(len(columns[0])):
            assert found[i, j] == (sum(column[i] > column[j] for column in columns) >= 2)
    assert copeland(scores).tolist() == (found.sum(axis=1) - found.sum(axis=0)).tolist()
    truth = list(range(len(columns[0])))
    right = [found[j, i] for i in truth for j in range(i + 1, len(truth))]
    assert majority_pair_accuracy(scores, truth) == pytest.approx(np.mean(right))


def test_named_combinations_take_the_proxies_directions() -> None:
    better, worse = (
        {"ntk_cond": 3.0, "linear_regions_thin": 9.0},
        {"ntk_cond": 8.0, "linear_regions_thin": 7.0},
    )
    assert tenas({name: [better[name], worse[name]] for name in better}).tolist() == [2.0, 1.0]
    parts = ("az_expressivity", "az_progressivity", "az_trainability", "flops")
    assert aznas({name: [1.0, 2.0] for name in parts}).tolist() == [4 * math.log(0.5), 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rank_sum({}, ["synflow"]), "synflow missing; found none"),
        (lambda: rank_sum({"synflow": [1.0]}, []), "proxies: empty"),
        (
            lambda: rank_sum({"synflow": [1.0], "snip": [1.0, 2.0]}, ["synflow", "snip"]),
            "not the same number",
        ),
        (lambda: rank_sum({"synflow": [[1.0]]}, ["synflow"]), r"the shape is \(1, 1\)"),
        (lambda: rank_sum({"own": [1.0]}, ["own"]), "no proxy 'own'"),
        (lambda: aznas({"flops": [1.0]}), "az_expressivity, az_progressivity, az_trainability missing"),
    ],
)
def test_bad_arguments(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def population(seed: int = 0, size: int = 200) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {"synflow": generator.standard_normal(size), "plain": generator.standard_normal(size)}


@given(st.lists(NUMBERS, min_size=2, max_size=2, unique=True))
def test_a_reference_rank_is_monotone_and_inside(values: list[float]) -> None:
    reference = ReferencePopulation.of(population(), ["synflow", "plain"])
    low, high = sorted(values)
    assert 0 < reference.rank("synflow", low) <= reference.rank("synflow", high) < 1
    assert 0 < reference.rank("plain", high) <= reference.rank("plain", low) < 1
    assert reference.rank("synflow", math.nan) < reference.rank("synflow", -1e9)


def test_zero_cost_orders_a_population_as_its_ranks_do() -> None:
    generator = np.random.default_rng(0)
    scores = {name: generator.standard_normal(200) for name in ZERO_COST}
    scores["live_params"] = np.round(scores["live_params"])  # ties
    scores["epsilon64"] = np.maximum(scores["epsilon64"], 0.3)
    scores["jacob_cov"][:40] = math.nan
    reference = ReferencePopulation.of(scores, ZERO_COST)
    alone = [zero_cost({name: scores[name][i] for name in scores}, reference) for i in range(200)]
    within = combinations(scores)["zero_cost"]
    assert np.corrcoef(alone, within)[0, 1] > 0.999
    with pytest.raises(ValueError, match="epsilon64 is missing"):
        zero_cost({name: 0.0 for name in ZERO_COST if name != "epsilon64"}, reference)


def test_combinations_are_those_whose_parts_are_there() -> None:
    assert list(combinations({"synflow": [1.0], "jacob_cov": [1.0], "snip": [2.0]})) == ["vote"]


def test_undefined_scores_of_the_population_rank_below_defined_ones() -> None:
    scores = population()["synflow"].tolist()
    half = ReferencePopulation.of({"synflow": [math.nan] * 200 + scores}, ["synflow"])
    assert half.rank("synflow", min(scores) - 1) == pytest.approx(0.5, abs=0.01)
    assert half.rank("synflow", math.nan) == pytest.approx(0.25, abs=0.01)


@given(st.lists(st.integers(0, 5), min_size=10, max_size=40))
def test_reference_ranks_of_the_population_are_its_fractional_ranks(values: list[int]) -> None:
    reference = ReferencePopulation.of({"synflow": values}, ["synflow"])
    found = [reference.rank("synflow", value) * (len(values) + 1) / len(values) for value in values]
    assert found == pytest.approx(fractional_ranks(values).tolist())


def test_a_reference_is_saved_and_read(tmp_path: Path) -> None:
    reference = ReferencePopulation.of(population(), ["synflow", "plain"])
    reference.save(tmp_path / "reference.json")
    assert ReferencePopulation.load(tmp_path / "reference.json") == reference


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"size": 0, "scores": {"snip": [1]}}', '{"size": 12, "scores": {"snip": [2, 1]}}',
     '{"size": 10, "scores": {"snip": [1,2,3,4,5,6,7,8,9,NaN]}}', '{"size": 10, "scores": {"nothing": [1]}}'],
)  # fmt: skip
def test_a_damaged_reference_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "reference.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"reference|no proxy"):
        ReferencePopulation.load(path)


def test_a_proxy_without_any_score_orders_nothing() -> None:
    reference = ReferencePopulation.of({"snip": [math.nan] * 20, "plain": range(20)}, ["snip", "plain"])
    assert reference.undefined == ("snip",)
    assert reference.rank("snip", 3.0) == reference.rank("snip", math.nan) == 0.5
