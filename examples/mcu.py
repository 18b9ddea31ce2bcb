"""A microcontroller: choose the search space that its memory suits, search it, end with a .tflite file."""

import pathlib
import sys

import hwnas
from hwnas.latency.instructions.predictor import board_predictor
from hwnas.network.from_onnx import from_onnx, onnx_weights
from hwnas.network.tflite import Interpreter
from hwnas.training import TrainingSettings, deploy_tflite, load

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/mcu"
RUNTIME, SRAM, FLASH = "tflm-cmsis-nn", "96kB", "384kB"
limits = hwnas.cost.limits(sram=SRAM, flash=FLASH)

grid = hwnas.tinynas.mcunet_grid(widths=(0.2, 0.3, 0.4), resolutions=(32, 48, 64), classes=10)
selection = hwnas.tinynas.select_space(grid, sram=SRAM, flash=FLASH, runtime=RUNTIME, samples=200)
for one in selection.ranked[:3]:
    print(f"{one.name}: {one.mean_macs / 1e6:.2f} M MACs on average, {one.feasible:.0%} of its networks fit")

run = hwnas.search.run(
    selection.best.space,
    maximize="naswot",
    subject_to=[*limits.constraints(), "latency_ms <= 60"],
    metrics={"latency_ms": board_predictor("stm32f746")},
    runtime=RUNTIME,
    strategy="genetic",
    strategy_settings={"population": 20, "parents": 6},
    budget=30,
    data="digits",
    training=hwnas.search.Training("digits", TrainingSettings(epochs=2, augmentation=None)),
    candidates=1,
    folder=f"{folder}/run",
)
best = run.best()
print(best.architecture, {name: round(value, 3) for name, value in best.metrics.items()})

network = from_onnx(best.onnx)
data = load("digits", resolution=network.inputs[0].shape[-1])
made = deploy_tflite(network, onnx_weights(best.onnx), data)
print(f"accuracy {made.accuracy:.3f} in float32, {made.int8_accuracy:.3f} in int8")
pathlib.Path(f"{folder}/best.tflite").write_bytes(made.model)

plan = hwnas.plan(f"{folder}/best.tflite", RUNTIME)
arena = Interpreter(made.model).arena
print(f"{plan.sram_bytes:,} bytes of SRAM planned; the interpreter's arena here: {arena}")
assert plan.sram_bytes <= limits.sram_bytes
