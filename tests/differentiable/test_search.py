import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hwnas.cost import count
from hwnas.differentiable.guards import Guard
from hwnas.differentiable.methods import METHODS
from hwnas.differentiable.records import Epoch, load
from hwnas.differentiable.search import CHECKPOINT, DifferentiableRun, search
from hwnas.differentiable.stepper import SearchDiverged, Stepper
from hwnas.latency.predictors.lookup import LookupPredictor
from hwnas.latency.predictors.parts import MissingBlockError
from hwnas.network.to_torch import to_torch
from hwnas.objectives.penalties import PENALTIES
from hwnas.spaces import NASBench101, NASBench201, SearchSpace
from hwnas.training import DataSet
from tests.differentiable.spaces import SPACES

SPACE = NASBench201(channels=4, cells=1, resolution=8)


class KilledError(Exception):
    pass


def squares(side: int = 8, images: int = 64) -> DataSet:
    """Ten classes told apart by brightness."""
    labels = torch.arange(images) % 10
    noise = torch.randint(0, 20, (images, 3, side, side), generator=torch.Generator().manual_seed(0))
    pixels = (noise + 20 * labels.view(-1, 1, 1, 1)).to(torch.uint8)
    classes = tuple(map(str, range(10)))
    return DataSet("squares", pixels, labels, pixels, labels, classes, (0.4,) * 3, (0.2,) * 3)


def searched(folder: Path, space: SearchSpace = SPACE, **settings: Any) -> DifferentiableRun:
    chosen = {"data": squares(), "epochs": 2, "batch_size": 8, "method": "darts:rate=0.1", "guard": None}
    return search(space, folder=folder, **{**chosen, **settings})


def dying_after(calls: int, function: Callable[..., Any]) -> Callable[..., Any]:
    left = iter(range(calls))

    def dying(*arguments: Any) -> Any:
        if next(left, None) is None:
            raise KilledError
        return function(*arguments)

    return dying


def without_time(epochs: tuple[Epoch, ...]) -> list[Epoch]:
    return [replace(epoch, seconds=0.0, peak_memory_bytes=0) for epoch in epochs]


@pytest.fixture(params=[*METHODS, "darts:order=2"])
def method(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


def test_every_method_ends_with_an_architecture_and_its_weights(method: str, tmp_path: Path):
    batch = 4 if method == "proxylessnas" else 8
    run = searched(tmp_path, method=method, batch_size=batch, epochs=3)
    assert [epoch.number for epoch in run.record.epochs] == [1, 2, 3]
    assert SPACE.parse(run.record.architecture) == run.architecture
    to_torch(run.architecture.network).load_state_dict(run.weights)
    assert load(tmp_path) == run.record
    last = run.record.epochs[-1]
    assert last.validation_loss is not None and math.isfinite(last.validation_loss)
    assert last.derived_costs["flops"] == count(SPACE.parse(last.derived).network).whole.flops
    for group, shares in last.probabilities.items():
        assert sum(shares) == pytest.approx(1)
        assert shares != run.record.epochs[0].probabilities[group]


@pytest.mark.parametrize("name", SPACES)
def test_every_kind_of_space_is_searched(name: str, tmp_path: Path):
    space = SPACES[name]
    side = space.supernetwork().skeleton.inputs[0].shape[-1]
    run = searched(tmp_path, space, data=squares(side, 20), batch_size=2, epochs=1, method="gdas")
    space.check(run.architecture)


@pytest.mark.parametrize("chosen", ["darts:order=2,rate=0.1", "darts_minus:rate=0.1", "gdas:rate=0.1"])
def test_killed_and_resumed_equals_uninterrupted(chosen: str, tmp_path: Path):
    settings = {"method": chosen, "epochs": 3, "subject_to": ["flops <= 200k"]}
    whole = searched(tmp_path / "whole", **settings)

    def dies(epoch: Epoch) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        searched(tmp_path / "parts", progress=dies, **settings)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(Stepper, "weights_step", dying_after(2, Stepper.weights_step))
        searched(tmp_path / "parts", **settings)
    torch.manual_seed(99)
    parts = searched(tmp_path / "parts", **settings)
    assert without_time(parts.record.epochs) == without_time(whole.record.epochs)
    assert parts.architecture == whole.architecture
    assert all(torch.equal(parts.weights[name], whole.weights[name]) for name in whole.weights)


def test_a_finished_search_is_not_repeated(tmp_path: Path):
    first = searched(tmp_path)
    second = searched(tmp_path, progress=lambda epoch: pytest.fail("trained again"))
    assert second.record.epochs == first.record.epochs
    assert all(torch.equal(second.weights[name], first.weights[name]) for name in first.weights)


def test_torchs_random_state_is_left_alone(tmp_path: Path):
    before = torch.get_rng_state()
    searched(tmp_path, epochs=1)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"seed": 1}, "seed was 0, now 1"),
        ({"epochs": 3}, "epochs was 2, now 3"),
        ({"method": "darts:rate=0.2"}, r"rate was 0\.1, now 0\.2"),
        (
            {"space": NASBench201(channels=5, cells=1, resolution=8)},
            "space was .*channels=4.* now .*channels=5",
        ),
        ({"subject_to": ["flops <= 300k"]}, "targets was flops <= 200000, now flops <= 300000"),
        ({"penalty": "ratio"}, "penalty was Lagrangian"),
        ({"guard": Guard()}, "guard was None, now Guard"),
        ({"data": replace(squares(), train_labels=squares().train_labels.flip(0))}, "data was squares, 64 "),
    ],
)
def test_a_checkpoint_of_another_search_is_refused(changed: dict[str, Any], named: str, tmp_path: Path):
    settings: dict[str, Any] = {"subject_to": ["flops <= 200k"]}
    searched(tmp_path, **settings)
    with pytest.raises(ValueError, match=f"other settings .*{named}"):
        searched(tmp_path, **{**settings, **changed})


