"""A run folder that has lost what it recorded is refused, and not searched anew."""

import sqlite3
from contextlib import closing

import pytest

from hwnas.search import CorruptRunError, load
from hwnas.search.folder import locked
from tests.search.runs import run


def emptied(path):
    path.write_bytes(b"")


def without_rows(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM trials")
        connection.commit()


@pytest.mark.parametrize("lose", [lambda path: path.unlink(), emptied, without_rows])
def test_a_finished_run_without_its_trials_is_refused(tmp_path, lose):
    folder = tmp_path / "run"
    run(folder, budget=12)
    lose(folder / "trials.sqlite")
    before = (folder / "results.csv").read_text()
    with pytest.raises(
        CorruptRunError, match=r"results\.csv of a search, but trials\.sqlite is missing or empty"
    ):
        run(folder, budget=12)
    assert (folder / "results.csv").read_text() == before


def test_reading_a_run_that_lost_its_trials_creates_none(tmp_path):
    folder = tmp_path / "run"
    run(folder, budget=12)
    emptied(folder / "trials.sqlite")
    with pytest.raises(CorruptRunError, match=r"trials\.sqlite is damaged: it is empty"):
        load(folder)
    assert (folder / "trials.sqlite").read_bytes() == b""


def test_a_run_that_was_stopped_before_its_first_trial_begins(tmp_path):
    folder = tmp_path / "run"
    run(folder, budget=12)
    kept = (folder / "config.json").read_bytes()
    for file in folder.iterdir():
        if file.is_file():
            file.unlink()
    (folder / "config.json").write_bytes(kept)
    (folder / "environment.json").write_text("{}")
    assert run(folder, budget=12).record.trials


def test_a_lost_record_of_the_machine_is_written_again(tmp_path):
    folder = tmp_path / "run"
    run(folder, budget=12)
    (folder / "environment.json").unlink()
    assert run(folder, budget=12).record.environment["machine"]


def test_a_damaged_record_of_the_machine_is_refused_before_the_search(tmp_path):
    folder = tmp_path / "run"
    run(folder, budget=12)
    (folder / "environment.json").write_text("{")
    before = (folder / "results.csv").read_text()
    with pytest.raises(CorruptRunError, match=r"environment\.json is damaged"):
        run(folder, budget=20)
    assert (folder / "results.csv").read_text() == before


def test_a_setting_that_is_missing_is_named(tmp_path):
    folder = tmp_path / "run"
    run(folder, budget=12)
    (folder / "config.json").write_text("{}")
    with pytest.raises(CorruptRunError, match=r"config\.json .* is damaged: 'maximize' is missing"):
        load(folder)


def test_a_search_that_was_refused_leaves_no_folder(tmp_path):
    refused = tmp_path / "new" / "run"
    with pytest.raises(ValueError, match="refused"), locked(refused):
        raise ValueError("refused")
    assert not refused.exists()
    with locked(refused):
        (refused / "config.json").write_text("{}")
    assert (refused / "config.json").exists()
