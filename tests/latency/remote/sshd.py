"""A real sshd on the loopback, with keys and a port of its own, for the present user."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin yes
SetEnv XDG_CACHE_HOME={folder}/cache TMPDIR={folder}/tmp
"""


class Sshd:
    """A server that can be stopped and started again; `extra` are further lines of its configuration."""

    def __init__(self, folder: Path, python: Path) -> None:
        if not SSHD or not shutil.which("ssh"):
            pytest.skip("no ssh and sshd here: install openssh-client and openssh-server")
        self.folder, self.python = folder, python
        (folder / "tmp").mkdir(parents=True)
        for name in ("host", "key", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def cache(self) -> Path:
        """Where the runner is copied to."""
        return self.folder / "cache" / "hwnas"

    def url(self, *options: str, **changes: object) -> str:
        """The address of a device on this server."""
        public = (self.folder / "host.pub").read_text()
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {public}")
        query = {"python": self.python, "identity": self.folder / "key", **changes}
        ours = (f"UserKnownHostsFile={self.folder}/known", "IdentitiesOnly=yes", "IdentityAgent=none")
        pairs = [*query.items(), *(("option", option) for option in (*options, *ours))]
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}?{urlencode(pairs)}"

    def start(self, extra: str = "") -> None:
        """Start, and wait until it answers."""
        (self.folder / "config").write_text(CONFIG.format(port=self.port, folder=self.folder) + extra)
        log = (self.folder / "log").open("ab")
        command = [str(SSHD), "-D", "-e", "-f", str(self.folder / "config")]
        self._process = subprocess.Popen(command, stderr=log)
        log.close()
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server and its connections."""
        if self._process:
            self.cut()
            self._process.kill()
            self._process.wait()
            self._process = None

    def cut(self) -> None:
        """Kill the server's side of every connection; what ran there ends by itself."""
        assert self._process
        for pid in descendants(self._process.pid):
            if (Path("/proc") / str(pid) / "comm").read_text().startswith("sshd"):
                os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Children and their children, the youngest generation last."""
    text = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text()
    children = [int(child) for child in text.split()]
    return [*children, *(inner for child in children for inner in descendants(child))]