def test_a_damaged_or_missing_checkpoint_is_said(tmp_path: Path):
    searched(tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"checkpoint\.npz is damaged"):
        searched(tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match=r"checkpoint\.npz is missing"):
        searched(tmp_path)


@pytest.mark.parametrize("target", [150_000, 250_000, 350_000])
def test_the_lagrangian_ends_at_the_target(target: int, tmp_path: Path):
    run = searched(tmp_path, subject_to=[f"flops <= {target}"], epochs=10, method="darts:rate=0.1")
    assert 0.9 * target <= count(run.architecture.network).whole.flops <= target
    assert run.record.epochs[-1].expected["flops"] == pytest.approx(target, rel=0.1)
    assert run.record.epochs[-1].multipliers["flops"] != 0


@pytest.mark.parametrize("penalty", PENALTIES)
def test_every_penalty_lowers_what_is_expected(penalty: str, tmp_path: Path):
    strong = {"ratio": "ratio:weight=10", "hinge": "hinge:weight=10"}.get(penalty, penalty)
    run = searched(tmp_path, subject_to=["flops <= 75k"], epochs=3, penalty=strong)
    first, last = (run.record.epochs[place].expected["flops"] for place in (0, -1))
    assert last < 0.99 * first


def test_a_greater_weight_of_the_ratio_costs_less(tmp_path: Path):
    found = [
        searched(
            tmp_path / f"{weight}",
            subject_to=["flops <= 200k"],
            epochs=4,
            method="darts:rate=0.1",
            penalty=f"ratio:weight={weight}",
        )
        for weight in (0, 0.3, 3)
    ]
    expected = [run.record.epochs[-1].expected["flops"] for run in found]
    assert sorted(expected, reverse=True) == expected
    assert expected[0] > 1.1 * expected[-1]


def test_latency_by_a_table_is_searched_and_a_table_that_lacks_blocks_is_refused(tmp_path: Path):
    space = SPACES["fbnet"]
    supernetwork = space.supernetwork()
    candidates = [one.network for mixture in supernetwork.mixtures.values() for one in mixture]
    whole = [network for network in candidates if network and network.items] + list(supernetwork.fixed)
    blocks = {
        part.key: part
        for network in whole
        for part in ([network] if network.is_innermost else [inner for _, inner in network.blocks()])
    }
    rng = np.random.default_rng(0)
    times = {key: float(rng.uniform(0.5, 1.5)) for key in blocks}
    settings: dict[str, Any] = {"data": squares(32, 20), "batch_size": 2, "epochs": 1, "method": "gdas"}
    run = searched(
        tmp_path / "a", space, subject_to=["latency_ms <= 25"], predictor=LookupPredictor(times), **settings
    )
    predicted = LookupPredictor(times).predict([run.architecture.network])[0]
    assert 0.9 * 25 <= predicted <= 25
    times.pop(next(iter(blocks)))
    with pytest.raises(MissingBlockError, match="the table lacks 1 of"):
        searched(
            tmp_path / "b",
            space,
            subject_to=["latency_ms <= 25"],
            predictor=LookupPredictor(times),
            **settings,
        )


