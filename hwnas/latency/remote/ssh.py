"""The device ``ssh://user@host``: another machine's processor under onnxruntime, over SSH."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from hwnas.latency.devices.device import Device, DeviceCard, RuntimeCard
from hwnas.latency.devices.registry import register
from hwnas.latency.records import from_plain
from hwnas.latency.remote.address import parse
from hwnas.latency.remote.options import CpuOptions
from hwnas.latency.remote.ssh_errors import ConnectionLostError, NoRunnerError, RemoteError
from hwnas.latency.remote.ssh_runner import SshRunner, copy_runner
from hwnas.latency.tables.entry import is_label
from hwnas.latency.timing.host import HostFacts, HostReading
from hwnas.latency.timing.protocol import STANDARD, Protocol


@dataclass(frozen=True)
class _Contact:
    """What a machine said of itself at first."""

    device: DeviceCard
    runtime: RuntimeCard
    reading: HostReading


@register("ssh")
class Ssh(Device):
    """The processor of another machine under onnxruntime, over SSH (ssh://user@host).

    That machine needs Python 3.10, numpy and onnxruntime, and must let this user in with a key. The first
    contact is made when the device is asked what it is, and fails at once; a connection that breaks later
    is made again, with growing pauses. That machine's own lock is held while it measures, so that nothing
    else measures on it meanwhile, whoever asks and under whatever name.

    Args:
        url: ``ssh://user@host:port?python=...&identity=...&option=...``; see
            `hwnas.latency.remote.address`.
        threads: as `hwnas.latency.devices.ort_cpu.OrtCpu`, of that machine's cores.
        protocol: how models are timed.
        level: the same.
        precision: the same.
        batch: the same.

    Attributes:
        pauses: seconds before each new attempt to connect.

    Raises:
        ValueError: the address is none, or an option is out of range.
    """

    name = "ssh"
    pauses: tuple[float, ...] = (1, 2, 4, 8, 16)

    def __init__(
        self,
        url: str = "",
        threads: int = 1,
        protocol: Protocol = STANDARD,
        *,
        level: str = "all",
        precision: str = "fp32",
        batch: int = 1,
    ) -> None:
        self.address = parse(url)
        self.options = CpuOptions(threads, level, precision, batch)
        self.batch = batch
        self.protocol = protocol
        self.machine = f"host {self.address.host}"

    @classmethod
    def unavailable(cls) -> str | None:
        """Why there is no SSH here."""
        return None if shutil.which("ssh") else "the program ssh is not installed"

    def describe(self) -> DeviceCard:
        """What that machine's processor is."""
        return self._first.device

    def runtime(self) -> RuntimeCard:
        """What runs the models there."""
        return self._first.runtime

    def prepare(self, model: bytes) -> bytes:
        """The model itself, or quantised here; see `Device.prepare`."""
        return self.options.prepare(model)

    def reading(self) -> HostReading:
        """That machine at the first contact, before anything was measured there."""
        return self._first.reading

    def start(self, keep_open: tuple[int, ...] = ()) -> SshRunner:
        """Connect and start a worker there.

        Raises:
            RemoteError: the machine stays out of reach, is another than at first, or cannot measure.
        """
        cards = (self._first.device, self._first.runtime)
        runner = self._patiently(keep_open)
        if self._cards(runner.hello) != cards:
            runner.close()
            raise RemoteError(f"{self.address} has another processor or runtime than at the start", None)
        return runner

    @cached_property
    def _first(self) -> _Contact:
        if reason := self.unavailable():
            raise RemoteError(reason, None)
        runner = self._connected(())
        try:
            return _Contact(*self._cards(runner.hello), runner.reading())
        finally:
            runner.close()

    def _patiently(self, keep_open: tuple[int, ...]) -> SshRunner:
        for pause in self.pauses:
            try:
                return self._connected(keep_open)
            except ConnectionLostError:
                time.sleep(pause)
        try:
            return self._connected(keep_open)
        except ConnectionLostError as error:
            raise RemoteError(
                f"{error} ({len(self.pauses) + 1} attempts to connect again); what is measured is kept: "
                "the same command goes on from there",
                None,
            ) from error

    def _connected(self, keep_open: tuple[int, ...]) -> SshRunner:
        config = {
            "backend": "onnxruntime",
            "threads": self.options.threads,
            "cores": None,
            "options": self.options.card("").options,
            "meter": {"kind": "powercap", "root": "/sys/class/powercap"},
        }
        try:
            return SshRunner(self.address, config, keep_open)
        except NoRunnerError:
            copy_runner(self.address)
            return SshRunner(self.address, config, keep_open)

    def _cards(self, hello: dict[str, Any]) -> tuple[DeviceCard, RuntimeCard]:
        """The cards of what a worker says of itself, which is checked."""
        facts = from_plain(HostFacts, hello.get("host"), str(self.address))
        version = hello.get("version")
        texts = [version, *(value for value in asdict(facts).values() if isinstance(value, str))]
        if not all(isinstance(text, str) and is_label(text) for text in texts):
            raise RemoteError(f"{self.address} does not say what it is in printable characters", None)
        card = DeviceCard(kind="cpu", threads=self.options.threads, **asdict(facts))
        return card, self.options.card(str(version))
