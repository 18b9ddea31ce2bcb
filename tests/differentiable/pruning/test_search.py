"""TE-NAS as a search in a folder."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from hwnas.differentiable.pruning import search as pruning_search
from hwnas.differentiable.pruning import tenas
from hwnas.differentiable.pruning.record import PRUNING, Round, load_pruning, removed
from hwnas.differentiable.pruning.search import (
    PruningRun,
    PruningSettings,
    number_of_rounds,
    prune,
    published_settings,
    small_twin,
)
from hwnas.differentiable.zeros import all_but_zeros
from hwnas.spaces import DARTS, FBNet, NASBench201
from hwnas.training import load
from tests.differentiable.images import quadrants
from tests.differentiable.spaces import SPACES

SPACE = NASBench201(channels=16, cells=5, classes=4, resolution=8)
QUICK = PruningSettings("naswot+synflow", batch=8, repeats=1)


class InterruptedSearchError(Exception):
    """Stands for a signal."""


def stop(*_: object) -> None:
    raise InterruptedSearchError


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return quadrants(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory: pytest.TempPathFactory) -> tuple[PruningRun, list[Round], Path]:
    """A search, what it told of its progress, and its folder, which no test changes."""
    seen: list[Round] = []
    folder = tmp_path_factory.mktemp("whole")
    return prune(SPACE, data=data, folder=folder, settings=QUICK, progress=seen.append), seen, folder


def choices_left(record) -> list[dict]:
    return [(one.remaining, one.values) for one in record.rounds]


def test_one_choice_of_each_edge_remains_and_makes_an_architecture_of_the_space(whole):
    found, seen, folder = whole
    assert found.architecture.space is SPACE
    assert str(found.architecture) == found.record.architecture
    assert [len(one.remaining["0→1"]) for one in seen] == [4, 3, 2, 1]
    assert [one.number for one in seen] == [0, 1, 2, 3]
    for edge, choice in seen[-1].remaining.items():
        assert found.architecture[edge] == SPACE.decisions[edge][choice[0]]
    assert load_pruning(folder) == found.record


def test_an_interrupted_search_goes_on_after_its_last_round(data, whole, tmp_path: Path):
    for _ in range(3):
        with pytest.raises(InterruptedSearchError):
            prune(SPACE, data=data, folder=tmp_path / "parts", settings=QUICK, progress=stop)
    assert len(load_pruning(tmp_path / "parts").rounds) == 3
    assert load_pruning(tmp_path / "parts").architecture == ""
    seen = []
    parts = prune(SPACE, data=data, folder=tmp_path / "parts", settings=QUICK, progress=seen.append)
    assert [one.number for one in seen] == [3]
    assert choices_left(parts.record) == choices_left(whole[0].record)
    assert parts.architecture == whole[0].architecture
    prune(SPACE, data=data, folder=tmp_path / "parts", settings=QUICK, progress=stop)


def test_rounds_have_the_proxies_of_what_remains_and_say_what_went(data, whole):
    record = whole[0].record
    last = record.rounds[-1]
    measure = pruning_search._measures(small_twin(SPACE).supernetwork(), load(data), QUICK, 0)
    assert last.values == {name: one.value(last.remaining) for name, one in measure.items()}
    gone = [removed(*pair) for pair in pairwise(record.rounds)]
    assert [len(one["0→1"]) for one in gone] == [1, 1, 1]
    for edge, labels in record.groups.items():
        choices = {choice for one in gone for choice in one[edge]} | {*last.remaining[edge]}
        assert {labels[choice] for choice in choices} == {*labels} - {"none"}


def test_an_undefined_proxy_is_none(data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tenas.ProxyMeasure, "value", lambda *_: float("inf"))
    prune(SPACE, data=data, folder=tmp_path, settings=replace(QUICK, number=4))
    assert load_pruning(tmp_path).rounds[0].values == {"naswot": None, "synflow": None}
    assert "Infinity" not in (tmp_path / PRUNING).read_text()


def test_pruning_goes_on_between_the_edges_of_darts():
    supernetwork = SPACES["darts"].supernetwork()

    def later_is_better(remaining, removals):
        return {(group, choice): 10 * choice + int(group[-3]) for group, choice in removals}

    whole = list(tenas.rounds(supernetwork, [later_is_better], number=3))
    assert len(whole) == number_of_rounds(SPACES["darts"], 3) == 8
    for done in range(1, len(whole)):
        rest = tenas.rounds(supernetwork, [later_is_better], number=3, remaining=whole[done - 1])
        assert list(rest) == whole[done:]


def test_what_is_scored_has_the_size_of_the_release_and_all_choices():
    twin = small_twin(SPACE)
    assert isinstance(twin, NASBench201)
    assert (twin.channels, twin.cells, twin.classes, twin.resolution) == (3, 1, 4, 8)
    for space in (SPACE, DARTS()):
        assert small_twin(space).supernetwork().groups == space.supernetwork().groups
    chain = FBNet(resolution=32, classes=10)
    assert small_twin(chain) is chain
    assert published_settings(SPACE) == PruningSettings("ntk_cond+linear_regions", 72, 1, 3)
    assert published_settings(DARTS()) == PruningSettings("ntk_cond+linear_regions", 14, 3, 3)


def test_the_papers_measures_are_those_of_the_settings(data):
    supernetwork = small_twin(SPACE).supernetwork()
    loaded = load(data)
    measures = pruning_search._measures(supernetwork, loaded, PruningSettings(batch=8, repeats=2), 5)
    assert list(measures) == ["ntk_cond", "linear_regions"]
    assert [(one.proxy, one.fan, one.repeats, one.seed) for one in measures.values()] == [
        ("ntk_cond", "fan_out", 2, 5),
        ("linear_regions", "fan_in", 2, 5),
    ]
    shapes = []
    for one in measures.values():
        network = one._part_of(all_but_zeros(supernetwork))
        shapes.append((len(network.items), one.batch(network, 0)[0].shape))
    assert shapes == [(7, (8, 3, 8, 8)), (2, (3000, 1, 3, 3))]


def test_a_batch_that_the_data_does_not_have_is_refused_before_a_folder_is_made(data, tmp_path: Path):
    with pytest.raises(ValueError, match=r"batch must be at most \d+, the train images of .*; got 1000000"):
        prune(SPACE, data=data, folder=tmp_path / "run", settings=replace(QUICK, batch=10**6))
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="batch must be at least 2 for ntk_cond, which compares images"):
        PruningSettings("naswot+ntk_cond", batch=1)
    assert PruningSettings("naswot", batch=1).batch == 1


def test_another_search_in_the_folder_is_refused(data, whole):
    with pytest.raises(ValueError, match=r"other settings.*seed was 0, now 1"):
        prune(SPACE, data=data, folder=whole[2], settings=QUICK, seed=1)


def test_a_damaged_record_is_named(whole, tmp_path: Path):
    content = json.loads((whole[2] / PRUNING).read_text())
    content["rounds"][1]["remaining"]["0→1"] = [9]
    (tmp_path / PRUNING).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"pruning\.json is damaged: round 1 does not fit the groups"):
        load_pruning(tmp_path)


def test_wrong_settings_are_named(data, tmp_path: Path):
    with pytest.raises(ValueError, match="repeats must be at least 1"):
        PruningSettings(repeats=0)
    with pytest.raises(ValueError, match="naswott"):
        PruningSettings("naswott")
    with pytest.raises(ValueError, match="takes images 3×8×8 and has 10 classes"):
        prune(NASBench201(classes=10, resolution=8), data=data, folder=tmp_path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
def test_a_gpu_leaves_what_the_cpu_leaves(data, whole, tmp_path: Path):
    settings = replace(QUICK, device="cuda")
    on_gpu = prune(SPACE, data=data, folder=tmp_path, settings=settings)
    assert on_gpu.architecture == whole[0].architecture
    for ours, theirs in zip(on_gpu.record.rounds, whole[0].record.rounds, strict=True):
        assert ours.values == pytest.approx(theirs.values, rel=1e-4)