def test_a_guard_ends_a_search(tmp_path: Path):
    run = searched(tmp_path, guard=Guard(stable_epochs=2), epochs=20, subject_to=["flops <= 80k"])
    assert run.record.stopped.startswith(f"epoch {len(run.record.epochs)}: ")
    assert len(run.record.epochs) < 20


def test_a_guard_bounds_the_skips_of_a_collapsed_answer(tmp_path: Path):
    settings: dict[str, Any] = {"method": "darts:rate=1", "subject_to": ["flops <= 72k"], "seed": 1}
    run = searched(tmp_path / "0", guard=Guard(most_skips=0), epochs=2, **settings)
    assert run.record.epochs[-1].skips > 0
    assert "skip_connect" not in str(run.architecture)
    assert run.record.architecture == str(run.architecture)
    healthy = searched(tmp_path / "6", guard=Guard(most_skips=6), epochs=2, **settings)
    assert str(healthy.architecture) == healthy.record.epochs[-1].derived != run.record.architecture


def test_a_guard_bars_zeros_where_no_cost_has_a_target(tmp_path: Path):
    settings: dict[str, Any] = {"method": "darts:rate=1", "epochs": 1, "seed": 3}
    free = searched(tmp_path / "free", **settings)
    guarded = searched(tmp_path / "guarded", guard=Guard(), **settings)
    assert str(free.architecture).count("none") == 2
    assert "none" not in str(guarded.architecture)
    settings |= {"subject_to": ["flops <= 200k"], "penalty": "ratio:weight=0"}
    assert searched(tmp_path / "bounded", guard=Guard(), **settings).architecture == free.architecture


def test_a_search_without_a_guard_goes_on(tmp_path: Path):
    run = searched(tmp_path, guard=None, epochs=6, subject_to=["flops <= 80k"])
    assert max(epoch.skips for epoch in run.record.epochs) > 0
    assert (len(run.record.epochs), run.record.stopped) == (6, "")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"subject_to": ["flops <= 1k"]},
            r"below the smallest architecture .* flops go from 71488 to 403264",
        ),
        ({"subject_to": ["params <= 1M"]}, r"above the largest architecture .* params go from 4894 to 23374"),
        ({"subject_to": ["latency_ms <= 1"]}, "needs a predictor that sums the blocks"),
        ({"subject_to": ["accuracy <= 1"]}, "unknown metric 'accuracy'"),
        ({"subject_to": ["peak_sram_bytes <= 10kB"]}, "needs a chain of blocks"),
        ({"penalty": "ratio:weight=-1"}, "weight must be at least 0"),
        ({"penalty": "lagrange"}, "unknown penalty"),
        ({"method": "dart"}, "did you mean darts"),
        ({"method": "darts:order=3"}, "order must be 1 or 2"),
        ({"method": "gdas:rate=0"}, "rate must be a finite number above 0"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch_size": 40}, "batch_size must be at most"),
        ({"precision": "bf16"}, "needs a CUDA device"),
        (
            {"data": squares(16)},
            "takes images 3×8×8 and has 10 classes; squares has images 3×16×16 and 10 classes",
        ),
        ({"space": NASBench101()}, "has no supernetwork: "),
        (
            {"space": SPACES["proxylessnas"], "data": squares(32), "method": "darts_minus"},
            "can be no skip, which darts_minus needs",
        ),
    ],
)
def test_what_cannot_be_searched_is_said(settings: dict[str, Any], message: str, tmp_path: Path):
    with pytest.raises(ValueError, match=message):
        searched(tmp_path, **settings)


def test_a_loss_that_is_no_number_ends_the_search_with_step_and_cause(tmp_path: Path):
    with pytest.raises(
        SearchDiverged, match=r"in step \d+ of 12: the \w+ loss is nan; try a lower weight_rate"
    ):
        searched(tmp_path, method="darts:weight_rate=1e30", epochs=4)


def test_weights_that_the_last_gradient_would_spoil_are_no_result(tmp_path: Path, monkeypatch):
    clip, calls = torch.nn.utils.clip_grad_norm_, iter(range(6))

    def spoilt(weights: Any, most: float) -> torch.Tensor:
        if next(calls) == 5:
            weights[0].grad[...] = math.nan
        return clip(weights, most)

    monkeypatch.setattr("torch.nn.utils.clip_grad_norm_", spoilt)
    with pytest.raises(SearchDiverged, match="in step 6 of 6: the gradient of the training loss is nan"):
        searched(tmp_path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_in_half_precision(tmp_path: Path):
    run = searched(tmp_path, device="cuda", precision="bf16", subject_to=["flops <= 200k"])
    assert run.record.epochs[-1].peak_memory_bytes > 0
    assert all(value.device.type == "cpu" for value in run.weights.values())
