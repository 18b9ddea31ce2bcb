"""What `score` asks of its arguments: ValueErrors that name the argument and say what would be right."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from hwnas.network.network import Network
from hwnas.proxies import registry


def proxies(wanted: Iterable[str | registry.Proxy]) -> list[registry.Proxy]:
    """Return the proxies of those names, each once, in the order given."""
    if isinstance(wanted, str):
        raise ValueError(f"proxies: pass a sequence of names, such as ({wanted!r},), not a string")
    if not isinstance(wanted, Iterable):
        raise ValueError(f"proxies: a {type(wanted).__name__}; pass a sequence of names")
    wanted = list(wanted)
    if wrong := [one for one in wanted if not isinstance(one, (str, registry.Proxy))]:
        raise ValueError(f"proxies: {wrong[0]!r} is neither a name nor a Proxy")
    found = [one if isinstance(one, registry.Proxy) else registry.get(one) for one in dict.fromkeys(wanted)]
    if not found:
        raise ValueError(f"proxies: empty; choose from {', '.join(registry.names())}")
    names = [one.name for one in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"proxies: two different ones are called {', '.join(sorted(twice))}; rename one")
    return found


def module(module: nn.Module) -> None:
    """Require parameters, all of them float32 or all of them float64."""
    if not isinstance(module, nn.Module):
        raise ValueError(f"module: a {type(module).__name__}; pass a torch.nn.Module")
    parameters = list(module.parameters())
    if not parameters:
        raise ValueError("module: it has no parameters; there is nothing to score")
    if any(isinstance(p, nn.parameter.UninitializedParameter) for p in parameters):
        raise ValueError("module: it has lazy parameters without a shape; run it on one batch first")
    dtypes = {p.dtype for p in parameters}
    if len(dtypes) > 1 or not dtypes <= {torch.float32, torch.float64}:
        found = ", ".join(sorted(map(dtype_name, dtypes)))
        raise ValueError(
            f"module: its parameters are {found}; use float32 or float64 for all: module.float()"
        )


def inputs(inputs: Tensor, module: nn.Module) -> None:
    """Require a batch of finite images (B, ...) of the module's dtype, on its device."""
    if not isinstance(inputs, Tensor):
        raise ValueError(f"inputs: a {type(inputs).__name__}; pass a tensor (B, ...)")
    if inputs.ndim < 2 or inputs.numel() == 0:
        raise ValueError(f"inputs: the shape is {tuple(inputs.shape)}; pass one or more images (B, ...)")
    first = next(module.parameters())
    takes_tokens = any(isinstance(part, nn.Embedding) for part in module.modules())
    if inputs.dtype == torch.int64 and not takes_tokens:
        raise ValueError("inputs: the dtype is int64, and the module has no nn.Embedding; pass floats")
    if inputs.dtype not in (torch.int64, first.dtype):
        found, right = dtype_name(inputs.dtype), dtype_name(first.dtype)
        raise ValueError(f"inputs: the dtype is {found}, the module's {right}; pass images of {right}")
    if inputs.device != first.device:
        raise ValueError(
            f"inputs: they are on {inputs.device}, the module is on {first.device}; "
            f"use inputs.to({str(first.device)!r})"
        )
    if inputs.device.type != "meta" and not bool(inputs.isfinite().all()):
        raise ValueError("inputs: they hold NaN or infinite values; pass finite images")


def targets(targets: Tensor | None, inputs: Tensor) -> None:
    """Require one entry for each image, on the inputs' device, if there are targets at all."""
    if targets is None:
        return
    if not isinstance(targets, Tensor) or targets.ndim == 0 or len(targets) != len(inputs):
        found = f"shape {tuple(targets.shape)}" if isinstance(targets, Tensor) else type(targets).__name__
        raise ValueError(f"targets: {found}; pass a tensor with one entry for each of {len(inputs)} images")
    if targets.device != inputs.device:
        raise ValueError(
            f"targets: they are on {targets.device}, the inputs on {inputs.device}; use one device"
        )


def seed(seed: int) -> None:
    """Require a whole number that torch's generators take."""
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"seed: {seed!r}; pass a whole number from 0 to 2**63 - 1")


def network(network: Network | None) -> None:
    """Require a `Network`, if there is one at all."""
    if network is not None and not isinstance(network, Network):
        raise ValueError(f"network: a {type(network).__name__}; pass a Network, see hwnas.as_network")


def image_shape(inputs: Tensor | None, input_shape: Sequence[int] | None) -> tuple[int, ...] | None:
    """Return the shape of one image, from whichever argument gives it; None when neither does."""
    if input_shape is not None and not isinstance(input_shape, Sequence):
        raise ValueError(f"input_shape: {input_shape!r}; pass a shape without batch, as in (3, 32, 32)")
    given = None if input_shape is None else tuple(input_shape)
    if given is not None and (not given or any(not isinstance(n, int) or n < 1 for n in given)):
        raise ValueError(
            f"input_shape: {given}; pass the shape of one image, without batch, as in (3, 32, 32)"
        )
    if inputs is None:
        return given
    found = tuple(inputs.shape[1:])
    if given not in (None, found):
        raise ValueError(f"input_shape: {given}, but the inputs hold images of shape {found}; leave it out")
    return found


def needs(
    proxy: registry.Proxy,
    module: nn.Module,
    inputs: Tensor | None,
    targets: Tensor | None,
    shape: tuple[int, ...] | None,
    network: Network | None,
) -> None:
    """Require the arguments that the proxy needs."""
    if "network" in proxy.needs and network is None:
        raise ValueError(
            f"network: {proxy.name} needs the module's Network; "
            "pass the one it was made from, or network=hwnas.as_network(module, inputs)"
        )
    if "data" in proxy.needs and inputs is None:
        raise ValueError(f"inputs: {proxy.name} needs a batch of images (B, ...)")
    if "labels" in proxy.needs and targets is None:
        raise ValueError(f"targets: {proxy.name} needs one label for each image, (B,)")
    if "shape" in proxy.needs and shape is None:
        raise ValueError(f"input_shape: {proxy.name} needs the shape of one image, such as (3, 32, 32)")
    if proxy.needs & {"gradients", "jacobian"} and any(
        isinstance(part, torch.jit.ScriptModule) for part in module.modules()
    ):
        raise ValueError(
            f"module: {proxy.name} cannot look into TorchScript; pass the module it was made from"
        )
    if "jacobian" in proxy.needs and inputs is not None and not inputs.is_floating_point():
        raise ValueError(f"inputs: {proxy.name} differentiates by them, which integers (tokens) do not allow")
    on_meta = next(module.parameters()).device.type == "meta"
    if on_meta and proxy.needs & {"data", "gradients"}:
        raise ValueError(f"module: it is on the meta device, without values; {proxy.name} needs a real one")


def dtype_name(dtype: torch.dtype) -> str:
    """Return the name without its module, such as "float32"."""
    return str(dtype).removeprefix("torch.")
