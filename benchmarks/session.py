"""Architecture to onnxruntime session, against torch's exporter."""

import contextlib
import io
import logging
import warnings

import onnxruntime
import torch

from benchmarks.timing import Row, interleaved
from hwnas.network.to_onnx import to_onnx
from hwnas.network.to_torch import to_torch
from hwnas.spaces import MobileNetV2, NASBench201


def _session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _ours(architecture):
    return _session(to_onnx(architecture.network).SerializeToString())


def _theirs(module, example):
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(module, (example,), dynamo=True, verbose=False)
    return _session(program.model_proto.SerializeToString())


def rows(repeats: int = 7) -> list[Row]:
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    found = []
    for space in (MobileNetV2(resolution=96, classes=10), NASBench201()):
        pairs = []
        for architecture in space.sample(repeats + 1, seed=0):
            module = to_torch(architecture.network).eval()
            example = torch.zeros(1, *architecture.network.inputs[0].shape)
            pairs.append((lambda a=architecture: _ours(a), lambda m=module, e=example: _theirs(m, e)))
        interleaved(pairs[:1])
        ours, theirs, ratio = interleaved(pairs[1:])
        found.append(
            Row(
                f"architecture to session, {space.name}: {1e3 * ours:.0f} ms, "
                f"torch.onnx.export {1e3 * theirs:.0f} ms",
                f"{ratio:.0f} times",
                ">= 20 times",
                ratio >= 20,
            )
        )
    return found
