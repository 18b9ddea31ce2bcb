"""A run folder that has lost what it recorded is refused, and not searched anew."""

import pytest

from hwnas.search import CorruptRunError
from tests.search.runs import run


@pytest.mark.parametrize("lose", ["unlink", "empty"])
def test_a_finished_run_without_its_trials_is_refused(tmp_path, lose):
    folder = tmp_path / "run"
    run(folder, budget=12)
    trials = folder / "trials.sqlite"
    trials.unlink() if lose == "unlink" else trials.write_bytes(b"")
    before = (folder / "results.csv").read_text()
    with pytest.raises(
        CorruptRunError, match=r"results\.csv of a search, but trials\.sqlite is missing or empty"
    ):
        run(folder, budget=12)
    assert (folder / "results.csv").read_text() == before


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
