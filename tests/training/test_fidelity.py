"""Accuracies after a part of the training's epochs."""

import pytest

from hwnas.objectives import MultiFidelityMetric
from hwnas.training.metric import TrainedAccuracy
from hwnas.training.reduced import ReducedAccuracy, Reduction
from hwnas.training.settings import TrainingSettings


def test_a_part_of_the_epochs_with_as_much_shorter_a_warm_up():
    full = TrainedAccuracy("digits", TrainingSettings(epochs=27, warmup_epochs=3), limit=400)
    assert isinstance(full, MultiFidelityMetric)
    parts = [full.at_fidelity(share) for share in (0.037037, 0.111111, 0.333333)]
    assert [part.settings.epochs for part in parts] == [1, 3, 9]
    assert parts[2].settings.warmup_epochs == 1
    assert parts[0].limit == 400


def test_a_reduced_training_keeps_its_other_reductions():
    reduced = ReducedAccuracy("digits", TrainingSettings(epochs=90), reduction=Reduction(0.5, 0.5, 0.5, 0.1))
    part = reduced.at_fidelity(1 / 3)
    assert part.reduction == Reduction(0.5, 0.5, 0.5, 1.0)
    assert part.reduction.settings(part.full.settings).epochs == 3


@pytest.mark.parametrize(
    "metric",
    [
        TrainedAccuracy("digits", TrainingSettings(epochs=8)),
        ReducedAccuracy("digits", TrainingSettings(epochs=80)),
    ],
)
def test_less_than_an_epoch_is_refused_with_the_epochs_that_would_do(metric):
    with pytest.raises(ValueError, match="of 8 epochs is less than one: train for at least 9 epochs"):
        metric.at_fidelity(1 / 9)
