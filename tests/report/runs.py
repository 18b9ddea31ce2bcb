"""Records of runs as a search leaves them, made up."""

from dataclasses import replace

import numpy as np

from hwnas.search.records import BlockShare, Candidate, MetricInfo, RunRecord, Trial

METRICS = {
    "naswot": MetricInfo("naswot", "", True),
    "latency_ms": MetricInfo("latency_ms", "ms", False),
    "params": MetricInfo("params", "", False),
    "flops": MetricInfo("flops", "", False),
    "accuracy": MetricInfo("accuracy", "fraction", True),
}
ENVIRONMENT = {
    "device": {"kind": "cpu", "vendor": "Acme", "model": "Acme Swift 2", "threads": 1, "governor": None},
    "runtime": {"name": "onnxruntime", "version": "1.20.0", "options": {"intra_op": "1", "spinning": "0"}},
    "protocol": {"id": "p10-v1", "rounds": 10, "chunk": 10, "tolerance": 0.01},
    "load_mean": 0.12,
    "quiet_host": True,
    "versions": {"python": "3.11.9", "numpy": "2.1.0"},
}
CONFIG = {
    "space": "mobilenetv2",
    "strategy": "evolution",
    "budget": 300,
    "seed": 7,
    "subject_to": ["latency_ms <= 5", "params <= 2e6"],
    "command": "hwnas search mobilenetv2 --maximize naswot --subject-to 'latency_ms <= 5' --seed 7",
}
ERROR = {"mape": 0.021, "within_5": 0.93, "within_10": 0.99, "spearman": 0.991}


def architecture(rng) -> str:
    parts = []
    for stage in range(1, 8):
        choices = (rng.choice([3, 5]), rng.choice([3, 6]), rng.integers(1, 5), rng.choice([0.75, 1.0, 1.25]))
        named = zip(("kernel", "expansion", "depth", "width"), choices, strict=True)
        parts += [f"{name}_{stage}={value}" for name, value in named]
    return ",".join(parts)


def trials(number: int, seed: int = 0) -> list[Trial]:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(number):
        drift = 1.5 * (1 - i / number)
        latency = float(rng.gamma(9, 0.45) + drift)
        values = {
            "latency_ms": latency,
            "params": 3.2e5 * latency * float(rng.uniform(0.7, 1.3)),
            "flops": 2e7 * latency,
        }
        score = 380 + 40 * np.log(latency) + float(rng.normal(0, 9)) + 12 * i / number
        status, reason = "complete", ""
        if rng.random() < 0.02:
            status, reason = "failed", "naswot: no ReLU in the network"
        elif latency > 5 and rng.random() < 0.8:
            status, reason = "infeasible", f"latency_ms {latency:.2f} > 5"
        else:
            values["naswot"] = score
        made.append(Trial(i, architecture(rng), status, values, reason, 0.3))
    return made


def blocks(number: int = 20, seed: int = 0) -> list[BlockShare]:
    rng = np.random.default_rng(seed)
    names = ["stem", *(f"stage{1 + i // 3}.block{i % 3}" for i in range(number - 2)), "head"][:number]
    operators = "Conv+Clip+Conv+Clip+Conv+Add"
    return [
        BlockShare(
            name,
            operators if "." in name else "Conv+Clip",
            (16 + 12 * i, 48 >> (i // 6), 48 >> (i // 6)),
            int(rng.integers(200_000, 6_000_000)),
            int(rng.integers(400, 300_000)),
            float(rng.gamma(3, 0.055)),
        )
        for i, name in enumerate(names)
    ]


def candidates(found: list[Trial], number: int = 6, seed: int = 1) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    feasible = [t for t in found if "naswot" in t.metrics and t.metrics["latency_ms"] <= 5]
    feasible.sort(key=lambda t: -t.metrics["naswot"])
    made = []
    for i, trial in enumerate(feasible[:number]):
        latency = trial.metrics["latency_ms"] * float(rng.normal(1.01, 0.03))
        measured = {"latency_ms": latency, "accuracy": 0.915 - 0.004 * i}
        made.append(
            Candidate(
                trial.architecture, trial.metrics, measured, latency <= 5, f"candidates/{i + 1}.onnx", ()
            )
        )
    made.sort(key=lambda c: (not c.satisfies, -c.measured["accuracy"]))
    return [replace(c, blocks=blocks() if i == 0 else ()) for i, c in enumerate(made)]


def record(number: int = 300, **changes) -> RunRecord:
    found = trials(number)
    best = candidates(found)
    values = {
        "title": "five-ms",
        "maximize": "naswot",
        "metrics": METRICS,
        "bounds": {"latency_ms": 5.0, "params": 2e6},
        "trials": found,
        "candidates": best,
        "winner": 0 if best and best[0].satisfies else None,
        "config": CONFIG,
        "environment": ENVIRONMENT,
        "predictor_error": ERROR,
    }
    return RunRecord(**{**values, **changes})
