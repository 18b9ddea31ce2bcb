"""The independent count: fvcore's, operator by operator, beside ours."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass

import torch
from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis
from torch import Tensor, nn

from hwnas.cost.count import Counts

OPERATORS = {
    "conv": ("Conv", "ConvTranspose"),
    "linear": ("Gemm",),
    "matmul": ("MatMul",),
    "batch_norm": ("BatchNormalization",),
    "layer_norm": ("LayerNormalization",),
    "adaptive_avg_pool2d": ("GlobalAveragePool", "ReduceMean"),
}


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
    was_training = module.training
    module.eval()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("fvcore").setLevel(logging.ERROR)
            with torch.no_grad():
                theirs = FlopCountAnalysis(module, (example,)).unsupported_ops_warnings(False).by_operator()
                activations = (
                    ActivationCountAnalysis(module, (example,)).unsupported_ops_warnings(False).total()
                )
    finally:
        module.train(was_training)
    found = [Difference("activations", counts.activations, activations)]
    ours = counts.macs_by_operator + counts.elementwise_by_operator
    for name, value in theirs.items():
        operators = OPERATORS.get(name)
        if operators is None:
            raise ValueError(f"fvcore counts operator {name}, which this check does not know")
        found.append(Difference(name, sum(ours[op] for op in operators), int(value)))
    return [difference for difference in found if difference.ours != difference.fvcore]
