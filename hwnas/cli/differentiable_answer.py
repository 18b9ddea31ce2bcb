"""Searches that derive one architecture: what is asked of them, and what becomes of their answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.cli.maximized import training_of_candidates
from hwnas.cli.output import console, say
from hwnas.objectives import format_quantity

if TYPE_CHECKING:
    from hwnas.latency import Device, FittedPredictor
    from hwnas.latency.instructions.predictor import InstructionPredictor
    from hwnas.search import Training
    from hwnas.search.derived import Derived
    from hwnas.search.records import Candidate
    from hwnas.spaces import SearchSpace


@dataclass(frozen=True)
class Request:
    """What the command line asked for.

    Attributes:
        space: where to search.
        folder: of the run.
        strategy: its name.
        settings: of the strategy.
        data: that it searches with.
        predictor: of the latency.
        device: where the answer is measured; it is not where None.
        train_epochs: of the derived architecture; 0: it is not trained.
        seed: of everything random.
    """

    space: SearchSpace
    folder: Path
    strategy: str
    settings: Mapping[str, Any]
    data: str | None
    predictor: FittedPredictor | InstructionPredictor | None
    device: Device | None
    train_epochs: int
    seed: int

    def training(self, device: str) -> Training | None:
        """How the answer is trained on `device`; raises ValueError where there are no images."""
        training = training_of_candidates(self.data, self.train_epochs, self.seed, {})
        return training and replace(training, device=device)

    def check(self, others: tuple[str, ...], why: str) -> str:
        """The data; raises ValueError where there is none, or one of the files `others` is in the folder."""
        if self.data is None:
            raise ValueError(
                f"--data is missing: {self.strategy} {why} on images: digits, a file, or a folder"
            )
        if any((self.folder / name).exists() for name in others):
            raise ValueError(f"--run {self.folder} holds a search of another kind; choose another folder")
        return self.data


def verified(request: Request, derived: Derived, training: Training | None) -> Candidate:
    """The answer with its ONNX file, trained and measured as asked for."""
    from hwnas.latency import FittedPredictor
    from hwnas.search.derived import verify_derived

    return verify_derived(
        derived,
        request.folder,
        predictor=request.predictor if isinstance(request.predictor, FittedPredictor) else None,
        device=request.device,
        training=training,
        say=say,
    )


def print_measured(candidate: Candidate) -> None:
    """What was measured of the answer, a line each."""
    from hwnas.report.differentiable_text import cost
    from hwnas.report.text import label

    for name, value in candidate.measured.items():
        text = format_quantity(value, "fraction") if name.endswith("accuracy") else cost(name, value)
        console.print(f"measured {label(name)}: {text}", markup=False)


def print_files(candidate: Candidate, page: Path, untrained: str) -> None:
    """The page, the answer, and its ONNX file with what its weights are: trained, or else `untrained`."""
    weights = "trained" if "accuracy" in candidate.measured else untrained
    onnx = (
        f"{page.parent / candidate.onnx}, weights {weights}"
        if candidate.onnx
        else f"none, {candidate.reason}"
    )
    lines = [f"report: {page}", f"best: {candidate.architecture}", f"onnx: {onnx}"]
    console.print("\n".join(lines), markup=False, soft_wrap=True)
