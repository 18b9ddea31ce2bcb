"""Options of searches by gradients, read and refused."""

import pytest
from typer.testing import CliRunner

from hwnas.cli.differentiable_settings import SearchOptions, parts_of, targets_of
from hwnas.cli.main import app
from hwnas.differentiable.guards import Guard
from hwnas.differentiable.methods import DARTS, GDAS, METHODS
from hwnas.objectives import Constraint
from hwnas.search import STRATEGIES


def test_settings_go_to_the_method_and_to_its_search() -> None:
    settings = {"order": 2, "rate": 0.01, "epochs": 20, "most_skips": 2}
    expected = (DARTS(order=2, rate=0.01), SearchOptions(epochs=20), Guard(most_skips=2))
    assert parts_of("darts", settings) == expected
    assert parts_of("gdas", {"guard": False}) == (GDAS(), SearchOptions(guard=False), None)


def test_no_method_is_called_as_another_strategy() -> None:
    assert not METHODS.keys() & STRATEGIES.keys()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"population": 3}, "strategy darts: population is no setting of it; it has rate"),
        ({"order": 3}, "strategy darts: order must be 1 or 2, not 3"),
        ({"order": "two"}, "strategy darts: order must be a whole number, not 'two'"),
        ({"rate": -1}, "strategy darts: rate must be a finite number above 0"),
        ({"epochs": 2.5}, "strategy darts: epochs must be a whole number"),
        ({"device": "tpu"}, "strategy darts: device must be cpu or cuda, not 'tpu'"),
        ({"stable_epochs": 1}, "strategy darts: stable_epochs must be at least 2, not 1"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parts_of("darts", settings)


def test_targets_have_units_and_one_form() -> None:
    found, form = targets_of(["flops:ratio,weight=0.3", "latency_ms"], ["50M", "5000us"], ["params <= 1M"])
    assert found == [Constraint("flops", 5e7), Constraint("latency_ms", 5.0), Constraint("params", 1e6)]
    assert form == "ratio:weight=0.3"
    assert targets_of(["peak_sram_bytes"], ["2kB"], []) == (
        [Constraint("peak_sram_bytes", 2048)],
        "lagrangian",
    )
    assert targets_of([], [], []) == ([], "lagrangian")
    assert targets_of(["flops:hinge"], ["1M"], [])[1] == "hinge"


@pytest.mark.parametrize(
    ("penalties", "targets", "says"),
    [
        (["flops"], [], "--penalty is given 1 times and --target 0 times"),
        (["speed"], ["1M"], "--penalty speed: no cost of differentiable searches; there are flops"),
        (["flops"], ["50ms"], "--target 50ms: unit 'ms'"),
        (["flops"], ["-5"], "--target -5: the bound of flops must be above 0"),
        (["flops:ratio,weight=-1"], ["1M"], "--penalty ratio,weight=-1: weight must be at least 0"),
        (["flops:rato"], ["1M"], "--penalty rato: unknown penalty 'rato'; did you mean ratio"),
        (["flops", "flops"], ["1M", "2M"], "flops has 2 targets"),
        (["flops:ratio", "params:hinge"], ["1M", "2M"], "one form, not ratio and hinge"),
    ],
)
def test_wrong_targets_are_named(penalties: list[str], targets: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        targets_of(penalties, targets, [])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ("--strategy", "dart"),
            r"unknown strategy 'dart'; did you mean darts\? known: evolution.*darts, darts_minus",
        ),
        (("--strategy", "darts"), "--data is missing: darts trains on images"),
        (("--strategy", "darts", "--budget", "9"), "--budget has no effect with --strategy darts"),
        (("--strategy", "gdas", "--oracle", "a=b"), "--oracle has no effect with --strategy gdas"),
        (("--strategy", "gdas", "--trial-seconds", "1"), "--trial-seconds has no effect"),
        (
            ("--strategy", "gdas", "--data", "digits", "--train-epochs", "-1"),
            "--train-epochs must be at least 0, not -1",
        ),
        (("--strategy", "random", "--penalty", "flops"), "--penalty has no effect with --strategy random"),
        (("--strategy", "random", "--target", "5M"), "--target has no effect with --strategy random"),
        (
            ("--strategy", "gdas", "--data", "digits", "--penalty", "latency_ms", "--target", "1ms"),
            "latency_ms needs a look-up: --predictor",
        ),
        (
            ("--strategy", "gdas", "--data", "digits", "--penalty", "flops", "--target", "1"),
            "target flops <= 1 is below the smallest architecture .* from 284992 to",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(options: tuple[str, ...], says: str, tmp_path) -> None:
    space = "nasbench201:channels=4,cells=1,resolution=16"
    found = CliRunner().invoke(app, ["search", "--space", space, "--run", str(tmp_path / "run"), *options])
    assert isinstance(found.exception, ValueError)
    with pytest.raises(ValueError, match=says):
        raise found.exception
