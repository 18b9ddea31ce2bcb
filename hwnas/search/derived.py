"""One architecture that was derived, not tried: its ONNX file, trained and measured as candidates are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hwnas.executors import InlineExecutor
from hwnas.latency import Device, FittedPredictor
from hwnas.network.to_onnx import to_onnx
from hwnas.objectives import Constraint, Objective
from hwnas.search.folder import NETWORKS, TRIALS, read_json, write_json
from hwnas.search.measured import is_disturbed, measure_file, read_measured
from hwnas.search.metrics import PredictedMetric
from hwnas.search.outcome import read_candidate
from hwnas.search.records import Candidate, Trial
from hwnas.search.store import CorruptRunError, TrialStore
from hwnas.search.trained import Training
from hwnas.search.verify import DISTURBED, TRIES, Verifier
from hwnas.spaces import Architecture

if TYPE_CHECKING:
    from hwnas.network.weights import Weights

DERIVED = "derived.json"
_SCORE = "supernet_accuracy"


@dataclass(frozen=True)
class Derived:
    """An architecture, and what its search knows of it.

    Attributes:
        architecture: the answer.
        costs: by metric.
        accuracy: of the supernet, a fraction; None where none was trained.
        targets: that the costs are compared with.
        weights: inherited from the supernet; None where none was trained.
    """

    architecture: Architecture
    costs: Mapping[str, float]
    accuracy: float | None = None
    targets: Sequence[Constraint] = ()
    weights: Weights | None = None

    @property
    def known(self) -> dict[str, float]:
        """The costs, and the accuracy of the supernet where there is one."""
        return {**self.costs, **({} if self.accuracy is None else {_SCORE: self.accuracy})}


def verify_derived(
    derived: Derived,
    folder: Path,
    *,
    predictor: FittedPredictor | None,
    device: Device | None,
    training: Training | None,
    say: Callable[[str], None],
) -> Candidate:
    """Write the ONNX file of what was derived, and what was measured of it, into the folder of its search.

    Args:
        derived: what to verify.
        folder: of the search; `networks/` in it gets the file, `derived.json` the candidate.
        predictor: of the latency, to whose scale a measured one is brought.
        device: where it is measured; it is not where None.
        training: how it is trained, from new weights; with None the file has the inherited weights, or random
            ones where there are none.
        say: is told each step.

    Raises:
        OSError: the folder cannot be written.
    """
    if training is None and derived.weights is not None:
        found = _inherited(derived, derived.weights, folder, predictor, device, say)
    else:
        found = _as_candidate(derived, folder, predictor, device, training, say)
    satisfies = not found.reason and Objective(_SCORE, tuple(derived.targets)).is_feasible(found.compared)
    disturbed = found.flag == "drifted" and not satisfies
    found = replace(found, satisfies=satisfies, reason=DISTURBED if disturbed else found.reason)
    write_json(folder / DERIVED, asdict(found))
    return found


def read_derived(folder: Path) -> Candidate | None:
    """What `verify_derived` left in a folder; None where it did not get there.

    Raises:
        CorruptRunError: the file is damaged.
    """
    path = folder / DERIVED
    if not path.exists():
        return None
    try:
        return read_candidate(read_json(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptRunError(f"{path} is damaged: {error!r}") from error


def _as_candidate(
    derived: Derived,
    folder: Path,
    predictor: FittedPredictor | None,
    device: Device | None,
    training: Training | None,
    say: Callable[[str], None],
) -> Candidate:
    store = TrialStore(folder / TRIALS)
    try:
        verifier = Verifier(
            derived.architecture.space,
            Objective(next(iter(derived.known))),
            {} if predictor is None else {"latency_ms": PredictedMetric("latency_ms", predictor)},
            store,
            folder,
            device,
            training,
            InlineExecutor(),
            say,
        )
        trial = Trial(0, str(derived.architecture), "complete", derived.known)
        return verifier.candidates([trial], 1)[0]
    finally:
        store.close()


def _inherited(
    derived: Derived,
    weights: Weights,
    folder: Path,
    predictor: FittedPredictor | None,
    device: Device | None,
    say: Callable[[str], None],
) -> Candidate:
    file = f"{NETWORKS}/inherited.onnx"
    (folder / NETWORKS).mkdir(exist_ok=True)
    to_onnx(derived.architecture.network, folder / file, weights=weights)
    found = Candidate(str(derived.architecture), derived.known, {}, satisfies=False, onnx=file)
    if device is None:
        return found
    reference = predictor.card.sentinels if predictor is not None else {}
    for _ in range(TRIES):
        say(f"measuring {file} on {device.name}")
        document = measure_file(folder / file, device)
        if not is_disturbed(document, reference):
            break
    if "reason" in document:
        return replace(found, reason=document["reason"])
    measured = read_measured(document, reference)
    return replace(
        found,
        measured={"latency_ms": measured.latency_ms},
        flag=measured.flag,
        as_measured_ms=measured.as_measured_ms,
        at_most_ms=measured.at_most_ms,
    )
