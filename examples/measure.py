"""Measure: how fast are these networks, and each of their blocks, on this device."""

import sys

import hwnas

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/measured"
space = hwnas.spaces.MobileNetV2(resolution=32, classes=10, width=0.35)
device = hwnas.latency.device("ort-cpu", threads=1, protocol=hwnas.latency.QUICK)
table = hwnas.latency.measure(
    space.sample(12, seed=0),
    device,
    folder=f"{folder}/table",
    space=str(space),
)
print(f"{len(table.networks)} networks, {len(table.blocks)} blocks")

predictor = hwnas.latency.fit(table, kind="lookup")
print("held out:", predictor.held_out)
predictor.save(f"{folder}/predictor")

best_of_sample = min(table.networks, key=lambda entry: entry.p10_us)
print(f"fastest of the sample: {best_of_sample.latency_ms:.3f} ms")
