"""EPE-NAS: how alike the network's linear maps at images of one class are."""

import math

import torch
from torch import Tensor, nn

from hwnas.proxies.context import Context
from hwnas.proxies.labels import check_labels
from hwnas.proxies.measures.jacob_cov import K, undefined_correlations
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement

MANY_CLASSES = 100


@proxy(
    name="epe_nas",
    higher_is_better=True,
    needs=("data", "labels", "jacobian"),
    mode="as-is",
    summary="by class, the sum of log |correlation of the Jacobians|; absolute values added up",
    source="Lopes et al. 2021, EPE-NAS, eq. 4-6; constants as NASLib",
)
def epe_nas(context: Context) -> Measurement:
    """Return the sum over classes c of |E_c|, with E_c = sum over pairs in c of log(|correlation| + k).

    The correlations (n_c x n_c) are those of the gradients of the summed outputs by the images of the class,
    in float64, k = 1e-5. Above 100 outputs, E_c is divided by n_c, and the score is the sum of |E_c - E_d|
    over all ordered pairs of classes, divided by the number of classes. A class with one image adds about k.
    Undefined where an image's gradient is constant.

    Raises:
        ValueError: when the targets are no labels, one for each image, or there are fewer than two images.
    """
    targets = context.targets
    if targets is None or targets.ndim != 1 or targets.is_floating_point():
        raise ValueError("targets: epe_nas compares images of one class; pass int64 labels (B,)")
    if len(targets) < 2:
        raise ValueError(f"inputs: epe_nas compares images; pass two or more, not {len(targets)}")
    if context.loss is nn.functional.cross_entropy:
        check_labels(targets, context.forward.outputs)
    jacobian = context.jacobian.double()
    if reason := undefined_correlations(jacobian):
        return Measurement(math.nan, reason, 0)
    many = context.forward.outputs.shape[-1] > MANY_CLASSES
    by_class = torch.stack([_agreement(jacobian[targets == c], many) for c in sorted(set(targets.tolist()))])
    note = "no class has two images: nothing was compared" if len(by_class) == len(targets) else None
    if not many:
        return Measurement(float(by_class.abs().sum()), note=note)
    differences = (by_class[:, None] - by_class[None, :]).abs().sum()
    return Measurement(float(differences) / len(by_class), note=note)


def _agreement(rows: Tensor, mean: bool) -> Tensor:
    total = (torch.corrcoef(rows).abs() + K).log().sum()
    return total / len(rows) if mean else total
