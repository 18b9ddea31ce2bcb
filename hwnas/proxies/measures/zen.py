"""Zen-Score: how much the feature map of a Gaussian network moves with its input."""

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hwnas.proxies.context import Context
from hwnas.proxies.gaussian_weights import normal_like, standard_normal
from hwnas.proxies.isolation import isolated
from hwnas.proxies.last_map import LastMap
from hwnas.proxies.layers import uncovered_modules
from hwnas.proxies.registry import Proxy, get, proxy
from hwnas.proxies.result import Measurement

IMAGES = 16
STEP = 0.01
_OTHER_NORMALISATIONS = (nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, nn.modules.instancenorm._InstanceNorm)


@proxy(
    name="zen",
    higher_is_better=True,
    needs=("shape",),
    mode="train",
    summary="log of how far the last map of a Gaussian network moves with its input, plus BN's scales",
    source="Lin et al. 2021, Zen-NAS, algorithm 1; as its implementation (L1 distance, moving variances)",
)
def zen(context: Context) -> Measurement:
    """Return log( mean_n sum |f(x + 0.01 e) - f(x)| ) + sum over batch normalisations of log sqrt(mean r).

    Weights of convolutions and linear layers, x and e (16, ...) are drawn from N(0, 1), in this order and in
    float32; biases are 0, batch normalisation has gain 1. f (16, channels, height, width) is the map before
    the last global pooling, or the last map of a network without one; it is found by watching the pass.
    r (channels,) is the moving variance that the implementation reads, started at 1 and moved by 0.1 in each
    of the two passes: 0.81 + 0.09 v(x) + 0.1 v(x + 0.01 e) for a layer called once, v the unbiased variance
    of its input. A layer's own momentum and `track_running_stats=False` do not matter.

    The implementation never resets r, so its score grows with the number of repeats; here each repeat starts
    anew, and one repeat (this proxy) equals one of the implementation. `zen_with` averages over several.

    Only batch normalisations before f count; other normalisations, batch normalisation called as a function
    and weights that are not drawn are named in `layers_skipped`. Both passes draw the same dropout. Residual
    links stay. -inf where f does not depend on the input; NaN where it is not finite or there is no f.

    Raises:
        ValueError: when the module is TorchScript, or on the meta device.
    """
    return _mean_of(context, 1)


def zen_with(*, repeats: int) -> Proxy:
    """Return the proxy `zen_<repeats>`: the mean of zen over that many draws.

    Raises:
        ValueError: when repeats is below 1.
    """
    if repeats < 1:
        raise ValueError(f"repeats: {repeats}; draw the network at least once")
    return replace(get("zen"), name=f"zen_{repeats}", function=lambda context: _mean_of(context, repeats))


def _mean_of(context: Context, repeats: int) -> Measurement:
    module = context.copy()
    _require_weights_to_draw(module)
    drawn = [_draw(context, module, context.seed + number) for number in range(repeats)]
    undefined = next((one for one in drawn if one.reason is not None), None)
    if undefined is not None:
        return undefined
    return replace(drawn[0], value=sum(one.value for one in drawn) / repeats)


def _require_weights_to_draw(module: nn.Module) -> None:
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise ValueError("module: zen cannot look into TorchScript; pass the module it was made from")
    if next(module.parameters()).is_meta:
        raise ValueError("module: it is on the meta device, without values; zen needs a real one")


def _draw(context: Context, module: nn.Module, seed: int) -> Measurement:
    norms = {name: part for name, part in module.named_modules() if isinstance(part, _BatchNorm)}
    standard_normal(module)
    for norm in norms.values():
        _start_statistics(norm)
    images = normal_like(context.one_image(0.0).expand(IMAGES, *([-1] * len(context.image_shape or ()))))
    moved = images + STEP * normal_like(images)
    maps = []
    for batch in (images, moved):
        with isolated(seed, context.device), torch.no_grad():
            found, called = _last_map(context, module, batch, norms)
        maps.append(found)
    return _score(maps, [norms[name] for name in called if name in norms], _skipped(module, called))


def _start_statistics(norm: _BatchNorm) -> None:
    """Let a batch normalisation keep moving statistics from now on: mean 0, variance 1, momentum 0.1."""
    weight = next(norm.parameters(), None)
    norm.track_running_stats, norm.momentum = True, 0.1
    norm.running_mean = torch.zeros(norm.num_features).to(norm.running_mean if weight is None else weight)
    norm.running_var = torch.ones_like(norm.running_mean)
    norm.num_batches_tracked = torch.zeros((), dtype=torch.long, device=norm.running_mean.device)


def _last_map(
    context: Context, module: nn.Module, images: Tensor, norms: Mapping[str, nn.Module]
) -> tuple[Tensor | None, tuple[str, ...]]:
    """The map that f gives, and the names of the batch normalisations before it."""
    watch = LastMap(images, norms)
    with watch:
        context.outputs(module, images)
    return watch.map, watch.normalised


def _skipped(module: nn.Module, called: tuple[str, ...]) -> tuple[str, ...]:
    others = [name for name, part in module.named_modules() if isinstance(part, _OTHER_NORMALISATIONS)]
    functions = [name for name in called if name == "batch_norm"]
    return (*functions, *others, *uncovered_modules(module))


def _score(maps: list[Tensor | None], norms: list[_BatchNorm], skipped: tuple[str, ...]) -> Measurement:
    first, second = maps
    if first is None or second is None:
        return Measurement(math.nan, "no feature map (B, channels, height, width) was seen")
    distance = float((second - first).abs().double().sum((1, 2, 3)).mean())
    scales = [float(norm.running_var.double().mean()) for norm in norms if norm.running_var is not None]
    used = len(norms)
    if distance == 0:
        return Measurement(-math.inf, "the last feature map does not depend on the input", used, skipped)
    if not all(map(math.isfinite, (distance, *scales))):
        return Measurement(math.nan, "the feature maps are not finite", used, skipped)
    value = math.log(distance) + sum(0.5 * math.log(scale) for scale in scales)
    return Measurement(value, None, used, skipped)
