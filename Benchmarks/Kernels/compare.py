# SPDX-License-Identifier: Apache-2.0
"""The package's inner loops beside PyTorch's, interleaved in one process.

    pip install torch numpy
    python3 Benchmarks/Kernels/compare.py [--threads 2] [--rounds 40]

Prints the median and the least milliseconds of each, their ratio, and the largest difference between the results.
"""
import argparse, ctypes, os, statistics, subprocess, tempfile, time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # else PyTorch's idle threads keep a core busy
os.environ.setdefault("KMP_BLOCKTIME", "0")
import numpy as np, torch, torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
KERNELS = os.path.join(HERE, "..", "..", "Sources", "CKernels")
PLANAR, CHANNELS_LAST = 0, 1


class Shape(ctypes.Structure):
    _fields_ = [(n, ctypes.c_int32) for n in ("channels", "height", "width", "layout")]


class Motion(ctypes.Structure):
    _fields_ = [("values", ctypes.c_void_p), ("column", ctypes.c_ssize_t), ("row", ctypes.c_ssize_t),
                ("component", ctypes.c_ssize_t), ("known", ctypes.c_void_p)]


class Affine(ctypes.Structure):
    _fields_ = [(n, ctypes.c_float * 3) for n in ("mean", "deviation", "scale")]


class Call(ctypes.Structure):
    _fields_ = [("features", ctypes.c_void_p), ("gradient", ctypes.c_void_p), ("out", ctypes.c_void_p),
                ("labels", ctypes.c_void_p), ("pixels", ctypes.c_void_p), ("shape", Shape),
                ("motion", Motion), ("border", ctypes.c_int), ("affine", Affine)]


def build():
    path = os.path.join(tempfile.mkdtemp(), "kernels.so")
    sources = [os.path.join(KERNELS, f) for f in os.listdir(KERNELS) if f.endswith(".c")]
    subprocess.run(["clang", "-O2", "-std=c11", "-shared", "-fPIC", "-pthread", "-I",
                    os.path.join(KERNELS, "include"), "-o", path, os.path.join(HERE, "pool.c"), *sources],
                   check=True)
    return ctypes.CDLL(path)


def smooth_motion(height, width, size):
    """What a camera gives: a few cells of motion that changes slowly, never whole."""
    small = torch.randn(1, 2, 4, 5, generator=torch.Generator().manual_seed(1)) * size
    return F.interpolate(small, (height, width), mode="bicubic", align_corners=True).contiguous()


def grid(motion):
    _, _, height, width = motion.shape
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    x = (xs + motion[0, 0]) / max(width - 1, 1) * 2 - 1
    y = (ys + motion[0, 1]) / max(height - 1, 1) * 2 - 1
    return torch.stack([x, y], -1)[None]


def torch_warp(features, motion):
    return F.grid_sample(features, grid(motion), mode="bilinear", padding_mode="border",
                         align_corners=True)


def measure(library, threads, rounds, ours, theirs):
    mine, other = [], []
    for i in range(rounds + 3):
        library.bench_start(threads)
        for sample in (None, mine):
            start = time.perf_counter()
            ours()
            if sample is not None: sample.append(time.perf_counter() - start)
        library.bench_stop()
        for sample in (None, other):
            start = time.perf_counter()
            theirs()
            if sample is not None: sample.append(time.perf_counter() - start)
    return [f(sample[3:]) * 1e3 for f in (statistics.median, min) for sample in (mine, other)]


