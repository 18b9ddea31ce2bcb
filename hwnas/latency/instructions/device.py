"""The device ``cortex-m7-cmsisnn``: boards with Cortex-M4, M7 or M33, by counted instructions."""

from __future__ import annotations

from contextlib import ExitStack
from hashlib import sha256

from hwnas.latency.devices.device import DeviceCard, ModelFailedError, RuntimeCard
from hwnas.latency.devices.estimating import Estimate, EstimatingDevice, program_of
from hwnas.latency.devices.registry import register
from hwnas.latency.instructions.constants import board_constant
from hwnas.latency.instructions.predictor import board_predictor
from hwnas.latency.instructions.shipped import CORTEX_M7, shipped


@register(CORTEX_M7)
class CortexM7(EstimatingDevice):
    """A Cortex-M board with CMSIS-NN by counted instructions; estimated, not measured.

    Latency = instructions of the int8 program of a model · the board's nanoseconds per instruction, as
    `board_predictor` has it; ``hwnas list boards`` says which boards have them.

    Args:
        board: its name; there is no board that goes without saying.

    Raises:
        ValueError: no board is given, or the table has no constant of it; the message names those.
    """

    name = CORTEX_M7
    options_in_card = ("board",)

    def __init__(self, board: str = "") -> None:
        folder = shipped()
        self.constant = board_constant(board, folder)
        content = b"".join(path.read_bytes() for path in sorted(folder.glob("*.csv")))
        self._version = sha256(content).hexdigest()[:12]
        self._predictor = board_predictor(self.constant.board.name)
        super().__init__()

    def describe(self) -> DeviceCard:
        """The board; an estimate."""
        board = self.constant.board
        return DeviceCard(
            kind="mcu",
            vendor="Arm",
            model=f"{board.name} {board.core} (estimated from counted instructions, not measured)",
            flags_digest=None,
            cores=1,
            threads=1,
            governor=None,
            virtual=True,
            maximum_mhz=board.clock_mhz,
            memory_kib=None,
            os="none",
        )

    def runtime(self) -> RuntimeCard:
        """The table, whose version is a digest of its files, and the board's constant."""
        options = {
            "board": self.constant.board.name,
            "ns_per_instruction": str(self.constant.ns_per_instruction),
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
