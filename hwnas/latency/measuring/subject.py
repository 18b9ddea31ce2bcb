"""A model that is to be measured, wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """A network or block to be measured.

    Attributes:
        key: canonical key of the network or block.
        kind: ``network`` or ``block``.
        name: architecture string, or path of the block.
        model: makes the ONNX file when it is needed: there may be thousands.
        blocks: of a whole network, its blocks: (key, how often).
        flops: floating-point operations of one inference, or None if not counted.
        params: trainable parameters, or None if not counted.
    """

    key: str
    kind: str
    name: str
    model: Callable[[], bytes]
    blocks: tuple[tuple[str, int], ...] = ()
    flops: int | None = None
    params: int | None = None
