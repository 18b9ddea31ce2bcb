"""Searches that are kept: read as they were written, never done twice, never taken for others."""

import json
import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.comparison import Contestant, SearchJournal, compare, contestants, simulate
from hwnas.search.comparison.journal import _plain, _search, key_of
from tests.search.comparison.tables import BOUNDED, FREE, METRICS, PARTS, RANDOM, Recorded, recorded

INF = math.inf
WITHOUT_SECONDS = {name: one for name, one in METRICS.items() if name != "seconds"}


def assert_equal(one, other):
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@given(
    st.integers(0, 99),
    st.sampled_from([FREE, BOUNDED]),
    st.sampled_from([METRICS, WITHOUT_SECONDS, PARTS]),
)
def test_a_search_is_read_as_it_was_written(seed, objective, metrics):
    searching = Contestant("hyperband", "hyperband") if metrics is PARTS else RANDOM
    one = simulate(recorded(objective, metrics=metrics), objective, searching, queries=9, seed=seed)
    assert_equal(_search(json.loads(json.dumps(_plain(one), allow_nan=False))), one)


def test_a_search_that_found_nothing_is_read_as_it_was_written():
    one = simulate(recorded(BOUNDED), BOUNDED, RANDOM, queries=3, seed=0)
    nothing = replace(one, best=np.full(3, math.nan), seconds=np.full(3, math.nan), trained=0, answer=None)
    assert_equal(_search(json.loads(json.dumps(_plain(nothing), allow_nan=False))), nothing)


def test_what_is_kept_is_not_searched_again(tmp_path):
    taking_part = contestants(["random", "evolution:population=8,tournament=4"])
    seen = []

    def best(repeats):
        seen.clear()
        found = compare(
            recorded(),
            FREE,
            taking_part,
            repeats=repeats,
            queries=9,
            journal=SearchJournal(tmp_path / "kept.jsonl"),
            progress=lambda done, total, label: seen.append(label),
        )
        return [one.best.tolist() for one in found.entries]

    best(3)
    assert len(seen) == 6
    assert best(5) == [
        one.best.tolist() for one in compare(recorded(), FREE, taking_part, repeats=5, queries=9).entries
    ]
    assert len(seen) == 4
    best(5)
    assert seen == []


def test_what_decides_a_search_decides_its_key():
    other_part = PARTS | {"accuracy@0.333333": Recorded("accuracy@0.333333", lambda *e: 0.5)}
    parts = {
        key_of(recorded(FREE, metrics=one), FREE, RANDOM, 9, INF) for one in (METRICS, PARTS, other_part)
    }
    assert len(parts) == 3
    other = METRICS | {"cost": Recorded("cost", lambda a, b, c: 1.0 + a + b + c, higher_is_better=False)}
    by_proxy = Contestant("random", "random", proxies=("proxy",))
    keys = [
        key_of(recorded(FREE), FREE, RANDOM, 9, INF),
        key_of(recorded(FREE), FREE, RANDOM, 10, INF),
        key_of(recorded(FREE), FREE, RANDOM, 9, 50.0),
        key_of(recorded(FREE), FREE, by_proxy, 9, INF),
        key_of(recorded(FREE), FREE, replace(RANDOM, settings={"a": 1}), 9, INF),
        key_of(recorded(BOUNDED), BOUNDED, RANDOM, 9, INF),
        key_of(recorded(BOUNDED, metrics=other), BOUNDED, RANDOM, 9, INF),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of(recorded(FREE, metrics=other), FREE, RANDOM, 9, INF) == keys[0]  # the cost is not seen


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "kept.jsonl"
    path.write_text('{"key": "a", "searches": {"0": {"best": []}}}\n')
    with pytest.raises(ValueError, match="line 1 is no searches of a comparison"):
        SearchJournal(path)
