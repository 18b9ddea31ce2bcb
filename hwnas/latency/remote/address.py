"""Addresses of machines that are measured over SSH: ``ssh://pi@host:2222?python=~/venv/bin/python``."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_PLACE = re.compile(
    r"((?P<user>[A-Za-z0-9_][A-Za-z0-9_.@\\-]*)@)?"
    r"(?P<host>[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?\])"
    r"(:(?P<port>[0-9]{1,5}))?"
)
_EXAMPLE = "ssh://user@host, ssh://host:2222 or ssh://host?python=~/venv/bin/python&identity=~/.ssh/key"
_DEFAULTS = ("BatchMode=yes", "ConnectTimeout=15", "ServerAliveInterval=15", "ServerAliveCountMax=3")


@dataclass(frozen=True)
class Address:
    """Where a machine is. Host keys, jump hosts and names are as the user's ``~/.ssh/config`` says.

    Attributes:
        host: name or number of the machine; IPv6 in brackets.
        user: on that machine; None: as ssh decides.
        port: None: as ssh decides.
        python: the Python that has numpy and onnxruntime there; ``~/`` is the home there.
        identity: file of the private key here; None: as ssh decides.
        options: further ``-o`` options of ssh, such as ``ProxyJump=gate``; they precede ours.
    """

    host: str
    user: str | None = None
    port: int | None = None
    python: str = "python3"
    identity: str | None = None
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{self.destination}{port}"

    @property
    def destination(self) -> str:
        """``user@host`` as ssh takes it."""
        host = self.host.strip("[]")
        return f"{self.user}@{host}" if self.user else host

    def ssh(self, command: str) -> list[str]:
        """The arguments that run a command of the shell there."""
        arguments = ["ssh", "-T"]
        for option in (*self.options, *_DEFAULTS):
            arguments += ["-o", option]
        if self.port:
            arguments += ["-p", str(self.port)]
        if self.identity:
            arguments += ["-i", self.identity]
        return [*arguments, "--", self.destination, f"exec sh -c {shlex.quote(command)}"]

    def quoted_python(self) -> str:
        """The Python there, for its shell."""
        if self.python.startswith("~/"):
            return f'"$HOME"/{shlex.quote(self.python[2:])}'
        return shlex.quote(self.python)


def parse(url: str) -> Address:
    """Read an address.

    Raises:
        ValueError: it is none; the message shows how one looks.
    """
    if not url.isprintable():
        raise ValueError(f"{url!r} is no address of a device: it has unprintable characters")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"{url!r} is no address of a device ({error}); one looks like {_EXAMPLE}") from None
    place = _PLACE.fullmatch(parts.netloc)
    if parts.scheme != "ssh" or not place or parts.path not in ("", "/") or parts.fragment:
        raise ValueError(f"{url!r} is no address of a device; one looks like {_EXAMPLE}")
    port = int(place["port"]) if place["port"] else None
    if port is not None and not 1 <= port < 1 << 16:
        raise ValueError(f"{url!r}: the port must be 1 to 65535, not {port}")
    single: dict[str, str] = {}
    options: list[str] = []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name == "option":
            options.append(value)
        elif name in ("python", "identity") and value and name not in single:
            single[name] = value
        else:
            raise ValueError(f"{url!r}: {name!r} must be python, identity (each once) or option")
    return Address(place["host"], place["user"], port, options=tuple(options), **single)
