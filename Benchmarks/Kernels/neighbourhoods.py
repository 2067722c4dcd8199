# SPDX-License-Identifier: Apache-2.0
"""Sums over neighbourhoods beside what PyTorch can do: unfolding, a loop over the taps, many warps.

    pip install torch numpy
    python3 Benchmarks/Kernels/neighbourhoods.py [--threads 1] [--rounds 7]

Both take turns in one process. Prints the medians in milliseconds, ours / theirs, and the largest
difference between the results; on one thread they are milliseconds of processor time, so that what else
the machine does is unfair to neither. Unfolding 2048 channels at 64 x 128 by 81 taps would take 5.4 GB; there the
loop over the taps is the only rival.
"""
import argparse, ctypes, statistics, time

import torch, torch.nn.functional as F

from compare import CHANNELS_LAST, PLANAR, Motion, Shape, build, smooth_motion, torch_warp


class Displaced(ctypes.Structure):
    _fields_ = [("motion", Motion), ("border", ctypes.c_int), ("vertical", ctypes.c_void_p),
                ("horizontal", ctypes.c_void_p), ("size", ctypes.c_int32)]


class Call(ctypes.Structure):
    _fields_ = [(n, ctypes.c_void_p) for n in ("features", "other", "weights", "out", "taps", "turned", "moved",
                                               "vertical_out", "horizontal_out")]
    _fields_ += [("shape", Shape), ("displaced", Displaced), ("radius", ctypes.c_int32)]


