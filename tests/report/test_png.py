import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from hwnas.report import write_report
from hwnas.report.png import write_png

from .degenerate import CASES
from .runs import record


@pytest.mark.parametrize("name", CASES)
def test_picture_has_its_size(name: str, tmp_path: Path) -> None:
    write_png(CASES[name], tmp_path / "report.png")
    with Image.open(tmp_path / "report.png") as picture:
        picture.load()
        assert picture.size == (1600, 1200)
        assert len(picture.convert("L").getcolors() or []) > 2


def test_report_writes_both(tmp_path: Path) -> None:
    written = write_report(record(), tmp_path / "new" / "run")
    assert [path.name for path in written] == ["report.html", "report.png"]
    assert sorted(p.name for p in (tmp_path / "new" / "run").iterdir()) == ["report.html", "report.png"]


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, hwnas.report; print({'plotly', 'matplotlib', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
