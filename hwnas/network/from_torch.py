"""Read any torch module as a network, through torch's own ONNX exporter."""

from __future__ import annotations

import ast
import contextlib
import io
import logging
import warnings

import onnx
import torch
from torch import Tensor, nn

from hwnas.network.from_onnx import from_onnx
from hwnas.network.modes import evaluation_mode
from hwnas.network.network import Network
from hwnas.network.operators import OPERATORS


def from_torch(module: nn.Module, example: Tensor | tuple[Tensor, ...]) -> Network:
    """The network that `module` runs on `example` in eval mode.

    Layers stand under the path of the submodule that ran them, so parameters keep torch's names.
    Parameters that the forward pass never reads are not part of the network.

    Args:
        module: left as it is, mode included.
        example: input tensors `[n, ...]` with a batch axis; their values do not matter.

    Raises:
        UnknownOperatorError: naming the operators outside the vocabulary.
        ValueError: the module cannot be exported, or mixes the batch into other axes.
    """
    inputs = (example,) if isinstance(example, Tensor) else tuple(example)
    with evaluation_mode(module):
        model = _exported(module, tuple(value[:1] for value in inputs))
    _name_after_modules(model.graph)
    return from_onnx(model)


def _exported(module: nn.Module, inputs: tuple[Tensor, ...]) -> onnx.ModelProto:
    """The unoptimised export: an optimised one would merge normalisation into convolutions."""
    exporter_log = logging.getLogger("torch.onnx")
    level = exporter_log.level
    exporter_log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(module, inputs, dynamo=True, optimize=False, verbose=False)
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        raise ValueError(f"torch cannot export {type(module).__name__}: {error}") from error
    finally:
        exporter_log.setLevel(level)
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def _name_after_modules(graph: onnx.GraphProto) -> None:
    """Name nodes by the module that ran them and the operation: `layer1.0.conv1`, `layer1.0.add`."""
    weights = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        scopes = next((p.value for p in node.metadata_props if p.key.endswith("name_scopes")), "[]")
        path = [scope for scope in ast.literal_eval(scopes)[:-1] if scope]
        read = node.input if node.op_type in OPERATORS else []
        owner = next((name.rpartition(".")[0] for name in read if name in weights), None)
        if owner:
            node.name = owner
        elif path:
            node.name = f"{path[-1]}.{node.op_type.lower()}"
        else:
            node.name = node.op_type.lower()
