"""What is said of a differentiable search, in words and as a table of texts."""

from __future__ import annotations

from collections.abc import Mapping

from hwnas.differentiable.records import DifferentiableRecord, Epoch
from hwnas.objectives import format_quantity
from hwnas.report.differentiable_answer import Facts
from hwnas.report.text import UNKNOWN, label, percent

_UNITS = {"ms": "ms", "bytes": "bytes"}
PROBABILITIES = (
    "Each panel is a group of architecture parameters: how probable the softmax makes its choices after each "
    "epoch. Above it stands what the derived architecture takes, and how probable that is."
)
COSTS = (
    "The expected cost is that of the softmax of the architecture parameters, which the penalty acts on; the "
    "derived architecture is what the search would answer with after that epoch."
)
ACCURACIES = (
    "Of the supernet with its mixtures, not of the derived network: train is the images that the weights "
    "learn from, validation those of the architecture parameters."
)
CELL = (
    "Nodes are numbered as the groups are; grey ones are the inputs. An edge that is not drawn has no "
    "operation."
)
COLOURS = "Colours are those of the probabilities."
CHAIN = "Blocks in order, each with what was chosen for it; round ends are blocks without layers."


def headline(record: DifferentiableRecord, facts: Facts) -> str:
    """The answer in a sentence."""
    wanted = record.targets or ["flops"]
    said = [_cost(record, name, facts.costs[name]) for name in wanted if name in facts.costs]
    said += [] if facts.skips is None else [skips_of(facts.skips)]
    of = f" of {'; '.join(said)}" if said else ""
    verb = "derived" if is_finished(record) else "would derive"
    ended = f" It ended early: {record.stopped}." if record.stopped else ""
    return f"After {epochs_of(record)} {record.method} {verb} an architecture{of}.{ended}"


def is_finished(record: DifferentiableRecord) -> bool:
    """Whether all of its epochs ended, or a guard ended it."""
    return bool(record.stopped) or len(record.epochs) == record.settings.get("epochs", len(record.epochs))


def epochs_of(record: DifferentiableRecord) -> str:
    """`12 of 50 epochs`, `50 epochs`."""
    planned, done = record.settings.get("epochs", len(record.epochs)), len(record.epochs)
    plural = "" if planned == 1 else "s"
    return f"{done} epoch{plural}" if done == planned else f"{done} of {planned} epochs"


def skips_of(number: int) -> str:
    """`no skips`, `1 skip`."""
    return "no skips" if number == 0 else f"{number} skip{'' if number == 1 else 's'}"


def cost(name: str, value: float) -> str:
    """A cost with its unit: `4.92 M`, `3.1 ms`."""
    return format_quantity(value, _UNITS.get(name.rpartition("_")[2], ""))


def heads(record: DifferentiableRecord) -> list[str]:
    """Of the columns of `row`."""
    names = list(record.epochs[0].expected)
    return [
        "epoch",
        *("train loss", "train accuracy", "validation loss", "validation accuracy"),
        *(text for name in names for text in (f"expected {label(name)}", f"derived {label(name)}")),
        "unguarded skips",
        *(f"λ of {label(name)}" for name in _multiplied(record)),
        *(["temperature"] if _has_temperature(record) else []),
        *("seconds", "peak memory"),
    ]


def row(record: DifferentiableRecord, epoch: Epoch) -> list[str]:
    """An epoch; a dash for what did not exist yet."""
    costs = [cost(name, values[name]) for name in epoch.expected
             for values in (epoch.expected, epoch.derived_costs)]  # fmt: skip
    return [
        str(epoch.number),
        *(number(epoch.train_loss), percent(epoch.train_accuracy), number(epoch.validation_loss)),
        UNKNOWN if epoch.validation_accuracy is None else percent(epoch.validation_accuracy),
        *costs,
        str(epoch.skips),
        *(number(epoch.multipliers.get(name)) for name in _multiplied(record)),
        *([number(epoch.temperature)] if _has_temperature(record) else []),
        *(f"{epoch.seconds:.1f}", format_quantity(epoch.peak_memory_bytes, "bytes")),
    ]


def number(value: float | None) -> str:
    """Four digits, or a dash."""
    return UNKNOWN if value is None else f"{value:.4g}".replace("-", "−")


def against_target(targets: Mapping[str, float], name: str, value: float) -> str:
    """`1.6 % below the target of 50.00 M`; empty without a target."""
    if name not in targets:
        return ""
    excess = value / targets[name] - 1
    side = "above" if excess > 0 else "below"
    return f"{percent(abs(excess))} {side} the target of {cost(name, targets[name])}"


def _cost(record: DifferentiableRecord, name: str, value: float) -> str:
    against = against_target(record.targets, name, value)
    return f"{cost(name, value)} {label(name)}{f', {against}' if against else ''}"


def _multiplied(record: DifferentiableRecord) -> list[str]:
    return list(dict.fromkeys(name for epoch in record.epochs for name in epoch.multipliers))


def _has_temperature(record: DifferentiableRecord) -> bool:
    return any(epoch.temperature is not None for epoch in record.epochs)
