"""Scoring many architectures: once for each class, resumed, the same on every executor."""

import json
import math
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from hwnas.executors import InlineExecutor, dask_cluster, process_pool
from hwnas.proxies.sweep import ScoreTable, score_architectures
from hwnas.proxies.untrained import score_network
from hwnas.spaces import Architecture, MobileNetV2, NASBench201

SPACE = NASBench201(channels=4, cells=1, resolution=8)
PROXIES = ["params", "live_params", "synflow", "jacob_cov", "az_trainability"]
INPUTS = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
TARGETS = torch.arange(8) % 10


def architectures(count: int = 12) -> list[Architecture]:
    return SPACE.sample(count, seed=3)


def sweep(chosen: list[Architecture] | None = None, **changes: object) -> ScoreTable:
    return score_architectures(chosen or architectures(), PROXIES, INPUTS, TARGETS, **changes)


def values(table: ScoreTable) -> list[str]:
    return [repr(score) for scores in table.scores.values() for score in scores]


class Counting(InlineExecutor):
    """Counts the networks that are scored."""

    def __init__(self) -> None:
        self.scored = 0

    def submit(self, fn, /, *args, **kwargs):
        if fn.__name__ == "scores_of":
            self.scored += len(args[0])
        return super().submit(fn, *args, **kwargs)


@pytest.fixture(scope="module")
def expected() -> ScoreTable:
    return sweep()


def test_scores_are_those_of_single_networks(expected: ScoreTable) -> None:
    for row, architecture in enumerate(architectures()):
        alone = score_network(architecture.network, PROXIES, INPUTS, TARGETS)
        for name in PROXIES:
            found = expected.scores[name][row]
            assert repr(found.value) == repr(alone[name].value)
            assert found.reason == alone[name].reason


def test_isomorphic_networks_are_scored_once_and_disconnected_ones_not_built(expected: ScoreTable) -> None:
    counting = Counting()
    everything = [
        *architectures(),
        architectures()[0],
        SPACE.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
    ]
    table = sweep(everything, executor=counting)
    assert counting.scored == len(set(table.keys)) < len(everything)
    assert math.isnan(table.scores["synflow"][-1].value)
    assert table.scores["synflow"][-1].reason == "disconnected: the outputs do not depend on the inputs"
    assert table.scores["params"][-1].value > 0
    assert values(table) != values(expected)


def test_a_score_does_not_depend_on_what_else_is_scored(expected: ScoreTable) -> None:
    reverse = sweep(architectures()[::-1])
    for name, scores in reverse.scores.items():
        assert [repr(s) for s in scores] == [repr(s) for s in expected.scores[name][::-1]]


def test_any_executor_gives_the_same(expected: ScoreTable) -> None:
    with process_pool(2) as processes, ThreadPoolExecutor(1) as thread:
        for executor in (processes, thread):
            assert values(sweep(executor=executor)) == values(expected)


def test_a_dask_cluster_of_processes_gives_the_same(expected: ScoreTable) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        dask_cluster(cluster.scheduler_address) as executor,
    ):
        assert values(sweep(executor=executor)) == values(expected)


def test_nothing_answers_at_an_address() -> None:
    with (
        pytest.raises(ValueError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9"),
        dask_cluster("tcp://127.0.0.1:9"),
    ):
        pass


def test_seeds_and_batches_matter(expected: ScoreTable) -> None:
    assert values(sweep(seed=1)) != values(expected)
    other = score_architectures(architectures(), ["jacob_cov"], INPUTS.flip(3), TARGETS)
    assert other.scores["jacob_cov"] != expected.scores["jacob_cov"]


class Stopping(Counting):
    """Ends the sweep after a few networks, as Ctrl-C does."""

    def submit(self, fn, /, *args, **kwargs):
        if self.scored >= 4 and fn.__name__ == "scores_of":
            raise KeyboardInterrupt
        return super().submit(fn, *args, **kwargs)


def test_an_interrupted_sweep_goes_on(tmp_path: Path, expected: ScoreTable) -> None:
    journal = tmp_path / "scores.journal"
    with pytest.raises(KeyboardInterrupt):
        sweep(executor=Stopping(), journal=journal)
    kept = journal.read_bytes().count(b"\n") - 1
    with journal.open("ab") as file:
        file.write(b'{"key": "torn')
    counting = Counting()
    assert values(sweep(executor=counting, journal=journal)) == values(expected)
    assert counting.scored == len(set(expected.keys)) - kept


def test_a_finished_journal_needs_no_scoring(tmp_path: Path, expected: ScoreTable) -> None:
    journal = tmp_path / "scores.journal"
    sweep(journal=journal)
    counting = Counting()
    assert values(sweep(executor=counting, journal=journal)) == values(expected)
    assert counting.scored == 0


def test_a_journal_of_other_settings_is_refused(tmp_path: Path) -> None:
    journal = tmp_path / "scores.journal"
    sweep(architectures(2), journal=journal)
    with pytest.raises(ValueError, match="sweep of another seed"):
        sweep(architectures(2), journal=journal, seed=1)
    journal.write_text(journal.read_text() + '{"key": "a", "scores": {"synflow": 3}}\n')
    with pytest.raises(ValueError, match="is no scores of a sweep"):
        sweep(architectures(2), journal=journal)


def test_a_killed_process_loses_nothing_that_was_scored(tmp_path: Path) -> None:
    """kill -9 of a real process in the middle."""
    journal = tmp_path / "scores.journal"
    program = (
        "import sys, torch\n"
        "from pathlib import Path\n"
        "from tests.proxies.test_sweep import sweep, architectures\n"
        f"sweep(architectures(30), journal=Path({str(journal)!r}))\n"
    )
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen([sys.executable, "-c", program], cwd=root)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") > 4:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = journal.read_bytes().count(b"\n") - 1
    counting = Counting()
    table = sweep(architectures(30), executor=counting, journal=journal)
    assert counting.scored == len(set(table.keys)) - kept < len(set(table.keys))


def test_tables_are_written_whole(tmp_path: Path, expected: ScoreTable) -> None:
    expected.save(tmp_path / "scores.parquet")
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.column_names[:4] == ["architecture", "key", "params", "params_reason"]
    assert table["synflow"].to_pylist() == pytest.approx(
        [s.value for s in expected.scores["synflow"]], nan_ok=True
    )
    settings = json.loads(table.schema.metadata[b"hwnas_sweep"])
    assert (settings["space"], settings["seed"]) == (str(SPACE), 0)
    expected.save(tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text().count("\n") == len(expected.architectures) + 1
    with pytest.raises(ValueError, match=r"must end in \.parquet or \.csv"):
        expected.save(tmp_path / "scores.txt")


def test_bad_arguments_name_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="at least one; found 0 spaces"):
        score_architectures([], PROXIES, INPUTS, TARGETS)
    mixed = [architectures(1)[0], MobileNetV2().sample(1, seed=0)[0]]
    with pytest.raises(ValueError, match="found 2 spaces"):
        score_architectures(mixed, PROXIES, INPUTS, TARGETS)
    with pytest.raises(ValueError, match="did you mean synflow"):
        score_architectures(architectures(1), ["synflw"], INPUTS, TARGETS)
    with pytest.raises(ValueError, match=r"\|.*\|: targets: labels from 10 to 10"):
        score_architectures(architectures(1), ["snip"], INPUTS, TARGETS * 0 + 10)
