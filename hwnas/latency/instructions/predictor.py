"""A predictor for microcontrollers: counted instructions times one constant of a board."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.instructions.blocks import Counted, Counter
from hwnas.latency.instructions.constants import BoardConstant, board_constant
from hwnas.latency.instructions.operators import TERMS
from hwnas.latency.instructions.shipped import shipped
from hwnas.latency.instructions.table import Formula, InstructionTable
from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import (
    Floats,
    Predictor,
    UnseenLayersWarning,
    check_latencies,
    register,
)
from hwnas.network.network import Network
from hwnas.network.program import Program

NS_PER_MS = 1e6


@register
class InstructionPredictor(Predictor):
    """Latency = instructions · ns_per_instruction.

    The instructions are those of int8 CMSIS-NN kernels on a Cortex-M7, counted in an emulator: no cache,
    no wait state and no dual issue, which are in the constant. With one constant for each board, three
    published networks of two boards each and five of a third are within 5 %.

    Args:
        table: formulas of the operators; the Cortex-M7 table that comes with hwnas by default.
        ns_per_instruction: nanoseconds of one instruction; `fit` finds them from measured networks.
        board: the board that they are of, which is kept until `fit` finds others.

    Raises:
        ValueError: `ns_per_instruction` is not positive; the default table is not there.
    """

    kind: ClassVar[str] = "instructions"
    fewest: ClassVar[int] = 1

    def __init__(
        self,
        table: InstructionTable | None = None,
        *,
        ns_per_instruction: float | None = None,
        board: BoardConstant | None = None,
    ) -> None:
        if ns_per_instruction is not None and not 0 < ns_per_instruction < np.inf:
            raise ValueError(f"ns_per_instruction is {ns_per_instruction}; it must be a positive number")
        self._counter = Counter(table or InstructionTable.load(shipped()))
        self.ns_per_instruction = ns_per_instruction
        self.board = board

    @property
    def table(self) -> InstructionTable:
        """The formulas of the operators."""
        return self._counter.table

    @property
    def label(self) -> str:
        """What tells it from others in the record of a search."""
        board = f" of {self.board.table}:{self.board.board.name}" if self.board else ""
        return f"{self.kind}{board}, {self.ns_per_instruction} ns each"

    def fit(self, networks: Sequence[Network], latency_ms: Floats) -> None:
        """Find the constant that minimises Σ (predicted / measured - 1)²; as `Predictor.fit`.

        Raises:
            ValueError: as `Predictor.fit`; a network has an operator that was not counted.
        """
        n = len(networks)
        measured = check_latencies(
            latency_ms, lambda i: f"network {i}", n=n, fewest=self.fewest, kind=self.kind
        )
        ratio = self._instructions(networks) / NS_PER_MS / measured
        self.ns_per_instruction = float(ratio.sum() / (ratio @ ratio))
        self.board = None

    def predict(self, networks: Sequence[Network]) -> Floats:
        """As `Predictor.predict`; warns (`UnseenLayersWarning`) of windows that were not counted.

        Raises:
            RuntimeError: there is no constant.
            ValueError: a network has an operator that was not counted; the message names it.
        """
        scale = self._constant()
        return self._instructions(networks) * (scale / NS_PER_MS)

    def predict_program(self, program: Program) -> float:
        """Latency in milliseconds of a program, such as that of a .tflite file; raises as `predict`."""
        counted = self._counter.count_program(program)
        _warn_of_unseen([counted])
        return counted.instructions * self._constant() / NS_PER_MS

    def _constant(self) -> float:
        if self.ns_per_instruction is None:
            raise RuntimeError(f"the {self.kind} predictor is not fitted: call fit first, or choose a board")
        return self.ns_per_instruction

    def _instructions(self, networks: Sequence[Network]) -> Floats:
        found = [self._counter.count(network) for network in networks]
        _warn_of_unseen(found)
        return np.array([one.instructions for one in found], dtype=np.float64)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The coefficients of each class and the constant; raises RuntimeError where it is not fitted."""
        formulas = {f"coefficients_{kind}": f.coefficients for kind, f in self.table.formulas.items()}
        return {
            **{name: np.array(values) for name, values in formulas.items()},
            "operators_and_errors": np.array(
                [
                    [f.operators, f.largest_error, f.mean_error]
                    for f in map(self.table.formulas.get, TERMS)
                    if f
                ]
            ),
            "ns_per_instruction": np.array([self._constant()]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> InstructionPredictor:
        """As `Predictor.from_arrays`."""
        scale = arrays.floats("ns_per_instruction", 1)
        arrays.require(bool(scale[0] > 0), "ns_per_instruction", "positive")
        fits = arrays.floats("operators_and_errors", len(TERMS), 3)
        formulas = {}
        for (kind, terms), (operators, largest, mean) in zip(TERMS.items(), fits, strict=True):
            values = arrays.floats(f"coefficients_{kind}", len(terms))
            arrays.require(bool((values >= 0).all() and values.any()), f"coefficients_{kind}", "not negative")
            formulas[kind] = Formula(tuple(values.tolist()), int(operators), float(largest), float(mean))
        return cls(InstructionTable(formulas), ns_per_instruction=float(scale[0]))


def _warn_of_unseen(networks: Sequence[Counted]) -> None:
    """Say which operators have forms that none of the counted ones of their class has."""
    unseen = [one.unseen for one in networks]
    if any(unseen):
        warnings.warn(
            f"{sum(map(bool, unseen))} of {len(networks)} networks have windows that were not counted "
            f"({', '.join(sorted(set().union(*unseen)))}); their instructions are extrapolated",
            UnseenLayersWarning,
            stacklevel=4,
        )


def board_predictor(board: str, table: str | None = None) -> InstructionPredictor:
    """The predictor of a board of an instruction table.

    >>> board_predictor("stm32h743").predict([network])                     # doctest: +SKIP

    Raises:
        ValueError: no such table, or it has no constant of such a board; the message names those that it has.
    """
    folder = shipped(table) if table else shipped()
    found = board_constant(board, folder)
    return InstructionPredictor(
        InstructionTable.load(folder), ns_per_instruction=found.ns_per_instruction, board=found
    )
