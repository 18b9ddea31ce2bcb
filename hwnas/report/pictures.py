"""What static pictures share: how axes look, and how a figure gets into a file."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hwnas.files import write_whole
from hwnas.report.colours import GREY, GRID, INK


def write_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=figure.dpi)
    write_whole(Path(path), stream.getvalue())


def dress(panel: Axes, size: float) -> None:
    """Ticks of that font size, a grid behind everything, and lines at the left and the bottom only."""
    panel.tick_params(labelsize=size, colors=INK)
    panel.grid(True, color=GRID, lw=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(GREY)


def literal(text: str) -> str:
    """Text that matplotlib does not read as a formula."""
    return text.replace("$", r"\$")
