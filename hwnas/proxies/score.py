"""Scoring any torch module with any of the proxies, without a trace on the module."""

import time
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from hwnas.network.network import Network
from hwnas.proxies import check
from hwnas.proxies.context import Context, Loss, Need, SelectOutput, Stages
from hwnas.proxies.isolation import isolated
from hwnas.proxies.registry import Proxy
from hwnas.proxies.result import Measurement, ProxyResult


def score(
    module: nn.Module,
    inputs: Tensor | None = None,
    targets: Tensor | None = None,
    proxies: Iterable[str | Proxy] = ("synflow", "naswot"),
    *,
    network: Network | None = None,
    stages: Stages | None = None,
    loss: Loss = nn.functional.cross_entropy,
    select_output: SelectOutput | None = None,
    input_shape: Sequence[int] | None = None,
    seed: int = 0,
) -> dict[str, ProxyResult]:
    """Score a module with zero-cost proxies.

    The module, the inputs and the global random states come back as they were: proxies run on copies of the
    module, in their own random numbers. A proxy's value is the same whatever other proxies are asked for.
    Values depend on dtype, batch, mode and initialisation: compare like with like.

    Args:
        module: any module with float32 or float64 parameters. Its forward hooks run, as they may be part of
            what it computes.
        inputs: a batch of images (B, ...) of the module's dtype and on its device. Proxies that need only a
            shape do without.
        targets: one integer label for each image, (B,), or whatever `loss` compares with.
        proxies: names, see `hwnas.proxies.names()`, or `Proxy` objects.
        network: the `Network` that the module was made from, or `hwnas.as_network(module, inputs)`. Some
            proxies need it (`live_params`), others take an exact short cut with it (`epsilon`).
        stages: maps (module, inputs) to the feature maps (B, channels, height, width) after each stage, in
            order, for the proxies that look at them; by default the blocks of `network`.
        loss: maps (outputs, targets) to a scalar.
        select_output: picks the outputs (B, ...) from what the module returns, such as `lambda o: o[0]`.
        input_shape: the shape of one image, such as (3, 32, 32); by default that of the inputs.
        seed: of the random numbers that the module draws, such as dropout.

    Returns:
        One result for each name, in the order given. A value that is undefined is NaN or infinite and says
        why in `reason`.

    Raises:
        ValueError: naming the argument and what would be right: an unknown proxy, a missing argument that a
            proxy needs, a wrong shape, dtype, device or label, outputs that are no tensor, a module without
            parameters, with half-precision ones, or that cannot be copied.
        MemoryError: the batch does not fit; it is never split, which would change the scores.
    """
    requested = check.proxies(proxies)
    check.module(module)
    check.seed(seed)
    check.network(network)
    if inputs is not None:
        check.inputs(inputs, module)
        check.targets(targets, inputs)
    shape = check.image_shape(inputs, input_shape)
    for proxy in requested:
        check.needs(proxy, module, inputs, targets, shape, network)
    own = _mode_of(module)
    mode_of = {
        proxy.name: own if (proxy.mode, own) == ("as-is", "train") else proxy.mode for proxy in requested
    }
    needs = {mode: frozenset[Need]() for mode in mode_of.values()}
    for proxy in requested:
        needs[mode_of[proxy.name]] |= proxy.needs
    contexts = {
        mode: Context(
            module, mode, inputs, targets, shape, loss, select_output, seed, needs[mode], network, stages
        )
        for mode in needs
    }
    return {proxy.name: _result(proxy, contexts[mode_of[proxy.name]]) for proxy in requested}


def _result(proxy: Proxy, context: Context) -> ProxyResult:
    started = time.perf_counter()
    with isolated(context.seed, context.device):
        measured = _measured(proxy, context)
    return ProxyResult(
        proxy=proxy.name,
        value=measured.value,
        higher_is_better=proxy.higher_is_better,
        mode=_mode_of(context.module) if proxy.mode == "as-is" else proxy.mode,
        dtype=measured.dtype or check.dtype_name(context.dtype),
        seconds=time.perf_counter() - started,
        reason=measured.reason,
        layers_used=measured.layers_used,
        layers_skipped=measured.layers_skipped,
        note=measured.note,
    )


def _measured(proxy: Proxy, context: Context) -> Measurement:
    try:
        return proxy.function(context)
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            images = 0 if context.inputs is None else len(context.inputs)
            raise MemoryError(
                f"inputs: {proxy.name} of {images} images does not fit into memory; pass fewer images, for "
                "all networks alike: a batch in parts would give another score"
            ) from error
        raise


def _mode_of(module: nn.Module) -> str:
    modes = {part.training for part in module.modules()}
    if len(modes) == 2:
        return "mixed"
    return "train" if modes.pop() else "eval"
