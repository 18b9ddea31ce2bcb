"""optuna-dashboard, started as people start it, shows an exported run."""

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from hwnas.search.to_optuna import export_study
from tests.search.test_to_optuna import run
from tests.search.toy import Toy

pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")

PROGRAM = Path(sys.executable).with_name("optuna-dashboard")
SECONDS = 60


@contextmanager
def dashboard(storage):
    """The address of the dashboard's API."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [PROGRAM, storage, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        process.terminate()
        process.wait(SECONDS)


def read(url):
    """The answer to a request, once the server answers."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            with urlopen(url, timeout=SECONDS) as answer:
                return json.load(answer)
        except URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def test_it_shows_the_study_and_its_trials(tmp_path):
    trials = run(tmp_path / "mine").record.trials
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    export_study(tmp_path / "mine", storage, space=Toy())
    with dashboard(storage) as api:
        (listed,) = read(f"{api}/studies")["study_summaries"]
        study = read(f"{api}/studies/{listed['study_id']}")
    assert (listed["study_name"], listed["directions"]) == ("mine", ["maximize"])
    shown = study["trials"]
    states = {"complete": "Complete", "infeasible": "Pruned", "failed": "Fail"}
    assert [one["state"] for one in shown] == [states[trial.status] for trial in trials]
    assert [one.get("values") for one in shown] == [
        [trial.metrics["value"]] if trial.status == "complete" else None for trial in trials
    ]
    chosen = {one["name"]: one["param_external_value"] for one in shown[0]["params"]}
    assert list(chosen) == list(Toy().decisions)
