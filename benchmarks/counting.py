"""Counting from an architecture, against building the torch module and running fvcore on it."""

import logging
import warnings

import torch
from fvcore.nn import FlopCountAnalysis, parameter_count

from benchmarks.timing import Row, interleaved
from hwnas.cost import count
from hwnas.network.to_torch import to_torch
from hwnas.spaces import MobileNetV2, NASBench201


def _ours(architecture):
    counts = count(architecture.network).whole
    return counts.macs, counts.flops, counts.params


def _theirs(architecture):
    network = architecture.network
    module = to_torch(network).eval()
    example = torch.zeros(1, *network.inputs[0].shape)
    with torch.no_grad():
        macs = FlopCountAnalysis(module, (example,)).unsupported_ops_warnings(False).total()
    return macs, 2 * macs, parameter_count(module)[""]


def rows(repeats: int = 15) -> list[Row]:
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    found = []
    for space in (MobileNetV2(resolution=96, classes=10), NASBench201()):
        architectures = space.sample(repeats + 2, seed=0)
        pairs = [(lambda a=a: _ours(a), lambda a=a: _theirs(a)) for a in architectures]
        ours, theirs, ratio = interleaved(pairs[2:])
        found.append(
            Row(
                f"counting, {space.name}: {1e3 * ours:.2f} ms, torch + fvcore {1e3 * theirs:.0f} ms",
                f"{ratio:.0f} times",
                ">= 100 times",
                ratio >= 100,
            )
        )
    return found
