import pytest

from hwnas.cli.maximized import maximized, trained_metrics, training_of_candidates
from hwnas.search import Training
from hwnas.training import TrainingSettings


def test_metrics_that_train_get_their_settings() -> None:
    name, own = maximized("reduced_accuracy:epochs=3,lr=0.1", "digits", 7)
    assert name == "reduced_accuracy"
    assert own[name].full.settings.lr == 0.1
    name, own = maximized("accuracy_oneshot:epochs=3,sampling=sandwich", "digits", 7)
    assert own[name].settings.training.epochs == 3
    assert own[name].settings.training.seed == 7


def test_others_have_none() -> None:
    assert maximized("naswot", None, 0) == ("naswot", {})
    with pytest.raises(
        ValueError, match="'naswot:a=1': only reduced_accuracy and accuracy_oneshot have settings, naswot has"
    ):
        maximized("naswot:a=1", None, 0)


@pytest.mark.parametrize("name", trained_metrics())
def test_what_trains_needs_images(name: str) -> None:
    with pytest.raises(ValueError, match=f"metric '{name}' trains on images: --data digits"):
        maximized(name, None, 0)


@pytest.mark.parametrize("name", trained_metrics())
def test_candidates_train_as_the_metric_does(name: str) -> None:
    _, own = maximized(f"{name}:lr=0.2,batch_size=16", "digits", 3)
    found = training_of_candidates("digits", 9, 3, own)
    assert found is not None
    assert (found.settings.lr, found.settings.batch_size, found.settings.epochs) == (0.2, 16, 9)


def test_candidates_of_other_metrics_train_by_default() -> None:
    assert training_of_candidates("digits", 5, 1, {}) == Training(
        "digits", TrainingSettings(epochs=5, seed=1)
    )
    assert training_of_candidates(None, 0, 1, {}) is None
    with pytest.raises(ValueError, match="--train-epochs needs --data"):
        training_of_candidates(None, 5, 1, {})
