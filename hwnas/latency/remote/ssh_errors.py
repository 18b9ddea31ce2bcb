"""What went wrong on a connection, in one line that names the host and says what to do."""

from __future__ import annotations

from hwnas.latency.devices.device import RunnerDiedError
from hwnas.latency.remote.address import Address

CONNECTION, NO_RUNNER, NO_COPY = 255, 66, 74
"""Exit status of ssh itself, and of our commands: the runner is not there; it could not be copied."""

_FINAL = {
    "Permission denied": "`ssh {address}` must log in with a key, without asking for a password",
    "Host key verification failed": "log in once with `ssh {address}` and check its key",
    "IDENTIFICATION HAS CHANGED": "log in with `ssh {address}` and check its key",
    "Bad configuration option": "correct the option",
    "Bad owner or permissions": "correct the file",
}


class RemoteError(RunnerDiedError):
    """The machine cannot measure; trying again does not help."""

    retries = 0


class ConnectionLostError(RunnerDiedError):
    """The connection broke or was not made; no model is to blame."""

    retries = 3


class NoRunnerError(RunnerDiedError):
    """The machine has not got this runner yet."""


def failure(address: Address, status: int, said: str, key: str | None) -> RunnerDiedError:
    """The error that an exit status and the error stream of ssh tell.

    Args:
        address: of the machine.
        status: exit status of ssh: that of the remote command, or 255.
        said: the error stream.
        key: the model in work, or None.
    """
    last = said.splitlines()[-1].strip() if said else ""
    if status == CONNECTION:
        return _of_connection(address, said, last)
    if status == NO_RUNNER:
        return NoRunnerError(f"{address} has not got the runner", None)
    if status == NO_COPY:
        return RemoteError(f"{address}: cannot copy the runner into ~/.cache/hwnas: {last}", None)
    if status in (126, 127):
        return RemoteError(
            f"{address} cannot start {address.python} ({last}): install Python 3.10 or later there, or name "
            f"one: ssh://{address}?python=~/venv/bin/python",
            None,
        )
    if key is None:
        return RemoteError(f"{address}: {last or f'the worker ended with exit status {status}'}", None)
    cause = "killed, for want of memory?" if status == 137 else f"exit status {status}"
    return RunnerDiedError(f"{address}: the worker ended with {key} ({cause}): {last}".rstrip(": "), key)


def _of_connection(address: Address, said: str, last: str) -> RunnerDiedError:
    for mark, remedy in _FINAL.items():
        if mark in said:
            return RemoteError(f"{address}: {last}; {remedy.format(address=address)}", None)
    return ConnectionLostError(f"{address}: {last or 'the connection broke'}", None)
