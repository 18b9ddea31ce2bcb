import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from hwnas.differentiable.oneshot.metric import CHECKPOINT, OneShotAccuracy, _trained
from hwnas.differentiable.oneshot.settings import OneShotSettings
from hwnas.executors import process_pool
from hwnas.objectives import Metric
from hwnas.search import run
from hwnas.search.prepared import prepared
from hwnas.spaces import NASBench201
from hwnas.training import TrainingSettings
from tests.differentiable.images import quadrants

SPACE = NASBench201(channels=4, cells=1, resolution=8, classes=4)
SETTINGS = OneShotSettings(
    TrainingSettings(epochs=2, batch_size=32, lr=0.1, augmentation=None), calibration_images=64
)


@pytest.fixture(autouse=True)
def nothing_kept():
    _trained.cache_clear()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return quadrants(tmp_path_factory.mktemp("images"))


@pytest.fixture
def metric(data, tmp_path):
    return OneShotAccuracy(data, SETTINGS, folder=tmp_path / "supernet")


def test_it_is_a_metric_of_searches(metric):
    kept: Metric = metric
    assert (kept.name, kept.unit, kept.higher_is_better, kept.expensive) == (
        "accuracy_oneshot",
        "fraction",
        True,
        True,
    )


def test_it_trains_once_and_then_loads(metric, data):
    architecture = SPACE.sample(1, seed=0)[0]
    value = metric(architecture)
    file = metric.folder / CHECKPOINT
    written = file.stat().st_mtime_ns
    _trained.cache_clear()
    assert pickle.loads(pickle.dumps(metric))(architecture) == value
    assert file.stat().st_mtime_ns == written


def test_another_seed_gives_other_weights_and_the_same_one_the_same(data, tmp_path):
    def weights(seed, name):
        settings = replace(SETTINGS, training=replace(SETTINGS.training, seed=seed))
        supernet = OneShotAccuracy(data, settings, folder=tmp_path / name).train(SPACE)
        return next(iter(supernet.parameters()))

    first = weights(0, "first")
    assert torch.equal(first, weights(0, "again"))
    assert not torch.equal(first, weights(1, "other"))


def test_without_a_folder_it_says_so(data):
    with pytest.raises(ValueError, match="keeps it: give it a folder"):
        OneShotAccuracy(data, SETTINGS)(SPACE.sample(1, seed=0)[0])


def test_two_at_once_train_one_supernet(metric):
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(metric.train, [SPACE, SPACE]))
    assert all(map(torch.equal, both[0].state_dict().values(), both[1].state_dict().values()))


def test_a_search_prepares_it_in_its_folder(data, tmp_path):
    said: list[str] = []
    ready = prepared({"accuracy_oneshot": OneShotAccuracy(data, SETTINGS)}, SPACE, tmp_path, said.append)
    assert (tmp_path / CHECKPOINT).exists()
    assert sum("epoch" in line for line in said) == 2
    again: list[str] = []
    prepared({"accuracy_oneshot": OneShotAccuracy(data, SETTINGS)}, SPACE, tmp_path, again.append)
    assert not any("epoch" in line for line in again)
    assert 0 <= ready["accuracy_oneshot"](SPACE.sample(1, seed=0)[0]) <= 1


def test_one_with_a_folder_of_its_own_keeps_it(metric, tmp_path):
    ready = metric.prepared(SPACE, tmp_path / "run", lambda line: None)
    assert (ready.folder / CHECKPOINT).exists()
    assert ready.folder == metric.folder
    assert not (tmp_path / "run").exists()


def test_a_search_in_a_worker_finds_what_one_in_this_process_does(metric, tmp_path):
    metric.train(SPACE)

    def found(name, executor):
        result = run(
            SPACE,
            maximize="accuracy_oneshot",
            metrics={"accuracy_oneshot": metric},
            folder=tmp_path / name,
            strategy="random",
            budget=4,
            ahead=2,
            candidates=1,
            executor=executor,
        )
        return [(trial.architecture, trial.metrics) for trial in result.record.trials]

    with process_pool(1) as executor:
        assert found("worker", executor) == found("here", None)


def test_its_card_is_plain_and_tells_trainings_apart(metric, data, tmp_path):
    other = OneShotAccuracy(data, replace(SETTINGS, calibration_images=65), folder=tmp_path / "supernet")
    assert json.loads(json.dumps(metric.card())) != json.loads(json.dumps(other.card()))
    assert metric != other
    assert str(tmp_path) not in json.dumps({**metric.card(), "data": ""})
