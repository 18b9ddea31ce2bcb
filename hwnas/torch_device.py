"""Whether torch has a device here, and the device a precision."""

from __future__ import annotations


def check_torch_device(device: str, precision: str = "fp32") -> None:
    """Raise ValueError where `device` is neither cpu nor a cuda that is there, or lacks the precision."""
    import torch

    if device not in ("cpu", "cuda"):
        raise ValueError(f"device must be cpu or cuda, not {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device=cuda, and torch finds no CUDA device here: use device=cpu")
    if device == "cpu" and precision in ("bf16", "fp16"):
        raise ValueError(f"precision={precision} needs device=cuda")
