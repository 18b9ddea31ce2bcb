"""One supernet under search: a step of its weights, a step of its logits, and its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.differentiable.auxiliary import AuxiliarySkips
from hwnas.differentiable.bilevel import VirtualStep, first_order, second_order
from hwnas.differentiable.checkpoint import Checkpoint
from hwnas.differentiable.costs.targets import Cost
from hwnas.differentiable.methods import Method
from hwnas.differentiable.settings import SearchSettings
from hwnas.differentiable.supernet.module import Supernet
from hwnas.differentiable.supernet.parameters import initial_logits
from hwnas.differentiable.supernet.relaxations import Relaxed, softmax
from hwnas.objectives import Constraint
from hwnas.objectives.penalties import Lagrangian, Penalty
from hwnas.spaces.supernetwork import Supernetwork
from hwnas.training.batches import Batch


class SearchDiverged(ArithmeticError):  # noqa: N818
    """A number of the search became NaN or infinite; the message says which, and in which step."""


@dataclass
class Tally:
    """Sums over the batches of a pass."""

    loss: float = 0.0
    correct: int = 0
    images: int = 0

    def add(self, loss: float, outputs: Tensor, labels: Tensor) -> None:
        """Count a batch in: its mean loss, its outputs `[n, classes]` and its labels `[n]`."""
        self.loss += loss * len(labels)
        self.correct += int((outputs.argmax(1) == labels).sum())
        self.images += len(labels)

    def means(self) -> tuple[float, float] | tuple[None, None]:
        """Loss and accuracy; None where nothing was counted."""
        return (self.loss / self.images, self.correct / self.images) if self.images else (None, None)


@dataclass(frozen=True)
class Aim:
    """What the logits descend: the loss with what the costs add to it."""

    costs: Mapping[str, Cost]
    targets: Sequence[Constraint]
    penalty: Penalty


class Stepper:
    """A supernet with its optimisers.

    Args:
        supernetwork: what is searched.
        method: how.
        aim: the penalty is replaced as it learns.
        settings: precision and seed.
        device: of the weights; the logits stay on the CPU.
        steps: of the weights, in the whole search.

    Attributes:
        done: steps of the weights so far.
    """

    def __init__(
        self,
        supernetwork: Supernetwork,
        method: Method,
        aim: Aim,
        settings: SearchSettings,
        device: torch.device,
        steps: int,
    ) -> None:
        self.method, self.aim, self.settings, self.device, self.steps = method, aim, settings, device, steps
        self.done = 0
        self.rng = np.random.default_rng(settings.seed)
        self.logits = initial_logits(supernetwork, self.rng)
        self.supernet = Supernet(supernetwork).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.auxiliary = AuxiliarySkips(self.supernet).to(device) if method.uses_auxiliary else None
        self._modules: dict[str, nn.Module] = {"supernet": self.supernet}
        if self.auxiliary is not None:
            self._modules["auxiliary"] = self.auxiliary
        self.weights = [weight for module in self._modules.values() for weight in module.parameters()]
        self.sgd = torch.optim.SGD(
            self.weights,
            lr=method.weight_rate,
            momentum=method.momentum,
            weight_decay=method.weight_decay,
            nesterov=method.nesterov,
        )
        self.adam = torch.optim.Adam(
            list(self.logits.values()), lr=method.rate, betas=method.betas, weight_decay=method.decay
        )

    @property
    def share(self) -> float:
        """Part of the search that is done, from 0 to 1."""
        return self.done / self.steps

    def weights_step(self, batch: Batch, tally: Tally) -> None:
        """Descend the loss of a batch by the weights; the logits stay.

        Raises:
            SearchDiverged: the loss or its gradient is NaN or infinite.
        """
        for group in self.sgd.param_groups:
            group["lr"] = self.method.weight_rate_at(self.share)
        self.sgd.zero_grad(set_to_none=True)
        fixed = {group: values.detach() for group, values in self.logits.items()}
        loss = self._loss(batch, self.method.for_weights(fixed, self.share, self.rng), tally)
        self._require_finite(float(loss.detach()), "the training loss", "weight_rate")
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.weights, self.method.clip)
        self._require_finite(float(norm), "the gradient of the training loss", "weight_rate")
        self.sgd.step()
        self.done += 1

    def logits_step(self, batch: Batch, training: Batch, tally: Tally) -> None:
        """Descend the penalised loss of a batch by the logits; the weights stay.

        Args:
            batch: of the images for the logits.
            training: of those for the weights, on which second order looks ahead.
            tally: of the loss without the penalty.

        Raises:
            SearchDiverged: the loss, the penalty or a logit is NaN or infinite.
        """
        seen: dict[str, float] = {}
        drawn: list[Relaxed] = []
        before = {group: values.detach().clone() for group, values in self.logits.items()}

        def validation() -> Tensor:
            relaxed = self.method.for_logits(self.logits, self.share, self.rng)
            drawn.append(relaxed)
            return self._penalised(self._loss(batch, relaxed, tally), relaxed, seen)

        logits = list(self.logits.values())
        gradients = (
            self._second_order(training, validation, logits)
            if self.method.looks_ahead
            else first_order(validation, logits)
        )
        for values, gradient in zip(logits, gradients, strict=True):
            values.grad = gradient
        self.adam.step()
        with torch.no_grad():
            self.method.settle(self.logits, before, drawn[-1])
        for group, values in self.logits.items():
            self._require_finite(float(values.detach().sum()), f"a logit of {group}", "rate")
        self.aim = replace(self.aim, penalty=self.aim.penalty.updated(seen, self.aim.targets))

    def probabilities(self) -> dict[str, Tensor]:
        """Softmax of the logits by group, `[choices]`, in float64."""
        fixed = {group: values.detach().double() for group, values in self.logits.items()}
        return dict(softmax(fixed).probabilities)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that a search goes on from, by name."""
        found = {
            f"{place}.{name}": tensor
            for place, module in self._modules.items()
            for name, tensor in module.state_dict().items()
        }
        for optimiser, moved, _ in self._moved():
            for name, tensor in moved.items():
                found |= {f"{name}.{key}": one for key, one in optimiser.state[tensor].items()}
        return found | {f"logits.{group}": values for group, values in self.logits.items()}

    def document(self) -> dict[str, Any]:
        """What else it goes on from, as plain data."""
        penalty = self.aim.penalty
        return {
            "rng": self.rng.bit_generator.state,
            "multipliers": dict(penalty.multipliers) if isinstance(penalty, Lagrangian) else {},
            "done": self.done,
        }

    def restore(self, kept: Checkpoint, document: Mapping[str, Any]) -> None:
        """Go on from what `tensors` and `document` gave.

        Raises:
            ValueError: a tensor of another shape; so does KeyError where one is missing.
        """
        for place, module in self._modules.items():
            for name, tensor in module.state_dict().items():
                kept.read_into(f"{place}.{name}", tensor)
        for group, values in self.logits.items():
            kept.read_into(f"logits.{group}", values)
        for optimiser, moved, keys in self._moved():
            for name, tensor in moved.items():
                for key in keys:
                    if f"{name}.{key}" in kept.names:
                        state = torch.zeros(()) if key == "step" else torch.zeros_like(tensor)
                        kept.read_into(f"{name}.{key}", state)
                        optimiser.state[tensor][key] = state
        self.rng.bit_generator.state = document["rng"]
        if isinstance(self.aim.penalty, Lagrangian):
            penalty = replace(self.aim.penalty, multipliers=tuple(document["multipliers"].items()))
            self.aim = replace(self.aim, penalty=penalty)
        self.done = document["done"]

    def _moved(self) -> list[tuple[torch.optim.Optimizer, Mapping[str, Tensor], tuple[str, ...]]]:
        """Each optimiser, what it moves by name, and what it remembers of each."""
        weights: dict[str, Tensor] = {f"sgd.{number}": weight for number, weight in enumerate(self.weights)}
        logits = {f"adam.{group}": values for group, values in self.logits.items()}
        return [
            (self.sgd, weights, ("momentum_buffer",)),
            (self.adam, logits, ("step", "exp_avg", "exp_avg_sq")),
        ]

    def _loss(self, batch: Batch, relaxed: Relaxed, tally: Tally | None = None) -> Tensor:
        images, labels = batch
        if self.auxiliary is not None:
            self.auxiliary.weight = self.method.auxiliary(self.share)
        is_mixed = self.settings.precision == "bf16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_mixed):
            outputs = self.supernet(images, relaxed)
        loss = F.cross_entropy(outputs.float(), labels)
        if tally is not None:
            tally.add(float(loss.detach()), outputs.detach(), labels)
        return loss

    def _penalised(self, loss: Tensor, relaxed: Relaxed, seen: dict[str, float]) -> Tensor:
        self._require_finite(float(loss.detach()), "the validation loss", "weight_rate")
        targets = self.aim.targets
        if not targets:
            return loss
        priced = self.method.priced(self.logits, relaxed)
        costs = {one.metric: self.aim.costs[one.metric].expected(priced) for one in targets}
        seen.update({name: float(cost.detach()) for name, cost in costs.items()})
        total: Tensor = self.aim.penalty(loss.double().cpu(), costs, targets)
        self._require_finite(float(total.detach()), "the penalty", "rate")
        return total

    def _second_order(self, training: Batch, validation: Any, logits: list[Tensor]) -> list[Tensor]:
        def loss() -> Tensor:
            relaxed = self.method.for_logits(self.logits, self.share, self.rng)
            return self._loss(training, relaxed)

        method = self.method
        step = VirtualStep(method.weight_rate_at(self.share), method.momentum, method.weight_decay)
        velocities = [self.sgd.state[weight].get("momentum_buffer") for weight in self.weights]
        return second_order(loss, validation, self.weights, logits, step, velocities)

    def _require_finite(self, value: float, what: str, rate: str) -> None:
        if not isfinite(value):
            raise SearchDiverged(
                f"the search diverged in step {self.done + 1} of {self.steps}: {what} is {value}; "
                f"try a lower {rate}"
            )
