"""The proxies on NAS-Bench-201, CIFAR-10, beside the published figures.

    python -m benchmarks.nasbench201_proxies --data ../shared/data

scores 1,000 random cells (about an hour on two cores; run again to go on where it stopped) and writes
`docs/proxies_nasbench201.md` and `docs/proxies_nasbench201.png`.
"""

import argparse
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwnas.executors import process_pool
from hwnas.proxies.sweep import ScoreTable, score_architectures
from hwnas.spaces import NASBench201
from hwnas.training import load

FOLDER = Path("runs/nasbench201_proxies")
CELLS = 1000


@dataclass(frozen=True)
class Part:
    """Proxies that are scored on the first `cells` of the sample, with batches of `batch` images."""

    name: str
    cells: int
    batch: int
    proxies: tuple[str, ...]


COUNTS = Part("counts", 15_625, 2, ("params", "live_params", "flops", "live_flops"))
PARTS = (
    Part(
        "ensemble",
        CELLS,
        64,
        ("synflow", "jacob_cov", "az_expressivity", "az_progressivity", "az_trainability", "naswot"),
    ),
    Part("epsilon", CELLS, 256, ("epsilon", "epsilon64")),
    Part(
        "gradients",
        CELLS,
        64,
        ("grad_norm", "grad_norm_global", "snip", "plain", "fisher", "epe_nas", "l2_norm", "naswot_per_unit"),
    ),
    Part("variance", CELLS, 64, ("zen", "zico", "linear_regions_thin")),
    Part("second", 150, 64, ("grasp", "grad_sign", "grad_sign_mean")),
    Part("kernel", 100, 16, ("ntk_cond",)),
)


def scored(part: Part, images: Path, executor: Executor) -> ScoreTable:
    """The scores of one part, kept in `FOLDER` as they come."""
    space = NASBench201()
    chosen = list(space) if part is COUNTS else space.sample(CELLS, seed=0)[: part.cells]
    inputs, targets = load(str(images), resolution=32).batch(part.batch, 0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    said = [0]

    def progress(done: int, total: int, message: str) -> None:
        if done - said[0] >= 50 or done == total:
            said[0] = done if done < total else 0
            print(f"{part.name}: {message} {done} of {total}", flush=True)

    return score_architectures(
        chosen,
        part.proxies,
        inputs,
        targets,
        data="cifar10",
        executor=executor,
        journal=FOLDER / f"{part.name}.journal",
        progress=progress,
    )


def all_scores(data: Path) -> tuple[list[str], dict[str, np.ndarray]]:
    """The cells of the sample, and each proxy's scores of them, NaN where it was not computed."""
    columns: dict[str, np.ndarray] = {}
    with process_pool(2) as executor:
        for part in PARTS:
            table = scored(part, data / "cifar10" / "train.parquet", executor)
            for name, scores in table.scores.items():
                values = np.full(CELLS, np.nan)
                values[: part.cells] = [score.value for score in scores]
                columns[name] = values
    return [str(a) for a in NASBench201().sample(CELLS, seed=0)], columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with cifar10/ and nasbench201/")
    all_scores(parser.parse_args().data)


if __name__ == "__main__":
    main()
