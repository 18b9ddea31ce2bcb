"""Small files with the structure of the published benchmarks."""

import bz2
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

FIRST = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
SECOND = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
SETS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
}


def run(text: str, seed: int, epochs: int, sets: tuple[str, ...], accuracy: float) -> dict[str, Any]:
    """One run; accuracies grow to `accuracy` (percent), losses fall to 1 - accuracy / 100."""
    curve = {epoch: accuracy * (epoch + 1) / epochs for epoch in range(epochs)}
    keys = [f"{name}@{epoch}" for name in sets for epoch in range(epochs)]
    accuracies = {key: curve[int(key.split("@")[1])] for key in keys}
    return {
        "name": "infer.tiny",
        "net_state_dict": None,
        "train_acc1es": OrderedDict(curve),
        "train_acc5es": None,
        "train_losses": {epoch: 1 - value / 100 for epoch, value in curve.items()},
        "train_times": OrderedDict(dict.fromkeys(range(epochs), 2.0)),
        "arch_config": {"name": "infer.tiny", "channel": 16, "arch_str": text},
        "params": 0.073306,
        "flop": 7.78305,
        "seed": seed,
        "epochs": epochs,
        "latency": [np.float64(0.011), 0.013],
        "eval_names": list(sets),
        "eval_acc1es": accuracies,
        "eval_times": dict.fromkeys(keys, 0.5),
        "eval_losses": {key: 1 - value / 100 for key, value in accuracies.items()},
    }


def results(text: str, index: int, epochs: int, accuracies: dict[str, dict[int, float]]) -> dict[str, Any]:
    """The record of one budget: by data set and seed, the accuracy that each run reached."""
    return {
        "arch_index": index,
        "arch_str": text,
        "all_results": {
            (dataset, seed): run(text, seed, epochs, SETS[dataset], accuracy)
            for dataset, runs in accuracies.items()
            for seed, accuracy in runs.items()
        },
        "dataset_seed": {dataset: list(runs) for dataset, runs in accuracies.items()},
        "clear_net_done": True,
    }


def write_nats(folder: Path, records: dict[int, Any], texts: list[str]) -> Path:
    folder.mkdir()
    for name, content in {
        "meta": {"meta_archs": texts},
        **{f"{i:06d}": r for i, r in records.items()},
    }.items():
        with bz2.open(folder / f"{name}.pickle.pbz2", "wb") as file:
            pickle.dump(content, file, protocol=4)
    return folder
