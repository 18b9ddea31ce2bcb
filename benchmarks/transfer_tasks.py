"""Which devices are known and which are new, as published.

NASFLAT (Akhauri and Abdelfattah, MLSys 2024): tasks ND, NA, N1 to N4 and FD, FA, F1 to F4; `published` is the
best of HELP, MultiPredict and NASFLAT, the Spearman correlation over all architectures at 20 samples.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """Known devices, new devices, and the best published rank correlation."""

    name: str
    known: tuple[str, ...]
    new: tuple[str, ...]
    published: float


def _task(name: str, published: float, known: str, new: str) -> Task:
    return Task(name, tuple(known.split()), tuple(new.split()), published)


NASBENCH201 = (
    _task(
        "ND",
        0.959,
        "1080ti_1 1080ti_32 1080ti_256 silver_4114 silver_4210r samsung_a50 pixel3 essential_ph_1 samsung_s7",
        "titan_rtx_256 gold_6226 fpga pixel2 raspi4 eyeriss",
    ),
    _task(
        "NA",
        0.893,
        "titan_rtx_1 titan_rtx_32 titanxp_1 2080ti_1 titanx_1 1080ti_1 titanx_32 titanxp_32 2080ti_32 "
        "1080ti_32 gold_6226 samsung_s7 silver_4114 gold_6240 silver_4210r samsung_a50 pixel2",
        "eyeriss desktop_gpu_gtx_1080ti_fp32 embedded_tpu_edge_tpu_int8",
    ),
    _task(
        "N1",
        0.967,
        "embedded_tpu_edge_tpu_int8 eyeriss mobile_gpu_snapdragon_675_adreno_612_int8 "
        "mobile_gpu_snapdragon_855_adreno_640_int8 pixel3",
        "1080ti_1 titan_rtx_32 titanxp_1 2080ti_32 titan_rtx_1",
    ),
    _task(
        "N2",
        0.857,
        "1080ti_1 1080ti_32 titanx_32 titanxp_1 titanxp_32",
        "embedded_gpu_jetson_nano_fp16 embedded_tpu_edge_tpu_int8 mobile_dsp_snapdragon_675_hexagon_685_int8 "
        "mobile_dsp_snapdragon_855_hexagon_690_int8 pixel3",
    ),
    _task(
        "N3",
        0.962,
        "desktop_gpu_gtx_1080ti_fp32 embedded_gpu_jetson_nano_fp16 eyeriss "
        "mobile_dsp_snapdragon_675_hexagon_685_int8 mobile_gpu_snapdragon_855_adreno_640_int8",
        "1080ti_1 2080ti_1 titanxp_1 2080ti_32 titanxp_32",
    ),
    _task(
        "N4",
        0.959,
        "desktop_cpu_core_i7_7820x_fp32 embedded_gpu_jetson_nano_fp32 embedded_tpu_edge_tpu_int8 eyeriss "
        "mobile_cpu_snapdragon_855_kryo_485_int8 mobile_dsp_snapdragon_675_hexagon_685_int8 "
        "mobile_dsp_snapdragon_855_hexagon_690_int8 mobile_gpu_snapdragon_675_adreno_612_int8 "
        "mobile_gpu_snapdragon_855_adreno_640_int8 pixel2",
        "1080ti_1 2080ti_1 titan_rtx_1",
    ),
)
FBNET = (
    _task(
        "FD",
        0.961,
        "1080ti_1 1080ti_32 1080ti_64 silver_4114 silver_4210r samsung_a50 pixel3 essential_ph_1 samsung_s7",
        "fpga raspi4 eyeriss",
    ),
    _task(
        "FA",
        0.577,
        "1080ti_1 1080ti_32 1080ti_64 2080ti_1 2080ti_32 2080ti_64 titan_rtx_1 titan_rtx_32 titan_rtx_64 "
        "titanx_1 titanx_32 titanx_64 titanxp_1 titanxp_32 titanxp_64",
        "gold_6226 essential_ph_1 samsung_s7 pixel2",
    ),
    _task(
        "F1",
        0.809,
        "2080ti_1 essential_ph_1 silver_4114 titan_rtx_1 titan_rtx_32",
        "eyeriss fpga raspi4 samsung_a50 samsung_s7",
    ),
    _task(
        "F2",
        0.871,
        "essential_ph_1 gold_6226 gold_6240 pixel3 raspi4",
        "1080ti_1 1080ti_32 2080ti_32 titan_rtx_1 titanxp_1",
    ),
    _task(
        "F3",
        0.814,
        "essential_ph_1 pixel2 pixel3 raspi4 samsung_s7",
        "1080ti_1 1080ti_32 2080ti_1 titan_rtx_1 titan_rtx_32",
    ),
    _task(
        "F4",
        0.799,
        "1080ti_64 2080ti_1 eyeriss gold_6226 gold_6240 raspi4 samsung_s7 silver_4210r titan_rtx_1 "
        "titan_rtx_32",
        "1080ti_1 pixel2 essential_ph_1",
    ),
)


def others(default: Task, devices: tuple[str, ...]) -> Task:
    """The default task's known devices, and every further one of a file that the task has not as new."""
    taken = {*default.known, *default.new}
    new = tuple(device for device in devices if device not in taken)
    return Task(f"{default.name}+", default.known, new, float("nan"))
