"""`hwnas search --dask` with a scheduler and workers of its own."""

import shlex

import pytest

from hwnas import search
from tests.cli.program import hwnas
from tests.dask_processes import cluster

SEARCH = shlex.split(
    "search --space nasbench201 --maximize params --subject-to 'flops <= 200M' --strategy random --budget 4 "
    "--candidates 1 --trial-seconds 60 --ahead 2 --run"
)


def trials(folder):
    return [(one.architecture, one.status, one.metrics) for one in search.load(folder).record.trials]


def test_a_search_on_a_cluster_finds_what_one_process_finds(tmp_path):
    pytest.importorskip("distributed")
    with cluster(tmp_path, workers=2) as running:
        hwnas(*SEARCH, tmp_path / "together", "--dask", running.address)
    hwnas(*SEARCH, tmp_path / "alone")
    assert trials(tmp_path / "together") == trials(tmp_path / "alone")


def test_a_scheduler_that_is_none_is_refused(tmp_path):
    pytest.importorskip("distributed")
    assert "no dask scheduler answers at here" in hwnas(*SEARCH, tmp_path, "--dask", "here", code=2)
