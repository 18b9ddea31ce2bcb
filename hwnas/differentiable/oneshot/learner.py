"""The weights of a supernet and what moves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.differentiable.checkpoint import Checkpoint
from hwnas.differentiable.oneshot.sampling import Choices
from hwnas.differentiable.oneshot.settings import OneShotSettings
from hwnas.differentiable.supernet.relaxations import Relaxed, fixed
from hwnas.spaces.supernetwork import Supernetwork
from hwnas.training import parameter_groups
from hwnas.training.loop import DTYPES

STATE, VELOCITY = "state/", "velocity/"


class Learner:
    """A supernet and its optimiser.

    Args:
        supernetwork: of a space.
        settings: how to train; the seed decides the initial weights.
        device: where.
    """

    def __init__(self, supernetwork: Supernetwork, settings: OneShotSettings, device: torch.device) -> None:
        self.supernetwork, self.how, self.device = supernetwork, settings.training, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.how.seed)
            self.supernet = settings.supernet(supernetwork).to(device)
        self.optimizer = torch.optim.SGD(
            parameter_groups(self.supernet, self.how.weight_decay),
            lr=self.how.lr,
            momentum=self.how.momentum,
            nesterov=self.how.momentum > 0,
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.how.precision == "fp16")

    def learn(self, images: Tensor, labels: Tensor, networks: Sequence[Choices], rate: float) -> float:
        """Make one step for the mean loss of the networks; the first one's outputs are the others' labels.

        Gives the loss of the first network, or one that is not finite: then nothing is learnt.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        first, targets = 0.0, labels
        for number, choices in enumerate(networks):
            outputs, loss = self._loss(images, targets, choices)
            if not isfinite(value := float(loss.detach())):
                return value
            self.scaler.scale(loss / len(networks)).backward()  # type: ignore[no-untyped-call]
            if number == 0:
                first, targets = value, outputs.detach().float().softmax(1)
        if self.how.gradient_clip is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.supernet.parameters(), self.how.gradient_clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return first

    def _loss(self, images: Tensor, targets: Tensor, choices: Choices) -> tuple[Tensor, Tensor]:
        precision = self.how.precision
        smoothing = 0.0 if targets.is_floating_point() else self.how.label_smoothing
        with torch.autocast(self.device.type, dtype=DTYPES[precision], enabled=precision != "fp32"):
            outputs = self.supernet(images, one_network(self.supernetwork, choices))
            return outputs, F.cross_entropy(outputs, targets, label_smoothing=smoothing)

    def tensors(self) -> dict[str, Tensor]:
        """What decides the next steps beside `scales`."""
        velocities = ((name, self._velocity(weight)) for name, weight in self._weights())
        return {
            **{f"{STATE}{name}": tensor for name, tensor in self.supernet.state_dict().items()},
            **{f"{VELOCITY}{name}": tensor for name, tensor in velocities if tensor is not None},
        }

    def scales(self) -> dict[str, Any]:
        """Of the gradients in fp16; nothing in other precisions."""
        return self.scaler.state_dict()

    def restore(self, kept: Checkpoint, scales: dict[str, Any]) -> None:
        """Take back what `tensors` and `scales` gave; raises ValueError or KeyError where it does not fit."""
        for name, tensor in self.supernet.state_dict().items():
            kept.read_into(f"{STATE}{name}", tensor)
        for name, weight in self._weights():
            if f"{VELOCITY}{name}" in kept.names:
                velocity = torch.empty_like(weight)
                kept.read_into(f"{VELOCITY}{name}", velocity)
                self.optimizer.state[weight] = {"momentum_buffer": velocity}
        self.scaler.load_state_dict(scales)

    def _weights(self) -> Iterator[tuple[str, nn.Parameter]]:
        return self.supernet.named_parameters()

    def _velocity(self, weight: nn.Parameter) -> Tensor | None:
        return self.optimizer.state[weight].get("momentum_buffer") if weight in self.optimizer.state else None


def one_network(supernetwork: Supernetwork, choices: Choices) -> Relaxed:
    """The probabilities 1 of these choices and 0 of all others."""
    return fixed(
        {group: np.eye(len(labels))[choices[group]] for group, labels in supernetwork.groups.items()}
    )
