"""`hwnas list`: what there is, by kind."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Annotated, Any

import typer

from hwnas.cli.options import Json
from hwnas.cli.output import print_json, print_table

IN_JSON_ONLY = ("source",)


class Kind(str, Enum):
    """What can be listed."""

    devices = "devices"
    spaces = "spaces"
    proxies = "proxies"
    metrics = "metrics"
    strategies = "strategies"
    rewards = "rewards"
    penalties = "penalties"
    runtimes = "runtimes"
    boards = "boards"
    tables = "tables"
    predictors = "predictors"


def listing(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    json: Json = False,
) -> None:
    """List devices, spaces, proxies, metrics, strategies, rewards, penalties, runtimes, boards, and more."""
    rows = _LISTS[kind]()
    if json:
        print_json(rows)
        return
    if not rows:
        print(f"no {kind.value} found")
        return
    columns = [column for column in rows[0] if column not in IN_JSON_ONLY]
    print_table(columns, [[str(row[column]) for column in columns] for row in rows])


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0]


def _devices() -> list[dict[str, str]]:
    from hwnas.latency import devices
    from hwnas.latency.devices.registry import device_class, device_options

    return [
        {
            "device": name,
            "here": device_class(name).unavailable() or "yes",
            "options": ", ".join(option for option in device_options(name) if option != "protocol"),
            "description": _first_line(device_class(name)),
        }
        for name in devices()
    ]


def _spaces() -> list[dict[str, str]]:
    import inspect

    from hwnas.spaces import SPACES

    return [
        {
            "space": name,
            "settings": ", ".join(inspect.signature(kind).parameters),
            "description": _first_line(kind),
        }
        for name, kind in SPACES.items()
    ]


def _proxies() -> list[dict[str, str]]:
    from hwnas.proxies import get, names

    found = [get(name) for name in names()]
    return [
        {
            "proxy": one.name,
            "better": "higher" if one.higher_is_better else "lower",
            "needs": ", ".join(sorted(one.needs)) or "nothing",
            "description": one.summary,
        }
        for one in found
    ]


def _metrics() -> list[dict[str, str]]:
    from hwnas.cli.maximized import trained_metrics
    from hwnas.cost.metrics import MEMORY_METRICS
    from hwnas.search.metrics import COUNTS, known_metrics
    from hwnas.search.zero_cost import NAME as ZERO_COST

    kinds = {
        **dict.fromkeys(MEMORY_METRICS, "memory plan (--runtime)"),
        ZERO_COST: "proxies joined by ranks",
        **{
            name: f"{one.kind} (--data), settings {', '.join(one.settings)}"
            for name, one in trained_metrics().items()
        },
    }
    rows = [
        {"metric": name, "kind": "count" if name in COUNTS else kinds.get(name, "zero-cost proxy")}
        for name in dict.fromkeys([*known_metrics(), *trained_metrics()])
    ]
    return [*rows, {"metric": "latency_ms", "kind": "predictor (--predictor)"}]


def _strategies() -> list[dict[str, str]]:
    from hwnas.cli.differentiable_pruning import TENAS
    from hwnas.differentiable.methods import METHODS
    from hwnas.search import STRATEGIES

    by_gradients = {name: f"by gradients: {_first_line(kind)}" for name, kind in METHODS.items()}
    by_pruning = {TENAS: 'by pruning: Chen et al., "TE-NAS", ICLR 2021; a supernet that is not trained.'}
    described = {name: _first_line(kind) for name, kind in STRATEGIES.items()} | by_gradients | by_pruning
    return [{"strategy": name, "description": text} for name, text in described.items()]


def _rewards() -> list[dict[str, str]]:
    from hwnas.objectives.rewards.registry import PAPERS, REWARDS

    return [{"reward": name, **_formula(make), "paper": PAPERS[name]} for name, make in REWARDS.items()]


def _penalties() -> list[dict[str, str]]:
    from hwnas.objectives.penalties import PENALTIES

    return [{"penalty": name, **_formula(make)} for name, make in PENALTIES.items()]


def _formula(make: Callable[..., Any]) -> dict[str, str]:
    kind = make.func if isinstance(make, partial) else make
    return {"formula": _first_line(kind), "settings": _numbers(make)}


def _numbers(make: Callable[..., Any]) -> str:
    """The settings that are numbers, with their defaults; NUMBER where one must be given."""
    import inspect

    found = {name: one.default for name, one in inspect.signature(make).parameters.items()}
    return ", ".join(
        f"{name}={'NUMBER' if default is inspect.Parameter.empty else f'{default:g}'}"
        for name, default in found.items()
        if not isinstance(default, tuple)
    )


def _runtimes() -> list[dict[str, str]]:
    from hwnas.cost.flash import FORMATS
    from hwnas.cost.memory import RUNTIMES

    return [
        {
            "runtime": runtime.name,
            "padding": "inside convolutions" if runtime.fuses_pads else "PAD operators",
            "flash": "yes" if runtime.name in FORMATS else "no",
        }
        for runtime in RUNTIMES.values()
    ]


def _boards() -> list[dict[str, str]]:
    from hwnas.cost import boards
    from hwnas.latency.instructions.constants import board_constants
    from hwnas.latency.instructions.shipped import shipped

    constants = board_constants(shipped())
    kinds = {name: "estimated" if one.is_estimated else "published" for name, one in constants.items()}
    return [
        {
            "board": board.name,
            "core": board.core,
            "clock MHz": str(board.clock_mhz),
            "SRAM kB": f"{board.sram_bytes // 1024}",
            "flash kB": f"{board.flash_bytes // 1024}",
            "latency": kinds.get(board.name, "none"),
            "source": board.source,
        }
        for board in boards().values()
    ]


def _tables() -> list[dict[str, str]]:
    from hwnas.cli.data import found_in

    return [{"table": name, "folder": str(folder)} for name, folder in found_in("latency_tables").items()]


def _predictors() -> list[dict[str, str]]:
    from hwnas.cli.data import found_in

    return [{"predictor": name, "folder": str(folder)} for name, folder in found_in("predictors").items()]


_LISTS = {
    Kind.devices: _devices,
    Kind.spaces: _spaces,
    Kind.proxies: _proxies,
    Kind.metrics: _metrics,
    Kind.strategies: _strategies,
    Kind.rewards: _rewards,
    Kind.penalties: _penalties,
    Kind.runtimes: _runtimes,
    Kind.boards: _boards,
    Kind.tables: _tables,
    Kind.predictors: _predictors,
}
