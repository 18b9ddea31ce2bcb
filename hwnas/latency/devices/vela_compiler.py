"""Arm's compiler Vela (`ethos-u-vela`, extra `mcu`) in a process of its own, and what it estimates."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from select import select
from types import TracebackType
from typing import IO

from hwnas.latency.devices.vela_report import VelaEstimate, read_report

ACCELERATORS: dict[str, str] = {
    **dict.fromkeys(
        ("ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256"), "Ethos_U55_High_End_Embedded"
    ),
    **dict.fromkeys(("ethos-u65-256", "ethos-u65-512"), "Ethos_U65_Embedded"),
    **dict.fromkeys(
        ("ethos-u85-128", "ethos-u85-256", "ethos-u85-512", "ethos-u85-1024", "ethos-u85-2048"),
        "Ethos_U85_SYS_Flash_High",
    ),
}
"""Each accelerator (the number is its multiply-accumulates per cycle) and the system of Vela's `Arm/vela.ini`
that it is estimated in: 500 MHz, weights in off-chip flash."""

MEMORY_MODE = "Shared_Sram"
PATIENCE_S = 300.0


class VelaError(ValueError):
    """The compiler refused a network; the message says why."""


def unavailable() -> str | None:
    """Why there is no compiler here, or None."""
    try:
        version("ethos-u-vela")
    except PackageNotFoundError:
        return "ethos-u-vela is not installed: pip install hwnas[mcu]"
    return None


class VelaCompiler:
    """A process with the compiler; a context manager.

    Loading the compiler takes ten times as long as compiling a small network. Damaged files kill it; then a
    new process is started for the next one.

    Raises:
        ValueError: the compiler is not installed; where it is first used: its installation is broken.
    """

    def __init__(self) -> None:
        if reason := unavailable():
            raise ValueError(reason)
        self._process: subprocess.Popen[str] | None = None

    def estimate(self, tflite: bytes, accelerator: str) -> VelaEstimate:
        """What the compiler says of a `.tflite` file on an accelerator, one of `ACCELERATORS`.

        Raises:
            ValueError: there is no such accelerator.
            VelaError: the compiler refused the file, or died or hung over it, its report is none, or the
                accelerator executes nothing of the network.
        """
        if accelerator not in ACCELERATORS:
            raise ValueError(f"no accelerator {accelerator!r}; known: {', '.join(ACCELERATORS)}")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            network, out = folder / "network.tflite", folder / "out"
            network.write_bytes(tflite)
            if refusal := self._ask(_arguments(network, out, accelerator)):
                raise VelaError(f"Vela refuses it for {accelerator}: {refusal}")
            try:
                found = read_report(out, accelerator)
            except ValueError as error:
                raise VelaError(f"Vela's report for {accelerator}: {error}") from None
        if not found.cycles:
            left = f"it leaves all to the processor: {', '.join(found.on_cpu[:5])}"
            raise VelaError(
                f"{accelerator} executes nothing of it; {left if found.on_cpu else 'it computes nothing'}"
            )
        return found

    def _ask(self, arguments: list[str]) -> str:
        """Why the compiler refused, or an empty text."""
        if self._process is None:
            self._start()
        stdin, _ = self._streams()
        stdin.write(json.dumps(arguments) + "\n")
        stdin.flush()
        answer = self._answer()
        return "it killed the compiler" if answer is None else answer

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hwnas.latency.devices.vela_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C reaches the parent only, which ends the process
        )
        defect = self._answer()
        if defect is None:
            defect = "its process ended"
        if defect:
            self.close()
            raise ValueError(f"ethos-u-vela is installed but does not start: {defect}")

    def _answer(self) -> str | None:
        """What the process says; None where it ended."""
        _, stdout = self._streams()
        if not select([stdout], [], [], PATIENCE_S)[0]:
            self.close()
            return f"no answer in {PATIENCE_S:g} s"
        line = stdout.readline()
        if not line:
            self.close()
            return None
        answer: str = json.loads(line)
        return answer

    def _streams(self) -> tuple[IO[str], IO[str]]:
        """Input and output of the process."""
        assert self._process and self._process.stdin and self._process.stdout
        return self._process.stdin, self._process.stdout

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in self._streams():
            stream.close()
        self._process = None

    def __enter__(self) -> VelaCompiler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def vela_estimate(tflite: bytes, accelerator: str) -> VelaEstimate:
    """What Arm's compiler estimates of a `.tflite` file on an Ethos-U; about half a second.

    Args:
        tflite: content of the file.
        accelerator: one of `ACCELERATORS`, such as `ethos-u55-128`.

    Raises:
        As `VelaCompiler` and its `estimate`.
    """
    with VelaCompiler() as compiler:
        return compiler.estimate(tflite, accelerator)


def _arguments(network: Path, out: Path, accelerator: str) -> list[str]:
    settings = {
        "--accelerator-config": accelerator,
        "--config": "Arm/vela.ini",
        "--system-config": ACCELERATORS[accelerator],
        "--memory-mode": MEMORY_MODE,
        "--output-dir": str(out),
    }
    return [str(network), "--verbose-performance", *(text for pair in settings.items() for text in pair)]
