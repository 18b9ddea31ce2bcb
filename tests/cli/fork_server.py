"""A process that has imported what the program imports, and forks for each start that it is asked for.

A line of JSON on the standard input asks; the exit code of the copy, negative for a signal, is the answer.
"""

import atexit
import gc
import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

IMPORTED = (
    "fvcore.nn",
    "hwnas.cli.main",
    "matplotlib.pyplot",
    "onnx",
    "plotly.graph_objects",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.ensemble",
    "torch",
)


def serve() -> None:
    """Answer until the input ends; a copy returns from here to run the program."""
    for line in sys.stdin:
        asked = json.loads(line)
        copy = os.fork()
        if copy == 0:
            become(**asked)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]), flush=True)
    sys.exit()


def become(arguments, folder, environment, streams, seconds) -> None:
    """Take what is asked for; after so many seconds a signal ends the process."""
    for number, stream in enumerate(streams):
        os.dup2(os.open(stream, os.O_RDWR), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    sys.path[0] = str(Path(arguments[0]).parent)
    signal.alarm(seconds)


def run() -> None:
    """Run the program and end as it ends, but without taking apart what was imported: that takes a second."""
    try:
        import_module("hwnas.cli.main").main()
    except SystemExit as end:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code or 0)


if __name__ == "__main__":
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    serve()
    run()
