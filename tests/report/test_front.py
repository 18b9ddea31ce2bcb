import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.report.front import pareto_front

NUMBERS = st.one_of(st.integers(-4, 4).map(float), st.just(float("nan")), st.just(float("inf")))


def brute_force(points: list[tuple[float, float]]) -> set[int]:
    known = [(i, c, s) for i, (c, s) in enumerate(points) if not (np.isnan(c) or np.isnan(s))]
    return {
        i
        for i, c, s in known
        if not any(oc <= c and os >= s and (oc < c or os > s) for j, oc, os in known if j != i)
    }


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=25))
def test_front_is_what_nothing_beats(points: list[tuple[float, float]]) -> None:
    costs, scores = [p[0] for p in points], [p[1] for p in points]
    front = pareto_front(costs, scores).tolist()
    assert set(front) == brute_force(points)
    assert len(front) == len(set(front))
    assert [costs[i] for i in front] == sorted(costs[i] for i in front)


def test_equal_points_stay_together() -> None:
    assert pareto_front([1, 1, 2], [5, 5, 5]).tolist() == [0, 1]


def test_lists_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="equal length"):
        pareto_front([1, 2], [1])
