"""Whether the readers of one network agree: torch, onnxruntime and the inferred shapes."""

import numpy as np
import onnx
import onnxruntime as ort
import torch

from hwnas.network import Network
from hwnas.network.to_onnx import to_onnx
from hwnas.network.to_torch import to_torch


def run_onnx(model: onnx.ModelProto, inputs: list[np.ndarray]) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [info.name for info in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def assert_agree(network: Network, *, batch: int = 2, positive: bool = False) -> None:
    """The torch module, its ONNX model and the stated shapes agree on random inputs of `batch` samples."""
    generator = np.random.default_rng(0)
    inputs = [generator.standard_normal((batch, *value.shape), dtype=np.float32) for value in network.inputs]
    if positive:
        inputs = [np.abs(value) + 0.5 for value in inputs]
    torch.manual_seed(0)
    module = to_torch(network).eval()
    _shake(module)
    with torch.no_grad():
        found = module(*(torch.from_numpy(value) for value in inputs))
    outputs = [t.numpy() for t in ((found,) if isinstance(found, torch.Tensor) else found)]
    assert [array.shape[1:] for array in outputs] == [value.shape for value in network.outputs]
    for model in (
        to_onnx(network, weights=module, batch=batch),
        to_onnx(network, weights=module, batch=None),
    ):
        onnx.checker.check_model(model, full_check=True)
        for ours, theirs in zip(outputs, run_onnx(model, inputs), strict=True):
            assert ours.shape == theirs.shape
            scale = max(1.0, float(np.abs(theirs).max()))
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5 * scale)


def _shake(module: torch.nn.Module) -> None:
    """Give gains, biases and statistics values other than 0 and 1, which hide mistakes."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim < 2:
                parameter.add_(torch.rand_like(parameter) * 0.5)
        for name, buffer in module.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.add_(torch.rand_like(buffer))
