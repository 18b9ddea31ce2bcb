"""Search by gradients: one supernet, its weights and its logits trained in turn, an architecture derived."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from hwnas.differentiable import memory
from hwnas.differentiable.batches import Batches
from hwnas.differentiable.checkpoint import (
    Checkpoint,
    differences,
    open_checkpoint,
    write_checkpoint,
)
from hwnas.differentiable.derivation import derive
from hwnas.differentiable.guards import Guard
from hwnas.differentiable.limits import Limits
from hwnas.differentiable.methods import Method
from hwnas.differentiable.plan import Plan, method_name, plan
from hwnas.differentiable.records import RECORD, DifferentiableRecord, Epoch, read_epoch
from hwnas.differentiable.settings import Precision, SearchSettings
from hwnas.differentiable.skips import count_skips
from hwnas.differentiable.stepper import Aim, SearchDiverged, Stepper, Tally
from hwnas.differentiable.zeros import without_zeros
from hwnas.freed_memory import freed_memory_kept
from hwnas.latency.predictors.parts import PartsPredictor
from hwnas.objectives import Constraint, Penalty
from hwnas.objectives.penalties import Lagrangian
from hwnas.spaces import Architecture, SearchSpace
from hwnas.threads import torch_threads
from hwnas.training import DataSet

CHECKPOINT = "checkpoint.npz"
GUARDED = "darts_minus"
"""The default method. Published of NAS-Bench-201: 93.8 % on CIFAR-10, where DARTS collapses to 54.3 %."""


@dataclass(frozen=True, eq=False)
class DifferentiableRun:
    """A search that ended.

    Attributes:
        record: of its epochs, as it stands in `folder`.
        architecture: the answer.
        weights: of the answer's network, taken from the supernet: a state dict of `to_torch(network)`.
        folder: with record.json and checkpoint.npz.
    """

    record: DifferentiableRecord
    architecture: Architecture
    weights: dict[str, Tensor]
    folder: Path


def search(
    space: SearchSpace,
    *,
    data: DataSet | str,
    folder: Path | str,
    method: Method | str = GUARDED,
    subject_to: Sequence[Constraint | str] = (),
    predictor: PartsPredictor | None = None,
    penalty: Penalty | str = "lagrangian",
    guard: Guard | None = Guard(),  # noqa: B008
    epochs: int = 50,
    batch_size: int = 64,
    seed: int = 0,
    precision: Precision = "fp32",
    threads: int | None = 1,
    device: str | torch.device | None = None,
    title: str | None = None,
    progress: Callable[[Epoch], None] | None = None,
) -> DifferentiableRun:
    """Search `space` by gradients; the same call on a folder goes on after its last whole epoch.

    On a CPU the same arguments give the same result, interrupted or not. Torch's global random state and its
    number of threads are restored.

    Args:
        space: with a supernetwork.
        data: what the networks are to classify, or what `hwnas.training.load` takes. A part of the train
            images is held out for the logits; the test images are not used.
        folder: of the run.
        method: one of `METHODS`, which may end in settings: `darts:order=2,rate=0.01`.
        subject_to: targets, such as `flops <= 50M`, of flops, macs, params, latency_ms and peak_sram_bytes.
            The latency of NAS-Bench-201 counts the additions of edges `none`. A peak is of chains of blocks
            alone; while choices are open, what is expected of it is a lower bound.
        predictor: of latency_ms, that sums a table's blocks.
        penalty: one of `hwnas.objectives.PENALTIES`, for all targets alike. With `lagrangian` the answer is
            at the targets: within them, and at most 10 % below, where the space has such an architecture
            nearby. With the others it is the most probable one whose output depends on its input, whatever
            it costs.
        guard: ends collapsed searches, bounds the skips of what they answer and, where no cost has a target,
            keeps `none` out of it; None does nothing of that.
        epochs: passes over the images for the weights.
        batch_size: images in a step.
        seed: decides everything that is drawn.
        precision: of the activations; `bf16` needs a CUDA device.
        threads: torch's CPU threads; None leaves them as they are. More than idle cores are slower than one.
        device: of the weights; the CPU where None.
        title: for people; made of the method, the space and the targets where None.
        progress: called after each epoch.

    Raises:
        ValueError: settings, targets outside the space, data that does not fit it, a space without a
            supernetwork, a folder with another search.
        MissingBlockError: the predictor's table lacks blocks of the space.
        SearchDiverged: a loss, the penalty or a logit is NaN or infinite.
    """
    settings = SearchSettings(epochs, batch_size, seed, precision, threads)
    with torch_threads(threads), freed_memory_kept():
        planned = plan(space, data, method, subject_to, predictor, penalty, guard, settings, device)
        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        with torch.random.fork_rng(devices=[planned.device] if planned.device.type == "cuda" else []):
            torch.manual_seed(seed)
            return _Search(planned, where, title).run(progress)


class _Search:
    def __init__(self, planned: Plan, folder: Path, title: str | None) -> None:
        self.plan, self.folder, self.title = planned, folder, title or _title(planned)
        settings, method = planned.settings, planned.method
        self.config = planned.config()
        self.batches = Batches.split(
            planned.data, method.validation_share, settings.batch_size, settings.seed, planned.device
        )
        self.stepper = Stepper(
            planned.supernetwork,
            method,
            Aim(planned.costs, planned.targets, planned.penalty),
            settings,
            planned.device,
            settings.epochs * len(self.batches),
        )
        self.epochs: list[Epoch] = []
        self.stopped = ""

    def run(self, progress: Callable[[Epoch], None] | None) -> DifferentiableRun:
        self._resume()
        while len(self.epochs) < self.plan.settings.epochs and not self.stopped:
            self.epochs.append(self._epoch(len(self.epochs) + 1))
            self.stopped = self._reason_to_stop()
            self._save()
            if progress is not None:
                progress(self.epochs[-1])
        record = self._record()
        record.save(self.folder)
        answer = self.plan.supernetwork.space.parse(record.architecture)
        choices = self.plan.supernetwork.choices(answer)
        weights = {name: value.cpu() for name, value in self.stepper.supernet.inherited(choices).items()}
        return DifferentiableRun(record, answer, weights, self.folder)

    def _epoch(self, number: int) -> Epoch:
        started = time.perf_counter()
        memory.restart(self.plan.device)
        method, training, validation = self.plan.method, Tally(), Tally()
        is_moving = number > round(method.warm_up * self.plan.settings.epochs)
        for_logits = self.batches.for_logits()
        self.stepper.supernet.train()
        for step, batch in enumerate(self.batches.for_weights()):
            if is_moving and step % method.every == 0:
                self.stepper.logits_step(next(for_logits), batch, validation)
            self.stepper.weights_step(batch, training)
        return self._described(number, training, validation, started)

    def _described(self, number: int, training: Tally, validation: Tally, started: float) -> Epoch:
        probabilities = self.stepper.probabilities()
        free = self._derived(most_skips=None)
        derived = free if self.plan.guard is None else self._derived(self.plan.guard.most_skips)
        supernetwork, costs = self.plan.supernetwork, self.plan.costs
        penalty = self.stepper.aim.penalty
        train_loss, train_accuracy = training.means()
        assert train_loss is not None and train_accuracy is not None
        validation_loss, validation_accuracy = validation.means()
        return Epoch(
            number=number,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            expected={name: float(cost.expected(probabilities)) for name, cost in costs.items()},
            derived=str(derived),
            derived_costs={name: cost.of(supernetwork, derived) for name, cost in costs.items()},
            skips=count_skips(supernetwork, supernetwork.choices(free)),
            probabilities={group: tuple(values.tolist()) for group, values in probabilities.items()},
            multipliers=dict(penalty.multipliers) if isinstance(penalty, Lagrangian) else {},
            temperature=self.plan.method.temperature(self.stepper.share),
            seconds=time.perf_counter() - started,
            peak_memory_bytes=memory.peak_bytes(self.plan.device),
        )

    def _derived(self, most_skips: int | None) -> Architecture:
        """What would be derived now, with at most so many skips in a cell."""
        targets = self.plan.targets if isinstance(self.plan.penalty, Lagrangian) else ()
        probabilities = {group: values.numpy() for group, values in self.stepper.probabilities().items()}
        if self.plan.guard is not None and not self.plan.targets:
            probabilities = without_zeros(self.plan.supernetwork, probabilities)
        return derive(self.plan.supernetwork, probabilities, Limits(self.plan.costs, targets, most_skips))

    def _reason_to_stop(self) -> str:
        if self.plan.guard is None:
            return ""
        moving = [epoch for epoch in self.epochs if epoch.validation_loss is not None]
        return self.plan.guard.reason_to_stop(self.plan.supernetwork, moving)

    def _record(self) -> DifferentiableRecord:
        return DifferentiableRecord(
            title=self.title,
            space=str(self.plan.supernetwork.space),
            method=method_name(self.plan.method),
            settings=self.config,
            targets={target.metric: target.bound for target in self.plan.targets},
            groups=self.plan.supernetwork.groups,
            epochs=tuple(self.epochs),
            architecture=self.epochs[-1].derived,
            stopped=self.stopped,
            environment=self.plan.environment(),
        )

    def _save(self) -> None:
        document = {
            "of": self.config,
            "stepper": self.stepper.document(),
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "stopped": self.stopped,
        }
        write_checkpoint(self.folder / CHECKPOINT, self.stepper.tensors() | self._generators(), document)
        self._record().save(self.folder)

    def _resume(self) -> None:
        """Go on from the checkpoint in the folder, if there is one."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            if (self.folder / RECORD).exists():
                raise ValueError(
                    f"{self.folder} holds a search whose {CHECKPOINT} is missing; choose another folder"
                )
            return
        with open_checkpoint(path) as kept:
            different = differences(kept.document["of"], self.config)
            if not different:
                self._restore(kept)
        if different:
            raise ValueError(
                f"{self.folder} holds a search with other settings ({'; '.join(different)}); choose another "
                "folder"
            )

    def _restore(self, kept: Checkpoint) -> None:
        self.stepper.restore(kept, kept.document["stepper"])
        states = self._generators()
        for name, state in states.items():
            kept.read_into(name, state)
        self.batches.generator.set_state(states["batches"])
        torch.set_rng_state(states["torch"])
        self.epochs = [read_epoch(epoch) for epoch in kept.document["epochs"]]
        self.stopped = kept.document["stopped"]

    def _generators(self) -> dict[str, Tensor]:
        """The states of torch's generators."""
        return {"batches": self.batches.generator.get_state(), "torch": torch.get_rng_state()}


def _title(planned: Plan) -> str:
    targets = f", {' and '.join(map(str, planned.targets))}" if planned.targets else ""
    return f"{method_name(planned.method)} on {planned.supernetwork.space.name}{targets}"


__all__ = ["GUARDED", "DifferentiableRun", "SearchDiverged", "search"]
