"""Which weights the gradient proxies look at."""

from torch import nn
from torch.nn.modules.conv import _ConvNd

_COVERED = (_ConvNd, nn.Linear)


def covered_weights(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights of all convolutions (transposed ones too) and linear layers, by module name.

    A weight that two layers share appears once, under the first name. Biases, the gains of normalisations
    and weights that are computed from other parameters are left out.
    """
    weights: dict[str, nn.Parameter] = {}
    seen: set[int] = set()
    for name, part in module.named_modules():
        weight = part._parameters.get("weight")
        if isinstance(part, _COVERED) and weight is not None and id(weight) not in seen:
            weights[name or "(root)"] = weight
            seen.add(id(weight))
    return weights


def uncovered_modules(module: nn.Module) -> tuple[str, ...]:
    """Return the names of modules that hold parameters of two or more axes, none of them covered."""
    covered = {id(weight) for weight in covered_weights(module).values()}
    return tuple(
        name or "(root)"
        for name, part in module.named_modules()
        if any(p.ndim >= 2 and id(p) not in covered for p in part.parameters(recurse=False))
    )
