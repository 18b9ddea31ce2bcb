"""The independent count: fvcore's, operator by operator, beside ours."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass

import torch
from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis
from torch import Tensor, nn

from hwnas.cost.count import Counts
from hwnas.network.modes import evaluation_mode

# fvcore's names and ours for the same work; what one counts under several names is compared as a sum.
GROUPS = (
    (("conv",), ("Conv", "ConvTranspose")),
    (("linear", "addmm", "matmul", "mm", "bmm", "einsum"), ("Gemm", "MatMul")),
    (("batch_norm",), ("BatchNormalization",)),
    (("layer_norm",), ("LayerNormalization",)),
    (("group_norm", "instance_norm"), ("GroupNormalization", "InstanceNormalization")),
    (("upsample_nearest2d", "upsample_bilinear2d"), ("Resize",)),
    (("adaptive_avg_pool2d",), ("GlobalAveragePool", "ReduceMean")),
)


@dataclass(frozen=True)
class Difference:
    """One operator on which the two counts differ."""

    operator: str
    ours: int
    fvcore: int


def differences(counts: Counts, module: nn.Module, example: Tensor) -> list[Difference]:
    """Where `counts` and fvcore's count of `module` on `example` `[1, ...]` differ; empty if nowhere.

    Compares every operator that fvcore counts, and the activations.
    """
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    with warnings.catch_warnings(), evaluation_mode(module), torch.no_grad():
        warnings.simplefilter("ignore")
        theirs = FlopCountAnalysis(module, (example,)).unsupported_ops_warnings(False).by_operator()
        activations = ActivationCountAnalysis(module, (example,)).unsupported_ops_warnings(False).total()
    found = [Difference("activations", counts.activations, activations)]
    ours = counts.macs_by_operator + counts.elementwise_by_operator
    unknown = set(theirs) - {name for names, _ in GROUPS for name in names}
    if unknown:
        raise ValueError(f"fvcore counts {', '.join(sorted(unknown))}, which this check does not know")
    for names, operators in GROUPS:
        if any(name in theirs for name in names):
            total = sum(int(theirs[name]) for name in names)
            found.append(Difference(names[0], sum(ours[op] for op in operators), total))
    return [difference for difference in found if difference.ours != difference.fvcore]
