"""Count the instructions of the loops in `loops.c` on a Cortex-M7: writes `ops_loops.csv` to stdout.

    python -m benchmarks.instruction_loops.count /usr/bin/arm-none-eabi- > ops_loops.csv

Needs Debian's `gcc-arm-none-eabi` and `libnewlib-arm-none-eabi` (12.2) and the package `unicorn`, an
emulator. Counts repeat to the instruction. `add`, whose CMSIS-NN kernel is in `ops.csv` too (78.0 per
element), is printed to stderr as a check of this way of counting.
"""

import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

FLAGS = ["-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=soft", "-O2"]
CODE, DATA, END = 0x10000, 0x20000000, 0x30000000
X, OTHER, Y, STACK = DATA, DATA + (1 << 20), DATA + (2 << 20), DATA + (3 << 20)


class Loops:
    """The compiled loops.

    Args:
        prefix: of the compiler and its tools, such as `/usr/bin/arm-none-eabi-`.
    """

    def __init__(self, prefix: str, folder: Path) -> None:
        elf, blob = folder / "loops.elf", folder / "loops.bin"
        source = Path(__file__).parent / "loops.c"
        libraries = ["-nostdlib", "-lm", "-lc_nano", "-lgcc", f"-Wl,-Ttext={CODE:#x}"]
        subprocess.run([f"{prefix}gcc", *FLAGS, str(source), *libraries, "-o", str(elf)], check=True)
        subprocess.run([f"{prefix}objcopy", "-O", "binary", str(elf), str(blob)], check=True)
        names = subprocess.run([f"{prefix}nm", str(elf)], check=True, capture_output=True, text=True)
        fields = [line.split() for line in names.stdout.splitlines()]
        self.addresses = {name: int(address, 16) for address, _, name in (f for f in fields if len(f) == 3)}
        self.code = blob.read_bytes()

    def instructions(self, name, arguments, memory, stack=()):
        """Instructions of one call; `arguments` in registers, `memory` address -> bytes."""
        from unicorn import UC_ARCH_ARM, UC_HOOK_CODE, UC_MODE_MCLASS, UC_MODE_THUMB, Uc, arm_const

        machine = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        for address, size in ((CODE, 1 << 20), (DATA, 4 << 20), (END, 4096)):
            machine.mem_map(address, size)
        words = b"".join(struct.pack("<I", value & 0xFFFFFFFF) for value in stack)
        for address, content in {CODE: self.code, STACK: words, **memory}.items():
            machine.mem_write(address, content)
        for number, value in enumerate(arguments):
            machine.reg_write(arm_const.UC_ARM_REG_R0 + number, value & 0xFFFFFFFF)
        machine.reg_write(arm_const.UC_ARM_REG_SP, STACK)
        machine.reg_write(arm_const.UC_ARM_REG_LR, END | 1)
        count = [0]
        machine.hook_add(UC_HOOK_CODE, lambda *_: count.__setitem__(0, count[0] + 1))
        machine.emu_start(self.addresses[name] | 1, END)
        return count[0]


def words(*values):
    return b"".join(struct.pack("<i", value) for value in values)


def bits(value, kind="<f"):
    return struct.unpack("<" + "I" * (struct.calcsize(kind) // 4), struct.pack(kind, value))


def rows(loops):
    rng = np.random.default_rng(0)

    def int8(n):
        return rng.integers(-128, 128, n).astype(np.int8).tobytes()

    def row(kind, h, channels, out, units, count):
        return (kind, h, channels, channels, 1, out, units, count)

    for n in (64, 256, 1024, 4096):
        two = {X: int8(n), OTHER: int8(n)}
        constants = (3, 1 << 30, 0, 5, 0x5A000000, -1, 20, -3, 0x60000000, -18, -128, 127)
        added = loops.instructions("add", (X, OTHER, Y, n), two, constants)
        print(f"add of {n}: {added / n:.1f} instructions per element", file=sys.stderr)
        count = loops.instructions("mul", (X, OTHER, Y, n), two, (3, 5, -3, 0x60000000, -7, -128, 127))
        yield row("mul", 1, n, 1, n, count)
        count = loops.instructions("relu", (X, Y, n, 3), two, (-128, 0x60000000, 1, -128, 127))
        yield row("relu", 1, n, 1, n, count)
        yield row("relu6", 1, n, 1, n, loops.instructions("relu6", (X, Y, n, -100), two, (100,)))
        yield row("copy", 1, n, 1, n, loops.instructions("copy", (X, n, Y), {X: int8(n)}))
        yield row("fill", 1, n, 1, n, loops.instructions("fill", (Y, 3, n), {}))
        image = rng.random(n).astype("<f4").tobytes()
        count = loops.instructions("quantize", (X, n, *bits(1 / 255), -128), {X: image}, (Y,))
        yield row("quantize", 1, n, 1, n, count)
        scale = bits(0.0039, "<d")
        yield row(
            "dequantize", 1, n, 1, n, loops.instructions("dequantize", (X, n, *scale), {X: int8(n)}, (0, Y))
        )
    for h, channels in ((3, 96), (6, 16), (6, 64), (12, 32)):
        shape = words(1, h, h, channels, h * h * channels, h * channels, channels, 1, 0, 0, 0, 1)
        n, two = h * h * channels, {X: int8(h * h * channels), OTHER: int8(channels), OTHER + 4096: shape}
        for kind, constants in (
            ("mul_broadcast", (3, 5, -3, 0x60000000, -7, -128, 127)),
            ("add_broadcast", (3, 1 << 30, 0, 5, 0x5A000000, -1, 20, -3, 0x60000000, -18, -128, 127)),
        ):
            count = loops.instructions(kind, (X, OTHER, Y, OTHER + 4096), two, constants)
            yield row(kind, h, channels, h, n, count)
        count = loops.instructions("hard_swish", (X, Y, n, 3), two, (-3, 20000, -5, 24000, 2))
        yield row("hard_swish", h, channels, h, n, count)
    for n in (2, 10, 100, 1000):
        logits = np.clip(rng.normal(-40, 30, n), -128, 127).astype(np.int8).tobytes()
        count = loops.instructions("softmax", (X, 1, n, 1638400000), {X: logits}, (22, -248, Y))
        yield row("softmax", 1, n, 1, n, count)
    for h, channels in ((3, 160), (6, 32), (12, 32), (24, 16)):
        size, strides = (1, channels, h, h), (h * h * channels, 1, h * channels, channels)
        memory = {X: int8(h * h * channels), OTHER: words(*size), OTHER + 64: words(*strides)}
        count = loops.instructions("transpose", (X, Y, OTHER, OTHER + 64), memory)
        yield row("transpose", h, channels, h, h * h * channels, count)
    for h, channels in ((3, 16), (6, 8), (6, 64), (12, 8), (12, 32)):
        memory = {X: int8(h * h * channels)}
        count = loops.instructions("nearest", (X, Y, h, h), memory, (channels, 2 * h, 2 * h))
        yield row("nearest2", h, channels, 2 * h, 4 * h * h * channels, count)


def main():
    with tempfile.TemporaryDirectory() as folder:
        found = sorted(rows(Loops(sys.argv[1], Path(folder))), key=lambda row: row[0])
    print("kind,h,cin,cout,stride,hout,units,insn")
    for one in found:
        print(",".join(map(str, one)))


if __name__ == "__main__":
    main()
