import sqlite3
from contextlib import closing

import pytest

from hwnas.search.records import Trial
from hwnas.search.store import CorruptRunError, TrialStore


def _written(path):
    with closing(TrialStore(path)) as store:
        for number in range(3):
            store.add(Trial(number, f"a{number}", "complete", {"value": 0.5}, asked="value"), (number,))


def test_what_is_added_is_read_back(tmp_path):
    _written(tmp_path / "trials.sqlite")
    with closing(TrialStore(tmp_path / "trials.sqlite")) as store:
        assert store.trials()[1] == Trial(1, "a1", "complete", {"value": 0.5}, asked="value")
        assert [encoding for _, encoding in store.rows()] == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("metrics = '[1]'", "trial 1: metrics must be values by name"),
        ("metrics = 'x'", "trial 1: "),
        ("metrics = '{\"value\": NaN}'", "trial 1: value must be a finite number"),
        ("metrics = '{\"value\": [1]}'", "trial 1: "),
        ("metrics = '{}'", "trial 1: it is complete without value"),
        ("status = 'done'", "trial 1: the status is 'done'"),
        ("encoding = '3'", "trial 1: "),
    ],
)
def test_a_damaged_row_is_named(tmp_path, change, says):
    path = tmp_path / "trials.sqlite"
    _written(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE trials SET {change} WHERE number = 1")
        connection.commit()
    with closing(TrialStore(path)) as store, pytest.raises(CorruptRunError, match=f"trials.sqlite .*{says}"):
        store.rows()
