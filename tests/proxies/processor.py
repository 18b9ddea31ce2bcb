"""Which processor the tests run on: some published values hang on how its kernels round."""

from hwnas.latency.timing.host import cpuinfo

OF_THE_REFERENCE = "AuthenticAMD"
"""The golden values were computed on a processor of this vendor."""

ROUNDS_AS_THE_REFERENCE = cpuinfo().get("vendor_id") == OF_THE_REFERENCE
