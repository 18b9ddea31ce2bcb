"""Spaces inside an Optuna study."""

import pytest

from hwnas.spaces import DARTS, MobileNetV2, NASBench201, space

from .toy import Toy

optuna = pytest.importorskip("optuna", reason="optuna is not installed")


def study(seed=0):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=seed))


@pytest.mark.parametrize(
    "searched",
    [NASBench201(), Toy(), MobileNetV2(resolution=64, classes=10), DARTS(), space("transnasbench101_micro")],
    ids=lambda one: one.name,
)
def test_every_trial_is_a_valid_architecture_or_pruned(searched):
    found = []

    def objective(trial):
        found.append(searched.suggest(trial))
        return 1.0

    done = study()
    done.optimize(objective, n_trials=40)
    states = [trial.state for trial in done.trials]
    assert states.count(optuna.trial.TrialState.COMPLETE) == len(found)
    assert states.count(optuna.trial.TrialState.PRUNED) == 40 - len(found)
    for architecture in found:
        searched.check(architecture)
        assert searched.from_encoding(architecture.encoding) == architecture


def test_the_parameters_are_the_decisions():
    cells = NASBench201()
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
    trial = optuna.trial.FixedTrial(dict(cells.parse(text)))
    assert str(cells.suggest(trial)) == text


def test_choices_that_optuna_cannot_store_are_text():
    searched = DARTS()
    plain = searched.plain_choices
    assert list(plain) == list(searched.decisions)
    assert any(
        one != text
        for choices, texts in zip(searched.choices, plain.values(), strict=True)
        for one, text in zip(choices, texts, strict=True)
    )
    for architecture in searched.sample(5, seed=0):
        fixed = {name: plain[name][i] for name, i in zip(plain, architecture.encoding, strict=True)}
        assert searched.suggest(optuna.trial.FixedTrial(fixed)) == architecture


def test_invalid_combinations_are_pruned():
    toy = Toy()
    trial = optuna.trial.FixedTrial({name: choices[-1] for name, choices in toy.plain_choices.items()})
    with pytest.raises(optuna.TrialPruned, match="not a valid architecture of space toy"):
        toy.suggest(trial)


def test_a_study_that_maximises_finds_the_best():
    cells = NASBench201()
    done = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))

    def objective(trial):
        return sum(choice == "nor_conv_3x3" for choice in cells.suggest(trial).values())

    done.optimize(objective, n_trials=80)
    assert done.best_value == 6
