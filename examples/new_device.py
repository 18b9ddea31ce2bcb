"""New device: what a table of another device and a few measurements tell of a whole search space."""

import sys

import hwnas

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/new-device"
space = hwnas.spaces.MobileNetV2(resolution=32, classes=10, width=0.35)
known = hwnas.latency.device("ort-cpu", threads=1, protocol=hwnas.latency.QUICK)
new = hwnas.latency.device("ort-cpu", threads=1, level="basic", protocol=hwnas.latency.QUICK)

table = hwnas.latency.measure(
    space.sample(20, seed=0), known, folder=f"{folder}/known", space=str(space), blocks=False
)
made = hwnas.latency.few_shot(space, new, [table], n=10, validate_on=5, folder=f"{folder}/new")
print("on networks not fitted on:", made.predictor.held_out)

architecture = space.sample(1, seed=1)[0]
predicted, upper = made.predictor.predict([architecture])[0], made.predictor.upper([architecture])[0]
print(f"{predicted:.3f} ms, below {upper:.3f} ms with a probability of 90 %")
made.predictor.save(f"{folder}/predictor")
