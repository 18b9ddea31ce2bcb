"""Models made int8 for timing: static quantisation as in `hwnas.onnx_quantiser`.

The ranges come from one run on fixed random inputs: the latency of int8 kernels does not depend on the
values, so such a model is fit for timing, not for use.
"""

from __future__ import annotations

import numpy as np

from hwnas.latency.devices.device import ModelFailedError
from hwnas.onnx_quantiser import model_inputs, quantised_model


def quantised(model: bytes) -> bytes:
    """The int8 form of an ONNX model with static float32 inputs; the same bytes for the same model.

    A model that computes nothing which has an integer kernel comes back as it is.

    Raises:
        ModelFailedError: onnxruntime cannot run or quantise the model.
    """
    try:
        inputs = {
            name: np.random.default_rng(index).standard_normal(shape, dtype=np.float32)
            for index, (name, shape) in enumerate(model_inputs(model).items())
        }
        return quantised_model(model, [inputs])
    except Exception as error:  # the runtime's and the quantiser's errors have no common class
        raise ModelFailedError(f"cannot be quantised: {type(error).__name__}: {error}") from error
