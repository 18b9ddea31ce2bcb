"""GenNAS: how well a network learns to give synthetic signals, in a hundred steps."""

import math
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from hwnas.proxies.context import Context
from hwnas.proxies.registry import Proxy, get, proxy
from hwnas.proxies.result import Measurement
from hwnas.proxies.signals import SIDE, Dots, Target, Waves, draw_target
from hwnas.proxies.stages import feature_maps, too_few

STEPS = 100
IMAGES = 16
NOISE = 0.1
WEIGHTS = (0.25, 0.5, 1.0)
TARGETS = (
    Target(
        channels=64,
        own=True,
        waves=(
            Waves(
                1.1,
                (0.0143, 0.0169, 0.0149, 0.0204, 0.0229, 0.0172, 0.0156, 0.0192, 0.0155, 0.0146),
                plane=True,
            ),
        ),
    ),
    Target(
        channels=48,
        own=True,
        waves=(
            Waves(1.8, (0.2991, 0.306, 0.3038, 0.288, 0.2934, 0.2961, 0.3059, 0.2929, 0.3056, 0.2959)),
            Waves(
                2.9,
                (0.3798, 0.3818, 0.3583, 0.3276, 0.2649, 0.2808, 0.4205, 0.3414, 0.3036, 0.4203),
                plane=True,
            ),
        ),
        dots=Dots(1.1, 0.578125),
        image=2.4,
    ),
    Target(
        channels=16,
        own=False,
        waves=(
            Waves(1.5, (0.1539, 0.1057, 0.1066, 0.1576, 0.1337, 0.1051, 0.1319, 0.1318, 0.1028, 0.1094)),
            Waves(
                0.9,
                (0.1979, 0.2031, 0.1034, 0.2048, 0.1357, 0.2091, 0.2454, 0.0864, 0.1352, 0.1453),
                plane=True,
            ),
        ),
        dots=Dots(2.1, 0.4375),
        image=2.2,
    ),
)


@proxy(
    name="gennas",
    higher_is_better=False,
    needs=("data",),
    mode="train",
    summary="loss after 100 steps of regression on synthetic signals (costs them; needs stages)",
    source="Li et al. 2021, Generic Neural Architecture Search via Regression; task CONF_NB101",
)
def gennas(context: Context) -> Measurement:
    """Return the loss of the last evaluation after 100 steps of regression; lower is better.

    The first 16 images, with new uniform noise of +-0.1 at each step, are mapped to three targets (16,
    channels, 8, 8): the task that the authors searched for on NAS-Bench-101 and used on NAS-Bench-201 too. It
    is drawn from the seed, so that all networks get the same. Three stages are resized to 8x8 pixels
    (nearest), each read by batch normalisation and a 1x1 convolution. The loss is 0.25, 0.5 and 1 times the
    mean squared errors; SGD with rate 0.1, momentum 0.9, weight decay 4e-5 of what has two or more axes. The
    module starts with its own weights and trains in train mode; the evaluation is in eval mode.

    The three stages are the last ones of the last three resolutions, or, of a network with fewer
    resolutions, those after one third, two thirds and all of the stages. Signals have the published
    distribution but other random numbers. NaN, with a reason, where the loss diverges; the implementation
    returns 1000 and a random number. NaN too where there are fewer than three stages.

    Raises:
        ValueError: when neither `stages` nor `network` is given, or `inputs` are not two or more images (B,
            colours, height, width).
    """
    return _train(context, STEPS)


def gennas_with(*, steps: int) -> Proxy:
    """Return the proxy `gennas_<steps>`: gennas after that many steps.

    Raises:
        ValueError: when steps is below 1.
    """
    if steps < 1:
        raise ValueError(f"steps: {steps}; train for at least one step")
    return replace(get("gennas"), name=f"gennas_{steps}", function=lambda context: _train(context, steps))


class _Regression(nn.Module):
    """A network whose three chosen stages are read by heads; gives three maps (B, channels, 8, 8)."""

    def __init__(self, context: Context, images: Tensor, maps: list[Tensor]) -> None:
        super().__init__()
        self.context = context
        self.body = context.copy()
        for parameter in self.body.parameters():
            parameter.requires_grad_(True)
        self.chosen = choose_stages([one.shape[-1] for one in maps])
        widths = [maps[stage].shape[1] for stage in self.chosen]
        self.heads = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, target.channels, 1))
            for width, target in zip(widths, TARGETS, strict=True)
        ).to(images)

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = feature_maps(self.context, self.body, images)
        chosen = [F.interpolate(maps[stage], (SIDE, SIDE)) for stage in self.chosen]
        return [head(one) for head, one in zip(self.heads, chosen, strict=True)]


def choose_stages(sides: list[int]) -> list[int]:
    """Choose three stages by the sides of their maps, in pixels: see `gennas`."""
    last = [stage for stage, side in enumerate(sides) if stage + 1 == len(sides) or sides[stage + 1] != side]
    if len(last) >= 3:
        return last[-3:]
    return [len(sides) * third // 3 - 1 for third in (1, 2, 3)]


def _train(context: Context, steps: int) -> Measurement:
    images = context.batch()[:IMAGES]
    if images.ndim != 4 or len(images) < 2:
        raise ValueError(
            f"inputs: gennas needs two images or more (B, colours, height, width), not {images.shape}"
        )
    with torch.no_grad():
        maps = feature_maps(context, context.copy(), images.clone())
    if len(maps) < len(TARGETS):
        return too_few(len(maps), len(TARGETS))
    generator = Generator().manual_seed(context.seed)
    targets = [draw_target(target, images, generator) for target in TARGETS]
    regression = _Regression(context, images, maps)
    optimizer = _optimizer(regression)
    for step in range(steps):
        loss = _loss(regression, _noisy(images), targets)
        if not bool(loss.isfinite()):
            return Measurement(
                math.nan, f"the training diverged: the loss of step {step + 1} is {loss.item()}", 3
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    regression.eval()
    with torch.no_grad():
        value = float(_loss(regression, _noisy(images), targets))
    if math.isfinite(value):
        return Measurement(value, None, 3)
    return Measurement(math.nan, f"the training diverged: the loss after {steps} steps is {value}", 3)


def _optimizer(module: nn.Module) -> torch.optim.Optimizer:
    parameters = list(module.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 4e-5},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=0.1, momentum=0.9)


def _noisy(images: Tensor) -> Tensor:
    """The images with new noise, drawn in float32 on the CPU."""
    return images + NOISE * (2 * torch.rand(images.shape) - 1).to(images)


def _loss(regression: _Regression, images: Tensor, targets: list[Tensor]) -> Tensor:
    errors = [F.mse_loss(given, target) for given, target in zip(regression(images), targets, strict=True)]
    return torch.stack([weight * error for weight, error in zip(WEIGHTS, errors, strict=True)]).sum()
