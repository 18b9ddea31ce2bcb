"""CV: how much the accuracy of the untrained network varies between initialisations."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.labels import check_labels
from hwnas.proxies.registry import Proxy, get, proxy
from hwnas.proxies.reset_parameters import reset_parameters
from hwnas.proxies.result import Measurement

INITS = 100


@proxy(
    name="cv",
    higher_is_better=False,
    needs=("data", "labels"),
    mode="train",
    summary=f"std / mean of the untrained network's accuracy over {INITS} random initialisations",
    source="Gracheva 2021, Trainless model performance estimation based on random weights initialisations",
)
def cv(context: Context) -> Measurement:
    """Return std / mean of the accuracy on the batch over 100 random initialisations; lower is better.

    The accuracy is the share of labels that the largest output names. Every initialisation is torch's own
    (`reset_parameters` of every submodule), drawn from the seed: the module's weights do not matter. std
    divides by the number of initialisations (ddof 0). Train mode, no gradients: it costs 100 forward passes.
    `layers_used` counts the submodules with parameters. NaN, with a reason, where the mean
    accuracy is 0 or an output is NaN.

    Raises:
        ValueError: when a submodule holds parameters and has no `reset_parameters`; when the targets are no
            labels.
    """
    return _variation(context, INITS)


def cv_with(*, inits: int) -> Proxy:
    """`cv` over another number of initialisations.

    Raises:
        ValueError: when `inits` is below 2.
    """
    if inits < 2:
        raise ValueError(f"inits: {inits}; the accuracy varies over two or more initialisations")
    return replace(
        get("cv"),
        name=f"cv(inits={inits})",
        function=lambda context: _variation(context, inits),
        summary=f"std / mean of the untrained network's accuracy over {inits} random initialisations",
    )


def _variation(context: Context, inits: int) -> Measurement:
    module = context.copy()
    holders = sum(any(True for _ in part.parameters(recurse=False)) for part in module.modules())
    accuracies = torch.empty(inits, dtype=torch.float64)
    for index in range(inits):
        reset_parameters(module)
        with torch.no_grad():
            outputs = context.outputs(module, context.batch())
        accuracies[index] = _accuracy(outputs, _labels(context, outputs))
    mean, std = float(accuracies.mean()), float(accuracies.std(correction=0))
    if math.isnan(mean):
        return Measurement(math.nan, "an output of the untrained network is NaN", holders)
    if mean == 0:
        return Measurement(math.nan, f"the accuracy is 0 with all {inits} initialisations", holders)
    note = "the accuracy is the same with every initialisation" if std == 0 else None
    return Measurement(std / mean, layers_used=holders, note=note)


def _labels(context: Context, outputs: Tensor) -> Tensor:
    """The labels (B, ...) of outputs (B, classes, ...)."""
    if context.targets is None:
        raise ValueError("targets: missing; pass one label for each image, (B,)")
    check_labels(context.targets, outputs)
    if context.targets.is_floating_point():
        raise ValueError("targets: cv counts right answers; pass int64 labels, not class probabilities")
    return context.targets


def _accuracy(outputs: Tensor, labels: Tensor) -> float:
    if bool(outputs.isnan().any()):
        return math.nan
    return float((outputs.argmax(1) == labels).double().mean())
