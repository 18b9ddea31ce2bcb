"""Whether quantisations and contents fit their tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.network.program import Tensor
from hwnas.network.quantise.quantised import Quantisation


def check_quantisation(tensor: Tensor, quantisation: Quantisation | None) -> None:
    """Raise ValueError unless `quantisation` fits `tensor`: one positive scale, or one for each channel.

    Channels of weights that are all zero may have a scale of zero.
    """
    count = 0 if quantisation is None else len(quantisation.scales)
    if count != tensor.scales:
        raise ValueError(f"tensor {tensor.name}: {count} quantisation scales, {tensor.scales} expected")
    if quantisation is None:
        return
    scales = quantisation.scales
    if not (np.isfinite(scales).all() and ((scales > 0) | ((scales == 0) & tensor.is_constant)).all()):
        raise ValueError(f"tensor {tensor.name}: quantisation scales must be positive numbers")
    if count > 1 and not (
        0 <= quantisation.axis < len(tensor.shape) and tensor.shape[quantisation.axis] == count
    ):
        raise ValueError(
            f"tensor {tensor.name}: {count} scales along axis {quantisation.axis} of shape {tensor.shape}"
        )


def check_constant(tensor: Tensor, content: npt.NDArray[Any] | None) -> bytes:
    """The bytes of what `tensor` holds; ValueError where there are none, or of another shape or dtype."""
    if content is None:
        raise ValueError(f"tensor {tensor.name} is constant, but its content is missing")
    if content.shape != tensor.shape or content.dtype != np.dtype(tensor.dtype):
        raise ValueError(
            f"tensor {tensor.name}: {content.dtype} of shape {content.shape}, "
            f"{tensor.dtype} of shape {tensor.shape} expected"
        )
    return np.ascontiguousarray(content, np.dtype(tensor.dtype).newbyteorder("<")).tobytes()
