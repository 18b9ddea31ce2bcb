"""Other libraries' samplers that take part in a comparison.

Each maximises the objective's metric and is told the constraints in its library's own way; what breaks one is
not trained, as for all strategies. Their settings are the libraries' defaults, but for the size of the
populations: those of 50 (Optuna) and 100 (pymoo) are large for some hundred trained networks.
"""

from __future__ import annotations

from importlib.util import find_spec

from hwnas.search.comparison.contestants import Contestant
from hwnas.search.comparison.optuna_peer import OptunaPeer
from hwnas.search.comparison.pymoo_peer import PymooPeer

POPULATION = 20
_SIZE = {"population": POPULATION}
PEERS = (
    ("optuna", Contestant("Optuna TPE", OptunaPeer, {"sampler": "tpe", **_SIZE}, is_peer=True)),
    ("optuna", Contestant("Optuna NSGA-II", OptunaPeer, {"sampler": "nsga2", **_SIZE}, is_peer=True)),
    ("pymoo", Contestant("pymoo NSGA-II", PymooPeer, _SIZE, is_peer=True)),
)


def peers() -> tuple[list[Contestant], dict[str, str]]:
    """The peers whose library is installed, and why the others are not there, by label."""
    there = [one for library, one in PEERS if find_spec(library)]
    missing = {
        one.label: f"{library} is not installed: pip install 'hwnas[dev]'"
        for library, one in PEERS
        if one not in there
    }
    return there, missing
