"""Keeping the caller's world as it was: private copies of modules, private random numbers."""

import copy
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor, nn


def private_copy(module: nn.Module) -> nn.Module:
    """Return a deep copy of the module that shares no tensor with it.

    Tensors with a history that the module holds as attributes (an activation kept from an earlier forward
    pass, the weight of `torch.nn.utils.weight_norm`) are copied without their history.

    Raises:
        ValueError: when Python cannot copy the module.
    """
    detached = {
        id(tensor): tensor.detach().clone()
        for part in module.modules()
        for tensor in (*vars(part).values(), *part.buffers(recurse=False))
        if isinstance(tensor, Tensor) and not tensor.is_leaf
    }
    try:
        return copy.deepcopy(module, detached)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"module: copy.deepcopy failed ({error}); it is scored on a copy, to leave it untouched: "
            "remove the attribute that cannot be copied"
        ) from error


@contextmanager
def isolated(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch, numpy and Python inside and restore all three after.

    Inside, gradients are on, autocast is off, and attention takes no fused path that hides its operators.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.amp.is_autocast_available(device.type):
            stack.enter_context(torch.autocast(device.type, enabled=False))
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        cuda = [device] if device.type == "cuda" else []
        stack.enter_context(torch.random.fork_rng(devices=cuda))
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        _seed_generators(seed, device)
        yield


def _seed_generators(seed: int, device: torch.device) -> None:
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
