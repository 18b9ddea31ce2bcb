"""Records of differentiable searches as they leave them, made up."""

from typing import Any

import numpy as np

from hwnas.differentiable.records import DifferentiableRecord, Epoch
from hwnas.spaces import space


def made(spec: str = "nasbench201", epochs: int = 6, **changes: Any) -> DifferentiableRecord:
    """Of probabilities that move from equal ones towards random ones, and costs that fall to the target."""
    rng = np.random.default_rng(0)
    searched = space(spec)
    supernetwork = searched.supernetwork()
    goals = {group: rng.normal(0, 3, len(labels)) for group, labels in supernetwork.groups.items()}
    found = []
    for number in range(1, epochs + 1):
        shares = {group: _softmax(goal * number / epochs) for group, goal in goals.items()}
        derived = str(supernetwork.derive(shares))
        found.append(_epoch(number, epochs, shares, derived))
    values: dict[str, Any] = {
        "title": f"darts on {searched.name}",
        "space": str(searched),
        "method": "darts",
        "settings": {"epochs": epochs, "rate": 3e-4, "seed": 0},
        "targets": {"flops": 5e7},
        "groups": supernetwork.groups,
        "epochs": tuple(found),
        "architecture": found[-1].derived,
        "stopped": "",
        "environment": {"python": "3.12", "versions": {"torch": "2.8"}},
    }
    return DifferentiableRecord(**{**values, **changes})


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    shares: np.ndarray = powers / powers.sum()
    return shares


def _epoch(number: int, epochs: int, shares: dict[str, np.ndarray], derived: str) -> Epoch:
    flops = 5e7 * (2 - number / epochs)
    is_moving = number > 1
    return Epoch(
        number=number,
        train_loss=2.3 / number,
        train_accuracy=1 - 0.9 / number,
        validation_loss=2.5 / number if is_moving else None,
        validation_accuracy=1 - 0.95 / number if is_moving else None,
        expected={"params": flops / 80, "flops": flops},
        derived=derived,
        derived_costs={"params": flops / 81, "flops": 0.98 * flops},
        skips=number % 3,
        probabilities={group: tuple(values.tolist()) for group, values in shares.items()},
        multipliers={"flops": 0.1 * number},
        temperature=None,
        seconds=12.0,
        peak_memory_bytes=3 << 20,
    )
