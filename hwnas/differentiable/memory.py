"""How much memory a step took."""

from __future__ import annotations

import resource

import torch


def restart(device: torch.device) -> None:
    """Count anew from here, on a GPU; what a process held at most cannot be."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int:
    """The most bytes of tensors that a GPU held since `restart`; elsewhere the most that the process held."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
