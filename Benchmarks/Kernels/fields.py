# SPDX-License-Identifier: Apache-2.0
"""Fields of motion put together, and scores that remember, beside OpenCV and PyTorch, interleaved in one process.

    pip install torch numpy opencv-python-headless
    python3 Benchmarks/Kernels/fields.py [--threads 2] [--rounds 40]

Fields are worked on by one thread here, as in the package; OpenCV has as many as are asked for. Prints the median and
the least milliseconds of each, their ratio, and the largest difference between the results.
"""
import argparse, ctypes

from compare import CHANNELS_LAST, Motion, Shape, build, reporter, smooth_motion, torch_warp
import cv2, numpy as np, torch


class Field(ctypes.Structure):
    _fields_ = [("displacements", ctypes.c_void_p), ("known", ctypes.c_void_p), ("width", ctypes.c_int32),
                ("height", ctypes.c_int32)]


class Rows(ctypes.Structure):
    _fields_ = [("displacements", ctypes.c_void_p), ("known", ctypes.c_void_p), ("begin", ctypes.c_int32),
                ("end", ctypes.c_int32)]


class Fields(ctypes.Structure):
    _fields_ = [("first", Field), ("next", Field), ("out", Rows)]


class Memory(ctypes.Structure):
    _fields_ = [(n, ctypes.c_void_p) for n in ("own", "before", "here", "there")] + [
        ("picture_channels", ctypes.c_int32), ("weight", ctypes.c_float), ("tolerance", ctypes.c_float)]


class Remembered(ctypes.Structure):
    _fields_ = [("memory", Memory), ("shape", Shape), ("motion", Motion), ("out", ctypes.c_void_p)]


def field(height, width, size, seed):
    torch.manual_seed(seed)
    return np.ascontiguousarray((smooth_motion(height, width, size) + seed)[0].permute(1, 2, 0).numpy())


def fields(library, report):
    height, width = 360, 480
    first, following = field(height, width, 4, 1), field(height, width, 3, 2)
    out, known = np.empty_like(first), np.empty((height, width), np.uint8)
    at_y, at_x = np.mgrid[0:height, 0:width].astype(np.float32)

    def call(rows):
        return ctypes.byref(Fields(Field(first.ctypes.data, None, width, height),
                                   Field(following.ctypes.data, None, width, height),
                                   Rows(out.ctypes.data, known.ctypes.data, 0, rows)))

    def follow(mode):
        x, y = at_x + first[..., 0], at_y + first[..., 1]
        if mode == cv2.INTER_NEAREST: x, y = np.rint(x), np.rint(y)
        return first + cv2.remap(following, x, y, mode, borderMode=cv2.BORDER_REPLICATE)

    whole, half = call(height), call(height // 2)
    for name, ours, mode in (("follow", library.bench_follow, cv2.INTER_LINEAR),
                             ("follow, rounded", library.bench_follow_rounded, cv2.INTER_NEAREST)):
        # OpenCV reads at 32 places between two cells.
        report(f"{name} {height}x{width}", lambda: ours(whole), lambda: follow(mode),
               lambda: f"{np.quantile(np.abs(out - follow(mode)), 0.99):.1e} (99 of 100)")
    part = out.reshape(-1)[: height * width // 2].reshape(height // 2, width // 2, 2)
    halved = lambda: cv2.resize(first, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR) * 0.5
    report(f"resize {height}x{width} to a half", lambda: library.bench_halve(half), halved,
           lambda: f"{np.abs(part - halved()).max():.1e}")


def memory(library, report):
    channels, height, width = 11, 180, 240
    last = dict(memory_format=torch.channels_last)
    own, before = (torch.randn(1, channels, height, width).contiguous(**last) for _ in range(2))
    here, there = (torch.rand(1, 3, height, width) * 255 for _ in range(2))
    motion, out = smooth_motion(height, width, 4), torch.empty_like(own)
    call = Remembered(Memory(own.data_ptr(), before.data_ptr(), here.data_ptr(), there.data_ptr(), 3, 0.5, 20),
                      Shape(channels, height, width, CHANNELS_LAST),
                      Motion(motion.data_ptr(), 1, width, height * width, None), out.data_ptr())

    def theirs():
        change = (here - torch_warp(there, motion)).abs().mean(1, keepdim=True)
        return torch.lerp(own, torch_warp(before, motion), 0.5 * torch.exp(change / -20))

    with torch.no_grad():
        report(f"remember {channels}x{height}x{width}", lambda: library.bench_remember(ctypes.byref(call)), theirs,
               lambda: f"{(out - theirs()).abs().max().item():.1e}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--rounds", type=int, default=40)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    library = build()

    report = reporter(library, options, rival="theirs")
    fields(library, report)
    memory(library, report)


if __name__ == "__main__":
    main()
