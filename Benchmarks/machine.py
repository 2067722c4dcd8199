# SPDX-License-Identifier: Apache-2.0
"""What benchmarks tell of the machine that they ran on."""
import platform


def processor():
    """Its name and the widest instruction set that our kernels have code for."""
    with open("/proc/cpuinfo") as file:
        text = file.read()
    name = next((line.split(":")[1].strip() for line in text.splitlines()
                 if line.startswith("model name")), platform.machine())
    return f"{name}, " + next((set_ for flag, set_ in (("avx512f", "AVX-512"), ("avx2", "AVX2"))
                               if f" {flag}" in text), "neither AVX2 nor AVX-512")
