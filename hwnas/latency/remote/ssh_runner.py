"""The runner on another machine: a worker at the far end of an SSH connection."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hwnas.latency.devices.device import MeterCard, ModelFailedError, RunnerDiedError
from hwnas.latency.devices.worker_runner import WorkerRunner, printable_lines, thread_variables
from hwnas.latency.printable import printable
from hwnas.latency.records import from_plain
from hwnas.latency.remote.address import Address
from hwnas.latency.remote.ssh_errors import NO_COPY, NO_RUNNER, RemoteError, failure
from hwnas.latency.remote.zipapp import runner_digest, runner_pyz
from hwnas.latency.timing.host import HostReading

_GOODBYE = 5.0
_LOCK_PAUSE = 1.0
_FOLDER = '"${XDG_CACHE_HOME:-$HOME/.cache}/hwnas"'


class SshRunner(WorkerRunner):
    """A worker of ``runner.pyz`` on another machine, which must be there already.

    Args:
        address: of the machine.
        config: of the worker; see `hwnas.latency.timing.worker`.
        keep_open: descriptors that ssh inherits.

    Raises:
        NoRunnerError: the machine has not got the runner; see `copy_runner`.
        ConnectionLostError: the connection was not made.
        RemoteError: the machine cannot measure; the message says why and what to do.
    """

    def __init__(self, address: Address, config: dict[str, Any], keep_open: tuple[int, ...] = ()) -> None:
        self._address = address
        super().__init__(address.ssh(_worker_command(address, config)), None, keep_open=keep_open)

    def hold_machine(self, notify: Callable[[str], None]) -> None:
        """Take the far end's own lock, which whoever else measures there takes too, from anywhere.

        Raises:
            RemoteError: there is no lock to be had there. Further as `Runner.hold_machine`.
        """
        if self._holds_machine():
            return
        notify(f"another measurement holds {self._address}; waiting for its end")
        while not self._holds_machine():
            time.sleep(_LOCK_PAUSE)

    def _holds_machine(self) -> bool:
        try:
            return self._ask(None, {"command": "lock"})[0].get("held") is True
        except ModelFailedError as error:
            raise RemoteError(f"{self._address} cannot be held for one measurement: {error}", None) from error

    def reading(self) -> HostReading:
        """The machine at the far end, at this moment."""
        return from_plain(HostReading, self._ask(None, {"command": "reading"})[0], str(self._address))

    def meter(self) -> MeterCard:
        """The far end's meter, as it says itself."""
        card = from_plain(MeterCard, self.hello.get("meter"), str(self._address))
        return MeterCard(card.readable, printable(card.description))

    def close(self) -> None:
        """Let the worker end by itself, so that it does not disturb its successor; then as `WorkerRunner`."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_GOODBYE)
        super().close()

    def _death(self, key: str | None) -> RunnerDiedError:
        return failure(self._address, self._process.wait(), self._said(), key)

    def _nonsense(self, key: str | None, error: ValueError) -> RunnerDiedError:
        return RemoteError(
            f"{self._address} sent something that is no answer ({error}); does its shell print at login?", key
        )


def copy_runner(address: Address) -> None:
    """Put ``runner.pyz`` into ``~/.cache/hwnas`` there, under its digest, whole or not at all.

    Raises:
        ConnectionLostError: the connection broke or was not made.
        RemoteError: the file cannot be written there, for instance because the disk is full.
    """
    content = runner_pyz()
    command = (
        f'd={_FOLDER}; t="$d/.{_name()}.$$"; mkdir -p "$d" && cat > "$t" '
        f'&& [ "$(wc -c < "$t")" -eq {len(content)} ] && mv "$t" "$d/{_name()}" && exit 0; '
        f'rm -f "$t"; exit {NO_COPY}'
    )
    made = subprocess.run(address.ssh(command), input=content, capture_output=True, check=False)
    if made.returncode:
        raise failure(address, made.returncode, printable_lines(made.stderr[-2000:]), None)


def _worker_command(address: Address, config: dict[str, Any]) -> str:
    """Shell commands; the last `exit` keeps the shell, which turns a signal into an exit status."""
    variables = " ".join(f"{name}={value}" for name, value in thread_variables(config["threads"]).items())
    return (
        f'f={_FOLDER}/{_name()}; [ -f "$f" ] || exit {NO_RUNNER}; '
        f'{variables} {address.quoted_python()} "$f" worker {shlex.quote(json.dumps(config))}; exit $?'
    )


def _name() -> str:
    return f"runner-{runner_digest()}.pyz"
