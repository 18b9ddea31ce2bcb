"""Starting the program, beyond Python's own start."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Row, seconds
from hwnas.network.to_onnx import to_onnx
from hwnas.spaces import MobileNetV2


def rows(repeats: int = 9) -> list[Row]:
    program = str(Path(sys.executable).parent / "hwnas")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        net = f"{folder}/net.onnx"
        to_onnx(MobileNetV2(resolution=96, classes=10).sample(1, seed=0)[0].network, net)
        for arguments in (["--help"], ["count", net]):
            differences = [
                seconds(lambda a=arguments: _run([program, *a]))
                - seconds(lambda: _run([sys.executable, "-c", ""]))
                for _ in range(repeats)
            ]
            taken = statistics.median(differences)
            name = " ".join(["hwnas", arguments[0], *("net.onnx" for _ in arguments[1:])])
            found.append(Row(f"start of `{name}`", f"{taken:.2f} s", "< 0.5 s", taken < 0.5))
    return found


def _run(command):
    subprocess.run(command, check=True, capture_output=True)