def unfolded(x, k):
    n, c, h, w = x.shape
    return F.unfold(x, k, padding=k // 2).view(n, c, k * k, h, w)


def by_unfolding(x, kernels, k):
    return torch.einsum("ncthw,nthw->nchw", unfolded(x, k), kernels)


def by_loop(x, kernels, k):
    n, c, h, w = x.shape
    padded, out = F.pad(x, (k // 2,) * 4), torch.zeros_like(x)
    for t in range(k * k):
        u, v = divmod(t, k)
        out.addcmul_(padded[:, :, u:u + h, v:v + w], kernels[:, t:t + 1])
    return out


def attention(q, k, v, size):
    scores = torch.einsum("nchw,ncthw->nthw", q, unfolded(k, size))
    return torch.einsum("ncthw,nthw->nchw", unfolded(v, size), scores.softmax(1))


def by_warps(x, motion, down, right):
    k, out = down.shape[1], 0
    for u in range(k):
        for v in range(k):
            shift = torch.tensor([v - k // 2, u - k // 2.0]).view(1, 2, 1, 1)
            out = out + down[:, u:u + 1] * right[:, v:v + 1] * torch_warp(x, motion + shift)
    return out


def spent(work, threads):
    clock = time.process_time if threads == 1 else time.perf_counter
    start = clock()
    work()
    return (clock() - start) * 1e3


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--rounds", type=int, default=7)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    library = build()

    def ours(function, call):
        library.bench_start(options.threads)
        took = spent(lambda: getattr(library, function)(ctypes.byref(call)), options.threads)
        library.bench_stop()
        return took

    def report(name, function, call, theirs, found):
        wanted, mine, other = theirs(), [], []
        ours(function, call)
        for _ in range(options.rounds):
            mine.append(ours(function, call))
            other.append(spent(theirs, options.threads))
        a, b = statistics.median(mine), statistics.median(other)
        pairs = zip(found, wanted if isinstance(wanted, tuple) else (wanted,))
        worst = max((x - y).abs().max().item() for x, y in pairs)
        print(f"{name:58} {a:9.2f} ms, torch {b:9.2f} ms, ours / theirs {a / b:6.4f}   "
              f"differs {worst:.1e}", flush=True)

    for layout in (CHANNELS_LAST, PLANAR):
        sums(report, 512, 45, 60, 7, layout)
        attended(report, 64, 90, 120, 7, layout)
    displaced(report, 64, 90, 120, 5)
    for layout in (CHANNELS_LAST, PLANAR):
        for c, h, w, k in ((512, 45, 60, 3), (12, 360, 480, 7), (2048, 64, 128, 9)):
            sums(report, c, h, w, k, layout)


def cells(*sizes):
    """Taps side by side, seen as N x taps x H x W."""
    return torch.empty(sizes).contiguous(memory_format=torch.channels_last)


def sums(report, c, h, w, k, layout):
    form = torch.channels_last if layout else torch.contiguous_format
    x, g = (torch.randn(1, c, h, w).contiguous(memory_format=form) for _ in range(2))
    kernels = torch.randn(1, k * k, h, w).softmax(1).contiguous(memory_format=torch.channels_last)
    out, taps, turned = torch.empty_like(x), cells(1, k * k, h, w), cells(1, k * k, h, w)
    call = Call(features=x.data_ptr(), other=g.data_ptr(), weights=kernels.data_ptr(), out=out.data_ptr(),
                taps=taps.data_ptr(), turned=turned.data_ptr(), shape=Shape(c, h, w, layout), radius=k // 2)
    name = f"{c}x{h}x{w}, {k}x{k}, {'channels last' if layout else 'planar'}"
    if c * h * w * k * k < 1 << 29:
        report("variant convolution, unfold, " + name, "bench_local_sum", call,
               lambda: by_unfolding(x, kernels, k), [out])
    report("variant convolution, loop, " + name, "bench_local_sum", call, lambda: by_loop(x, kernels, k), [out])
    if c * h * w * k * k >= 1 << 29: return
    x.requires_grad_(), kernels.requires_grad_()
    result = by_unfolding(x, kernels, k)
    report("both gradients, unfold, " + name, "bench_local_gradients", call,
           lambda: torch.autograd.grad(result, (x, kernels), g, retain_graph=True), [out, taps])


def attended(report, c, h, w, k, layout):
    form = torch.channels_last if layout else torch.contiguous_format
    q, x = ((torch.randn(1, c, h, w) / 4).contiguous(memory_format=form) for _ in range(2))
    out, taps = torch.empty_like(x), cells(1, k * k, h, w)
    call = Call(features=x.data_ptr(), other=q.data_ptr(), out=out.data_ptr(), taps=taps.data_ptr(),
                shape=Shape(c, h, w, layout), radius=k // 2)
    report(f"local attention, unfold, {c}x{h}x{w}, {k}x{k}, {'channels last' if layout else 'planar'}",
           "bench_local_attention", call, lambda: attention(q, x, x, k), [out])


def displaced(report, c, h, w, k):
    x, g = (torch.randn(1, c, h, w).contiguous(memory_format=torch.channels_last) for _ in range(2))
    motion = smooth_motion(h, w, 4)
    down, right = (torch.randn(1, k, h, w).softmax(1).contiguous(memory_format=torch.channels_last) for _ in range(2))
    out, moved = torch.empty_like(x), torch.empty_like(motion)
    to_down, to_right = torch.empty_like(down), torch.empty_like(right)
    where = Displaced(Motion(motion.data_ptr(), 1, w, h * w, None), 0, down.data_ptr(), right.data_ptr(), k)
    call = Call(features=x.data_ptr(), other=g.data_ptr(), out=out.data_ptr(), moved=moved.data_ptr(),
                vertical_out=to_down.data_ptr(), horizontal_out=to_right.data_ptr(),
                shape=Shape(c, h, w, CHANNELS_LAST), displaced=where)
    name = f"{c}x{h}x{w}, {k} + {k}"
    report("displaced convolution, warps, " + name, "bench_displace", call,
           lambda: by_warps(x, motion, down, right), [out])
    for one in (x, motion, down, right): one.requires_grad_()
    result = by_warps(x, motion, down, right)
    report("its gradients, warps, " + name, "bench_displace_gradients", call,
           lambda: torch.autograd.grad(result, (x, motion, down, right), g, retain_graph=True),
           [out, moved, to_down, to_right])


if __name__ == "__main__":
    main()
