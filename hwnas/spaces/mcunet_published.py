"""Published networks of MCUNet's space: the settings of their space, and their text.

The ImageNet ones restate the layers of mit-han-lab/tinyml e899b1b, mcunet/assets/configs (MIT):
in0 is mcunet-10fps, in1 mcunet-5fps, in2 mcunet-256kb-1mb, in3 mcunet-320kb-1mb, in4 mcunet-512kb-2mb.
vww1 (mcunet-5fps of Visual Wake Words) restates the operators of mit-han-lab/tinyengine 47bb283,
assets/vww.tflite (MIT).
"""

from __future__ import annotations

from typing import Any

PUBLISHED: dict[str, tuple[dict[str, Any], str]] = {
    "mcunet-in0": (
        {"width": 0.6, "resolution": 48},
        "r48-k5e4,k3e3,k3e4-k7e5,k5e4,k5e5-k7e5,k5e4-k3e5,k5e4,k3e5-k3e6,k5e4-k3e6",
    ),
    "mcunet-in1": (
        {"width": 0.5, "resolution": 96},
        "r96-k3e4,k3e3-k7e3,k3e5-k3e5,k7e4-k5e4,k3e3,k3e4-k7e5,k5e4,k5e4-k3e6",
    ),
    "mcunet-in2": (
        {"width": 0.5, "resolution": 160},
        "r160-k5e3,k7e6,k3e5,k5e5-k3e5,k7e6,k5e6-k7e4,k5e5-k3e5,k5e5,k3e4-k5e6,k5e4,k5e3,k3e4-k5e5",
    ),
    "mcunet-in3": (
        {"width": 0.5, "resolution": 176},
        "r176-k7e3,k3e5,k7e5,k5e4-k5e5,k5e5,k5e5-k3e5,k7e6,k5e4-k5e5,k7e5,k3e5-k3e6,k7e5,k3e4-k7e5",
    ),
    "mcunet-in4": (
        {"width": 1.0, "resolution": 160},
        "r160-k7e3,k3e5,k5e4-k7e5,k3e4,k7e4-k7e3,k3e3,k7e3-k3e4,k5e3,k5e3-k7e4,k7e3,k5e3-k5e4",
    ),
    "mcunet-vww1": (
        {"width": 0.5, "resolution": 80, "classes": 2},
        "r80-k3e6,k3e3,k3e3-k7e3,k3e6,k5e5-k7e6,k7e6-k3e6,k3e4-k5e5,k3e5,k3e4-k7e3",
    ),
}