def reporter(library, options, rival="torch"):
    """Measures two that take turns, and prints a line of it."""
    def report(name, ours, theirs, difference):
        ours(), theirs()
        a, b, c, d = measure(library, options.threads, options.rounds, ours, theirs)
        ours()
        print(f"{name:46} median {a:7.3f}, {rival} {b:7.3f}, x{b / a:5.1f}   "
              f"least {c:7.3f}, {rival} {d:7.3f}, x{d / c:5.1f}   differs {difference()}", flush=True)
    return report


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--rounds", type=int, default=40)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    library = build()

    report = reporter(library, options)

    for channels, height, width in ((12, 360, 480), (512, 45, 60), (19, 512, 1024)):
        for kind in ("smooth", "random", "still"):
            motion = smooth_motion(height, width, 4)
            if kind == "random": motion = torch.randn(1, 2, height, width) * 3
            if kind == "still": motion = torch.zeros(1, 2, height, width)
            for layout in (PLANAR, CHANNELS_LAST):
                form = torch.channels_last if layout else torch.contiguous_format
                features = torch.randn(1, channels, height, width).contiguous(memory_format=form)
                out = torch.empty_like(features)
                labels = torch.empty(1, height, width, dtype=torch.uint8)
                call = Call(features=features.data_ptr(), gradient=features.data_ptr(), out=out.data_ptr(),
                            labels=labels.data_ptr(), shape=Shape(channels, height, width, layout),
                            motion=Motion(motion.data_ptr(), 1, width, height * width, None), border=0)
                this = ctypes.byref(call)
                name = f"{channels}x{height}x{width} {kind} {'channels last' if layout else 'planar'}"
                with torch.no_grad():
                    expected = torch_warp(features, motion)
                    report("warp " + name, lambda: library.bench_warp(this),
                           lambda: torch_warp(features, motion),
                           lambda: f"{(out - expected).abs().max().item():.1e}")
                    if channels > 256: continue
                    best = expected.argmax(1)
                    report("warp+argmax " + name, lambda: library.bench_warp_argmax(this),
                           lambda: torch_warp(features, motion).argmax(1),
                           lambda: f"{(labels != best).float().mean().item():.1e}")
                    if kind != "smooth": continue
                    best_here = features.argmax(1)
                    report("argmax " + name, lambda: library.bench_argmax(this),
                           lambda: features.argmax(1),
                           lambda: f"{(labels != best_here).float().mean().item():.1e}")
    gradients(library, report)
    pixels(library, report)


def gradients(library, report):
    for channels, height, width in ((12, 360, 480), (512, 45, 60)):
        for layout in (PLANAR, CHANNELS_LAST):
            form = torch.channels_last if layout else torch.contiguous_format
            motion = smooth_motion(height, width, 4)
            features = torch.randn(1, channels, height, width).contiguous(memory_format=form)
            gradient = torch.randn(1, channels, height, width).contiguous(memory_format=form)
            out, moved = torch.empty_like(features), torch.empty_like(motion)
            call = Call(features=features.data_ptr(), gradient=gradient.data_ptr(), out=out.data_ptr(),
                        shape=Shape(channels, height, width, layout),
                        motion=Motion(motion.data_ptr(), 1, width, height * width, None), border=0)
            onto = Call.from_buffer_copy(call)
            onto.out = moved.data_ptr()
            features.requires_grad_(), motion.requires_grad_()
            warped = torch_warp(features, motion)

            def theirs():
                return torch.autograd.grad(warped, (features, motion), gradient, retain_graph=True)

            def ours():
                library.bench_features_gradient(ctypes.byref(call))
                library.bench_motion_gradient(ctypes.byref(onto))

            a, b = theirs()
            report(f"backward {channels}x{height}x{width} {'channels last' if layout else 'planar'}", ours, theirs,
                   lambda: f"{(out - a).abs().max().item():.1e}, {(moved - b).abs().max().item():.1e}")


def pixels(library, report):
    height, width = 360, 480
    picture = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8)
    mean, deviation = torch.tensor([110.33, 108.41, 105.03]), torch.tensor([72.13, 72.69, 69.90])
    for layout in (PLANAR, CHANNELS_LAST):
        form = torch.channels_last if layout else torch.contiguous_format
        out = torch.empty(1, 3, height, width).contiguous(memory_format=form)
        affine = Affine((ctypes.c_float * 3)(*mean), (ctypes.c_float * 3)(*deviation),
                        (ctypes.c_float * 3)(*([1 / 255] * 3)))
        call = Call(pixels=picture.data_ptr(), out=out.data_ptr(), shape=Shape(3, height, width, layout),
                    affine=affine)

        def theirs():
            x = ((picture.float() - mean) / deviation / 255.0).permute(2, 0, 1)[None]
            return x.contiguous(memory_format=form)

        report(f"pixels 3x{height}x{width} {'channels last' if layout else 'planar'}",
               lambda: library.bench_pixels(ctypes.byref(call)), theirs,
               lambda: f"{(out - theirs()).abs().max().item():.1e}")


if __name__ == "__main__":
    main()
