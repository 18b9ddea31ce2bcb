"""What a run refuses: wrong settings, the folder of another search, a damaged one."""

import sqlite3

import pytest

from hwnas import search
from hwnas.latency import device
from hwnas.search.folder import locked
from tests.search.runs import METRICS, Guess, run


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"maximize": "valu"}, "unknown metric 'valu'"),
        ({"subject_to": ["cost < 10"]}, "only upper bounds"),
        ({"subject_to": ["cost >= 10"]}, "only upper bounds"),
        ({"metrics": {**METRICS, "speed": 3}}, "'speed' must be a predictor"),
        ({"subject_to": ["latency_ms <= 5"]}, "needs a predictor"),
        ({"subject_to": ["nonsense"]}, "nonsense"),
        ({"strategy": "evolutoin"}, "unknown strategy 'evolutoin'; did you mean evolution\\? known: "),
        ({"strategy_settings": {"size": 3}}, "strategy evolution"),
        ({"strategy_settings": {"population": 1}}, "population"),
        ({"budget": 0}, "budget"),
        ({"candidates": 0}, "candidates"),
        ({"ahead": 0}, "ahead must be a whole number from 1"),
        ({"strategy": "nsga2", "strategy_settings": {"costs": ["naswot"]}}, "of naswot more is better"),
    ],
)
def test_wrong_settings_leave_nothing_behind(tmp_path, changes, says):
    with pytest.raises(ValueError, match=says):
        run(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_a_metric_of_which_less_is_better_is_not_maximised(tmp_path):
    with pytest.raises(
        ValueError, match="less is better of cost, so it cannot be maximised; bound it: 'cost <="
    ):
        run(tmp_path / "run", maximize="cost", subject_to=[])
    assert not (tmp_path / "run").exists()


def test_a_strategys_options_are_its_own(tmp_path):
    with pytest.raises(ValueError, match=r"tournament is a setting of .*evolution.*, not of genetic"):
        run(tmp_path / "run", strategy="genetic", strategy_settings={"tournament": 4})
    with pytest.raises(ValueError, match=r"population is a setting of .*evolution.*genetic.*, not of random"):
        run(tmp_path / "run", strategy="random", strategy_settings={"population": 4})


def test_a_predictor_of_another_device_is_refused(tmp_path):
    class Foreign(Guess):
        def check_device(self, identity):
            raise ValueError(f"not of {identity.device.model}")

    with pytest.raises(ValueError, match="not of"):
        run(tmp_path, metrics={**METRICS, "latency_ms": Foreign()}, device=device("ort-cpu", threads=1))


def test_other_settings_need_another_folder(tmp_path):
    run(tmp_path / "run")
    with pytest.raises(ValueError, match=r"\(seed was 0, now 1\)"):
        run(tmp_path / "run", seed=1)
    with pytest.raises(ValueError, match=r"\(constraints.cost was 10.0, now 9.0\)"):
        run(tmp_path / "run", subject_to=["cost <= 9"])
    with pytest.raises(ValueError, match=r"\(constraints.cost is left out\)"):
        run(tmp_path / "run", subject_to=[])


def test_one_search_at_a_time_in_a_folder(tmp_path):
    with locked(tmp_path / "run"), pytest.raises(ValueError, match="another search is running"):
        run(tmp_path / "run")


def test_no_folder_of_a_run(tmp_path):
    with pytest.raises(search.CorruptRunError, match="no run folder"):
        search.load(tmp_path)


def _truncate(path, size):
    path.write_bytes(path.read_bytes()[:size])


def _execute(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("config.json", lambda p: _truncate(p, 20)),
        ("config.json", lambda p: p.write_text("[]")),
        ("config.json", lambda p: p.unlink()),
        ("trials.sqlite", lambda p: p.write_bytes(b"not a database" * 500)),
        ("trials.sqlite", lambda p: _truncate(p, 5000)),
        ("trials.sqlite", lambda p: _execute(p, "DELETE FROM trials WHERE number = 7")),
        ("trials.sqlite", lambda p: _execute(p, "UPDATE trials SET metrics = 'x' WHERE number = 7")),
        ("trials.sqlite", lambda p: _execute(p, "UPDATE trials SET encoding = '[0]' WHERE number = 7")),
        ("trials.sqlite", lambda p: _execute(p, "UPDATE trials SET architecture = 'x' WHERE number = 7")),
        ("trials.sqlite", lambda p: _execute(p, "PRAGMA user_version = 99")),
    ],
)
def test_a_damaged_folder_is_refused(tmp_path, file, damage):
    run(tmp_path / "run")
    for extra in ("trials.sqlite-wal", "trials.sqlite-shm"):
        assert not (tmp_path / "run" / extra).exists()
    damage(tmp_path / "run" / file)
    with pytest.raises(search.CorruptRunError):
        run(tmp_path / "run")
