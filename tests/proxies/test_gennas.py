import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from hwnas.proxies import get, score
from hwnas.proxies.measures.gennas import TARGETS, choose_stages, gennas_with
from hwnas.proxies.signals import Dots, Target, Waves, draw_target

from .networks import batch
from .staged import Staged, maps


def gennas(module: nn.Module, steps: int, **options: object) -> float:
    inputs, _ = batch()
    proxy = gennas_with(steps=steps)
    return score(module, inputs, proxies=[proxy], stages=maps, **options)[proxy.name].value  # type: ignore[arg-type]


def test_it_learns() -> None:
    losses = [gennas(Staged(), steps) for steps in (1, 30)]
    assert losses[1] < losses[0]


def test_the_first_loss_after_one_step_by_hand() -> None:
    inputs, _ = batch()
    module = Staged()
    result = score(module, inputs, proxies=[gennas_with(steps=1)], stages=maps)["gennas_1"]
    generator = torch.Generator().manual_seed(0)
    targets = [draw_target(target, inputs, generator) for target in TARGETS]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        heads = [
            nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, target.channels, 1)).double()
            for width, target in zip((8, 12, 16), TARGETS, strict=True)
        ]
        noise = [0.1 * (2 * torch.rand(inputs.shape).double() - 1) for _ in range(2)]
    body = Staged()
    parameters = [*body.parameters(), *(p for head in heads for p in head.parameters())]

    def loss(images: torch.Tensor) -> torch.Tensor:
        chosen = [nn.functional.interpolate(one, (8, 8)) for one in body.maps(images)[1:]]
        errors = [((h(c) - t) ** 2).mean() for h, c, t in zip(heads, chosen, targets, strict=True)]
        return 0.25 * errors[0] + 0.5 * errors[1] + errors[2]

    loss(inputs + noise[0]).backward()
    with torch.no_grad():
        for p in parameters:
            if p.grad is not None:
                p -= 0.1 * (p.grad + (4e-5 * p if p.ndim > 1 else 0))
        for part in (body, *heads):
            part.eval()
        assert result.value == pytest.approx(float(loss(inputs + noise[1])), rel=1e-9)
    assert (result.higher_is_better, result.layers_used) == (False, 3)


def test_all_networks_of_one_seed_get_one_task_and_frozen_weights_train() -> None:
    frozen = Staged()
    frozen.requires_grad_(False)
    assert gennas(frozen, 3) == gennas(Staged(), 3) != gennas(Staged(), 3, seed=1)


def test_more_than_16_images_are_left_out() -> None:
    proxy = gennas_with(steps=2)
    inputs, _ = batch(20)
    values = [
        score(Staged(), x, proxies=[proxy], stages=maps)["gennas_2"].value for x in (inputs, inputs[:16])
    ]
    assert values[0] == values[1]


def test_a_training_that_diverges_is_said() -> None:
    module = Staged()
    with torch.no_grad():
        module.deeper.weight.mul_(1e200)
        module.down.weight.mul_(1e200)
    inputs, _ = batch()
    result = score(module, inputs, proxies=[gennas_with(steps=5)], stages=maps)["gennas_5"]
    assert math.isnan(result.value)
    assert "the training diverged: the loss" in str(result.reason)


@pytest.mark.parametrize(
    ("sides", "chosen"),
    [
        ([32, 32, 16, 16, 8, 8], [1, 3, 5]),
        ([64, 32, 16, 8], [1, 2, 3]),
        ([8, 8, 8], [0, 1, 2]),
        ([8, 8, 8, 4, 4, 4], [1, 3, 5]),
        ([16, 8, 8, 8, 8], [0, 2, 4]),
    ],
)
def test_which_stages_are_read(sides: list[int], chosen: list[int]) -> None:
    assert choose_stages(sides) == chosen


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="steps: 0; train for at least one step"):
        gennas_with(steps=0)
    inputs, _ = batch(1)
    with pytest.raises(ValueError, match="inputs: gennas needs two images or more"):
        score(Staged(), inputs, proxies=["gennas"], stages=maps)
    assert get("gennas_2".removesuffix("_2")).needs == {"data"}


def draw(target: Target) -> torch.Tensor:
    inputs, _ = batch(4)
    return draw_target(target, inputs, torch.Generator().manual_seed(0))


def test_a_wave_over_one_axis() -> None:
    waves = draw(Target(32, own=True, waves=(Waves(2.0, (0.125,)),)))
    assert waves.shape == (4, 32, 8, 8)
    flat = torch.minimum(waves.diff(dim=2).abs().amax((2, 3)), waves.diff(dim=3).abs().amax((2, 3)))
    assert float(flat.max()) == 0  # constant along one of the axes
    assert waves.square().mean((2, 3)) == pytest.approx(torch.full((4, 32), 2.0), rel=1e-5)  # one whole wave


def test_a_plane_wave_rises_to_both_sides() -> None:
    waves = draw(Target(64, own=True, waves=(Waves(1.0, (0.1,), plane=True),)))
    rising = (waves[:, :, 1:, :-1] - waves[:, :, :-1, 1:]).abs().amax((2, 3)) < 1e-5
    falling = (waves[:, :, 1:, 1:] - waves[:, :, :-1, :-1]).abs().amax((2, 3)) < 1e-5
    assert bool((rising ^ falling).all()) and bool(rising.any()) and bool(falling.any())


@pytest.mark.parametrize("own", [True, False])
def test_dots_are_scaled_and_each_image_may_have_its_own(own: bool) -> None:
    dots = draw(Target(5, own=own, dots=Dots(3.0, 0.25)))
    assert dots.abs().amax((2, 3)) == pytest.approx(torch.full((4, 5), 3.0), rel=1e-6)
    assert bool((dots[0] == dots[1]).all()) != own


def test_colours_are_those_of_the_images_from_minus_1_to_1() -> None:
    inputs, _ = batch(4)
    colours = draw(replace(TARGETS[2], channels=64, waves=(), dots=None, image=1.0))
    small = (inputs - inputs.min()) / (inputs.max() - inputs.min()) * 2 - 1
    assert float(colours.min()) == pytest.approx(-1) and float(colours.max()) == pytest.approx(1)
    nearest = (colours[:, :, None] - small[:, None]).abs().amax((0, 3, 4)).min(1).values
    assert float(nearest.max()) < 1e-6
