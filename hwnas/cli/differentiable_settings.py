"""`--strategy darts:order=2,epochs=20 --penalty flops --target 50M`: what these options of a search mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from hwnas.objectives import Constraint, parse_quantity
from hwnas.objectives.penalties import penalty
from hwnas.torch_device import check_torch_device
from hwnas.typed import check_settings

if TYPE_CHECKING:
    from hwnas.differentiable.guards import Guard
    from hwnas.differentiable.methods import Method

FORM = "lagrangian"
"""Of the penalty where none is said."""


@dataclass(frozen=True)
class SearchOptions:
    """Settings that every method has beside its own.

    Attributes:
        epochs: of the supernet.
        batch_size: images in a step.
        precision: fp32 or bf16.
        device: cpu or cuda, where the supernet and the derived architecture are trained.
        threads: of the processor.
        guard: whether a collapsed search is ended, and its answer kept from collapse; the guard has settings
            of its own.

    Raises:
        ValueError: a device that torch does not have.
    """

    epochs: int = 50
    batch_size: int = 64
    precision: str = "fp32"
    device: str = "cpu"
    threads: int = 1
    guard: bool = True

    def __post_init__(self) -> None:
        check_torch_device(self.device)


def parts_of(name: str, given: Mapping[str, Any]) -> tuple[Method, SearchOptions, Guard | None]:
    """The method called `name`, the options of its search, and its guard, of all settings of the strategy.

    Raises:
        ValueError: a setting that none of them has, of the wrong kind, or out of range.
    """
    from hwnas.differentiable.guards import Guard
    from hwnas.differentiable.methods import METHODS

    kinds = (METHODS[name], SearchOptions, Guard)
    known = [field.name for kind in kinds for field in fields(kind)]
    for setting in given:
        if setting not in known:
            raise ValueError(f"strategy {name}: {setting} is no setting of it; it has {', '.join(known)}")
    method, options, guard = (_made(kind, given, f"strategy {name}") for kind in kinds)
    return method, options, guard if options.guard else None


def _made(kind: type[Any], given: Mapping[str, Any], of: str) -> Any:
    """A data class with those of the settings that are its own."""
    own = {field.name: given[field.name] for field in fields(kind) if field.name in given}
    check_settings(kind, own, of)
    try:
        return kind(**own)
    except ValueError as error:
        raise ValueError(f"{of}: {error}") from error


def targets_of(
    penalties: Sequence[str], targets: Sequence[str], subject_to: Sequence[str]
) -> tuple[list[Constraint], str]:
    """The costs with their targets, and the form of the penalty: `lagrangian`, or `ratio:weight=0.1`.

    Args:
        penalties: `flops`, or with the form `flops:ratio,weight=0.1`.
        targets: as many, `50M`.
        subject_to: further targets, `flops <= 50M`.

    Raises:
        ValueError: an unknown cost, a unit that does not fit, different forms, a cost that is given twice, a
            penalty without its target, or a form's setting that is wrong.
    """
    from hwnas.differentiable.costs.targets import UNITS

    if len(penalties) != len(targets):
        raise ValueError(
            f"--penalty is given {len(penalties)} times and --target {len(targets)} times: each penalty has "
            "its target, such as --penalty flops --target 50M"
        )
    found = [_target(one.partition(":")[0], bound) for one, bound in zip(penalties, targets, strict=True)]
    found += [Constraint.parse(one, UNITS) for one in subject_to]
    names = [one.metric for one in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} has {names.count(name)} targets; give it one")
    return found, _form(penalties)


def _target(cost: str, bound: str) -> Constraint:
    from hwnas.differentiable.costs.targets import UNITS

    if cost not in UNITS:
        raise ValueError(
            f"--penalty {cost}: no cost of differentiable searches; there are {', '.join(UNITS)}"
        )
    try:
        return Constraint(cost, parse_quantity(bound, UNITS[cost]))
    except ValueError as error:
        raise ValueError(f"--target {bound}: {error}") from error


def _form(penalties: Sequence[str]) -> str:
    """The one form of all penalties; raises ValueError where they differ, or it is wrong."""
    forms = list(dict.fromkeys(one.partition(":")[2] for one in penalties if ":" in one))
    if len(forms) > 1:
        raise ValueError(f"--penalty: all penalties of a search have one form, not {' and '.join(forms)}")
    if not forms:
        return FORM
    form = ":".join(filter(None, forms[0].partition(",")[::2]))
    try:
        penalty(form)
    except ValueError as error:
        raise ValueError(f"--penalty {forms[0]}: {error}") from error
    return form
