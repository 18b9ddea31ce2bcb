"""What ``python3 runner.pyz`` runs first: the zipapp's ``__main__``.

It says in one line what is missing, so it must compile under old Pythons and import nothing else.
"""

import sys
from importlib import import_module

if sys.version_info < (3, 10):  # noqa: UP036 (the machine's Python, not ours)
    sys.exit("the runner needs Python 3.10 or later, not %d.%d" % sys.version_info[:2])  # noqa: UP031
for name in ("numpy", "onnxruntime"):
    try:
        import_module(name)
    except ImportError as error:
        sys.exit(
            f"the runner needs {name} ({error}): {sys.executable} -m pip install numpy onnxruntime "
            "(in a virtual environment where the system's Python refuses)"
        )
IS_WORKER = sys.argv[1:2] == ["worker"]
import_module("hwnas.latency.timing.worker" if IS_WORKER else "hwnas.latency.remote.runner").main()
