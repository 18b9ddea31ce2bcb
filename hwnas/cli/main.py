"""The `hwnas` program."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

import typer

from hwnas.cli import table
from hwnas.cli.output import show_warning
from hwnas.latency import RunnerDiedError

COMMANDS = {
    "demo": "demo",
    "measure": "measure",
    "design": "design",
    "bundle": "bundle",
    "fit": "fit",
    "predict": "predict",
    "search": "search",
    "select-space": "select_space",
    "report": "report",
    "train": "train",
    "export": "export",
    "count": "count",
    "score": "score",
    "correlate": "correlate",
    "benchmark": "benchmark",
    "list": "listing",
}

KEPT = {
    "measure": "--out",
    "search": "",
    "demo": "",
    "score": "--out",
    "benchmark": "--out",
    "fit": "--transfer",
}
"""Commands that keep what they did, and the option without which they do not."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find neural networks that fit a device: measure it, predict, search under a budget, verify.",
)
for name, module in COMMANDS.items():
    app.command(name)(getattr(import_module(f"hwnas.cli.{module}"), module))
app.add_typer(table.app, name="table")


def main() -> None:
    """Run the program: exit code 2 and one line for the user's mistakes, 130 for Ctrl-C."""
    warnings.showwarning = show_warning
    try:
        app()
    except SystemExit as stop:  # typer turns Ctrl-C into exit code 130
        if stop.code == 130:
            _stop(stopped(sys.argv[1:]), 130)
        raise
    except MemoryError as error:
        _stop(f"error: {error or 'not enough memory for this input'}", 2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _stop(f"error: {where}{error.strerror or error}", 2)
    except (ValueError, RunnerDiedError) as error:
        _stop(f"error: {error}", 2)


def stopped(arguments: Sequence[str]) -> str:
    """What is said after Ctrl-C: whether the command of these arguments goes on when it is repeated."""
    option = KEPT.get(arguments[0]) if arguments else None
    if option is None or not any(argument.startswith(option) for argument in arguments):
        return "stopped"
    return "stopped; the same command goes on from here"


def _stop(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(code)
