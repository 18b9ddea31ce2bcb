import pytest
import torch

from hwnas.search.folder import claim
from hwnas.search.reduced import reduced_accuracy
from hwnas.search.settings import describe, make_objective, make_strategy
from hwnas.spaces import NASBench201


def test_the_settings_are_those_of_the_training_that_runs():
    metric = reduced_accuracy("digits", 3, {"epochs": 27, "lr": 0.1, "channels": 0.5, "limit": 90})
    remaining = metric.reduction.settings(metric.full.settings)
    assert (remaining.epochs, remaining.lr, remaining.seed) == (27, 0.1, 3)
    assert (metric.reduction.channels, metric.full.limit) == (0.5, 90)


def test_a_long_training_can_be_evaluated_after_a_ninth_of_it():
    assert reduced_accuracy("digits", 0, {"epochs": 27}).at_fidelity(1 / 9).full.settings.epochs == 3
    with pytest.raises(ValueError, match="less than one"):
        reduced_accuracy("digits", 0).at_fidelity(1 / 9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, "epoch is no setting of it; it has epochs"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"channels": 2}, "channels must be above 0"),
        ({"lr": "fast"}, "lr must be a finite number"),
        ({"channels": float("nan")}, "channels must be a finite number"),
        ({"precision": 16}, "precision must be"),
        ({"limit": 1}, "limit must be at least 2"),
        ({"device": "gpu"}, "device must be cpu or cuda"),
        ({"precision": "bf16"}, "needs device=cuda"),
        ({"precision": "int8"}, "precision must be fp32"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        reduced_accuracy("digits", 0, settings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match="no CUDA device"):
        reduced_accuracy("digits", 0, {"device": "cuda"})


def test_a_run_is_not_resumed_with_another_training(tmp_path):
    space = NASBench201()

    def described(epochs: int):
        metrics = {"reduced_accuracy": reduced_accuracy("digits", 0, {"epochs": epochs})}
        objective = make_objective("reduced_accuracy", [], metrics)
        searcher = make_strategy("random", space, objective, 0, {})
        return describe(space, objective, metrics, "random", searcher, 0, "digits", 1)

    claim(tmp_path, described(3))
    claim(tmp_path, described(3))
    with pytest.raises(ValueError, match="epochs was 3, now 4"):
        claim(tmp_path, described(4))
