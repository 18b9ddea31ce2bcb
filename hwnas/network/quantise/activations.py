"""The activations of a float network on images, through onnxruntime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Network
from hwnas.network.weights import Weights

_BATCH_BYTES = 64 * 2**20


def activations(
    network: Network, weights: Weights, images: npt.NDArray[np.float32], names: Sequence[str]
) -> Iterator[dict[str, npt.NDArray[np.float32]]]:
    """The values called `names` on `images` `[n, c, h, w]`, by name, as `[batch, ...]`; batch by batch.

    A batch is as large as fits into 64 MiB, of all activations, and at least one image.

    Raises:
        ValueError: an activation is NaN or infinite; the message names it.
    """
    inputs = {value.name for value in network.inputs}
    wanted = [name for name in dict.fromkeys(names) if name not in inputs]
    session = _session(network, weights, wanted)
    size = sum(4 * value.size for value in network.values.values())
    batch = max(1, _BATCH_BYTES // size)
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        found = dict(zip(wanted, session.run(wanted, {network.inputs[0].name: part}), strict=True))
        for name, array in found.items():
            if not np.isfinite(array).all():
                raise ValueError(f"{name} becomes NaN or infinite on the calibration images")
        yield {**{name: part for name in names if name in inputs}, **found}


def _session(network: Network, weights: Weights, names: Sequence[str]):  # type: ignore[no-untyped-def]
    import onnxruntime
    from onnx import TensorProto, helper

    from hwnas.network.to_onnx import to_onnx

    model = to_onnx(network, weights=weights, batch=None)
    del model.graph.output[:]
    for name in names:
        shape: list[str | int | None] = ["batch", *network.values[name].shape]
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
