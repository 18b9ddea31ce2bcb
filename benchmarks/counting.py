"""Counting from an architecture, against building the torch module and running fvcore on it."""

import logging
import warnings

import torch
from fvcore.nn import FlopCountAnalysis, parameter_count

from benchmarks.timing import Row, interleaved
from hwnas.cost import count
from hwnas.network.to_torch import to_torch
from hwnas.spaces import MobileNetV2, NASBench201

MORE = 300  # what is built of known blocks is counted faster


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


def _row(what, architectures):
    pairs = [(lambda a=a: _ours(a), lambda a=a: _theirs(a)) for a in architectures]
    ours, theirs, ratio = interleaved(pairs)
    figure = f"{what}: {1e3 * ours:.2f} ms, torch + fvcore {1e3 * theirs:.0f} ms"
    return Row(figure, f"{ratio:.0f} times", ">= 100 times", ratio >= 100)


def rows(repeats: int = 15) -> list[Row]:
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    found = []
    for space in (MobileNetV2(resolution=96, classes=10), NASBench201()):
        architectures = space.sample(2 * repeats + MORE, seed=0)
        first, more, last = architectures[:repeats], architectures[repeats:-repeats], architectures[-repeats:]
        found.append(_row(f"counting, {space.name}, the first {repeats} of a process", first))
        for architecture in more:
            _ours(architecture)
        found.append(_row(f"counting, {space.name}, after {MORE} others", last))
    return found
