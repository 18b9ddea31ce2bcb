"""Search: the best network that runs within a latency budget on this device."""

import sys

import hwnas
from hwnas.training import TrainingSettings

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/searched"
space = hwnas.spaces.MobileNetV2(resolution=32, classes=10, width=0.2, depths=(-1,), widths=(1.0,))
device = hwnas.latency.device("ort-cpu", threads=1, protocol=hwnas.latency.QUICK)
table = hwnas.latency.measure(
    space.sample(20, seed=0), device, folder=f"{folder}/table", space=str(space), blocks=False
)
predictor = hwnas.latency.fit(table, kind="linear")
budget_ms = sorted(entry.latency_ms for entry in table.networks)[10]

run = hwnas.search.run(
    space,
    maximize="naswot",
    subject_to=[f"latency_ms <= {budget_ms:.3f}", "params <= 2M"],
    metrics={"latency_ms": predictor},
    strategy="evolution",
    strategy_settings={"population": 6, "tournament": 3},
    budget=12,
    data="digits",
    device=device,
    training=hwnas.search.Training("digits", TrainingSettings(epochs=1, augmentation=None)),
    candidates=1,
    folder=f"{folder}/run",
)
hwnas.report.write_report(run.record, run.folder)
best = run.best()
print(best.architecture)
print({name: round(value, 4) for name, value in best.metrics.items()})
print(best.onnx)
