"""The pattern of ReLUs that each image switches on, and how many different ones there are."""

import numpy as np
import numpy.typing as npt
from torch import Tensor

from hwnas.proxies.relu_codes import ReluCodes


class Patterns(ReluCodes):  # type: ignore[no-untyped-call]
    """Keeps the codes of all ReLUs, one bit for each unit and image."""

    def __init__(self, images: int) -> None:
        super().__init__(images)
        self._bits: list[npt.NDArray[np.uint8]] = []

    def add(self, codes: Tensor) -> None:
        """Take the codes of one call, (B, units) of bool."""
        self._bits.append(np.packbits(codes.cpu().numpy(), axis=1))

    def rows(self) -> list[bytes]:
        """The pattern of each image; two are equal where the images switch every ReLU alike."""
        return [row.tobytes() for row in np.concatenate(self._bits, axis=1)] if self._bits else []
