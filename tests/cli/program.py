"""The program as a person runs it: processes, files and exit codes; and without the start of each process.

Importing torch takes seconds, and hundreds of tests start the program. So one process imports what the program
imports and waits; for each start it forks (`fork_server.py`), and the copy runs `hwnas.cli.main.main` with its own
arguments, folder, environment, streams and exit code. `started` is the installed program itself.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

HWNAS = Path(sys.executable).parent / "hwnas"
SERVER = Path(__file__).with_name("fork_server.py")
SECONDS = 300


def hwnas(*arguments, cwd=None, code=0):
    """What the program prints; of one that ends with another exit code than 0, its errors."""
    return _printed(forked(*arguments, cwd=cwd), code)


def as_json(*arguments, **settings):
    return json.loads(hwnas(*arguments, "--json", **settings))


def started(*arguments, cwd=None, code=0):
    """The same of the installed program, in a process that imports everything anew."""
    done = subprocess.run(
        [HWNAS, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False, timeout=SECONDS
    )
    return _printed(done, code)


def forked(*arguments, cwd=None) -> subprocess.CompletedProcess:
    """A finished process of the program: exit code, output and errors."""
    server = _server()
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as errors:
        asked = {
            "arguments": [str(HWNAS), *map(str, arguments)],
            "folder": str(cwd or Path.cwd()),
            "environment": dict(os.environ),
            "streams": [os.devnull, out.name, errors.name],
            "seconds": SECONDS,
        }
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        texts = (Path(file.name).read_text() for file in (out, errors))
        return subprocess.CompletedProcess(asked["arguments"], code, *texts)


def _printed(done, code):
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


@cache
def _server() -> subprocess.Popen:
    server = subprocess.Popen(
        [sys.executable, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_stop, server)
    return server


def _stop(server: subprocess.Popen) -> None:
    server.communicate()
