"""The device ``cortex-m7-cmsisnn``: boards with Cortex-M4, M7 or M33, by counted instructions."""

from __future__ import annotations

from contextlib import ExitStack
from hashlib import sha256

from hwnas.latency.devices.device import DeviceCard, ModelFailedError, RuntimeCard
from hwnas.latency.devices.estimating import Estimate, EstimatingDevice, program_of
from hwnas.latency.devices.registry import register
from hwnas.latency.instructions.boards import known_board
from hwnas.latency.instructions.predictor import InstructionPredictor
from hwnas.latency.instructions.shipped import CORTEX_M7, shipped
from hwnas.latency.instructions.table import InstructionTable


@register(CORTEX_M7)
class CortexM7(EstimatingDevice):
    """A Cortex-M board with CMSIS-NN by counted instructions; estimated, not measured.

    Latency = instructions of the int8 program of a model · the board's nanoseconds per instruction, as
    `board_predictor` has it; ``hwnas list boards`` names the boards, `latency_tables` their constants.

    Args:
        board: name in the table's `boards.csv`.

    Raises:
        ValueError: the table has no such board.
    """

    name = CORTEX_M7
    options_in_card = ("board",)

    def __init__(self, board: str = "stm32h743") -> None:
        folder = shipped()
        self.board = known_board(board, folder)
        content = b"".join(path.read_bytes() for path in sorted(folder.glob("*.csv")))
        self._version = sha256(content).hexdigest()[:12]
        self._predictor = InstructionPredictor(
            InstructionTable.load(folder), ns_per_instruction=self.board.ns_per_instruction
        )
        super().__init__()

    def describe(self) -> DeviceCard:
        """The board; an estimate."""
        clock = self.board.clock_mhz
        return DeviceCard(
            kind="mcu",
            vendor="Arm",
            model=f"{self.board.name} {self.board.core} (estimated from counted instructions, not measured)",
            flags_digest=None,
            cores=1,
            threads=1,
            governor=None,
            virtual=True,
            maximum_mhz=None if clock is None else int(clock),
            memory_kib=None,
            os="none",
        )

    def runtime(self) -> RuntimeCard:
        """The table, whose version is a digest of its files, and the board's constant."""
        options = {
            "board": self.board.name,
            "ns_per_instruction": str(self.board.ns_per_instruction),
            "batch": "1",
        }
        return RuntimeCard("TFLite Micro with CMSIS-NN", self._version, CORTEX_M7, "int8", options)

    def estimator(self, stack: ExitStack) -> Estimate:
        """Counts the operators of the int8 program."""

        def estimate(model: bytes) -> float:
            try:
                return self._predictor.predict_program(program_of(model))
            except ModelFailedError:
                raise
            except ValueError as error:
                raise ModelFailedError(str(error)) from None

        return estimate
