"""Virtual environments that hold chosen packages of this one, by links."""

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

MEASURING = ("numpy", "onnxruntime", "flatbuffers", "packaging", "protobuf")
"""What a device needs: numpy, onnxruntime, and what that needs itself."""


def python_with(folder: Path, *packages: str) -> Path:
    """The Python of a new environment that has these packages of ours, and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for package in packages:
        found = distribution(package)
        for top in {Path(file).parts[0] for file in found.files or ()} - {".."}:
            if not (site / top).exists():
                (site / top).symlink_to(str(found.locate_file(top)))
    return folder / "bin" / "python"
