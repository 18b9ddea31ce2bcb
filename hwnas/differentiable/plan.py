"""What a differentiable search is asked to do, checked before it begins."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import torch

from hwnas.differentiable.costs.targets import UNITS, Cost, check_targets, costs
from hwnas.differentiable.fitting import fingerprint, fitting
from hwnas.differentiable.guards import Guard
from hwnas.differentiable.methods import METHODS, Method, method
from hwnas.differentiable.settings import SearchSettings, require_precision
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.latency.predictors.parts import PartsPredictor
from hwnas.objectives import Constraint, Penalty, penalty
from hwnas.spaces import SearchSpace
from hwnas.spaces.supernetwork import Supernetwork
from hwnas.training import DataSet

LOGGED = ("flops", "params")


@dataclass(frozen=True, eq=False)
class Plan:
    """A search whose parts fit each other."""

    supernetwork: Supernetwork
    data: DataSet
    method: Method
    costs: dict[str, Cost]
    targets: tuple[Constraint, ...]
    penalty: Penalty
    guard: Guard | None
    settings: SearchSettings
    device: torch.device

    def config(self) -> dict[str, Any]:
        """Everything that decides the search, by setting, as plain data.

        Tables of latencies are told apart by what they expect where all choices are equally probable.
        """
        equal = {
            group: torch.full((len(labels),), 1 / len(labels), dtype=torch.float64)
            for group, labels in self.supernetwork.groups.items()
        }
        return {
            "space": str(self.supernetwork.space),
            "data": fingerprint(self.data),
            "method": method_name(self.method),
            **asdict(self.method),
            "targets": ", ".join(map(str, self.targets)),
            "penalty": repr(self.penalty),
            "guard": repr(self.guard),
            **asdict(self.settings),
            **{f"mean {name}": float(cost.expected(equal)) for name, cost in self.costs.items()},
        }

    def environment(self) -> dict[str, Any]:
        """Machine and versions."""
        return {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "device": torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu",
            "threads": torch.get_num_threads(),
            "versions": {name: version(name) for name in ("hwnas", "torch", "numpy")},
        }


def plan(
    space: SearchSpace,
    data: DataSet | str,
    how: Method | str,
    subject_to: Sequence[Constraint | str],
    predictor: PartsPredictor | None,
    by: Penalty | str,
    guard: Guard | None,
    settings: SearchSettings,
    device: str | torch.device | None,
) -> Plan:
    """A checked search; the arguments are those of `hwnas.differentiable.search`."""
    where = torch.device("cpu" if device is None else device)
    require_precision(settings.precision, where)
    supernetwork = space.supernetwork()
    targets = tuple(
        one if isinstance(one, Constraint) else Constraint.parse(one, UNITS) for one in subject_to
    )
    latency = ["latency_ms"] if predictor is not None else []
    names = [*LOGGED, *latency, *(target.metric for target in targets)]
    priced = costs(CandidateWeights(supernetwork), names, predictor)
    check_targets(supernetwork, priced, targets)
    return Plan(
        supernetwork,
        fitting(supernetwork, data),
        method(how) if isinstance(how, str) else how,
        priced,
        targets,
        penalty(by) if isinstance(by, str) else by,
        guard,
        settings,
        where,
    )


def method_name(one: Method) -> str:
    """The name of a method, or its class's where it has none."""
    return next((name for name, kind in METHODS.items() if kind is type(one)), type(one).__name__)
