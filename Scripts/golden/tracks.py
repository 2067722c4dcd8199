#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/Fixtures/Tracks/trackeval.json: made-up tracks, and the figures that TrackEval 1.3 finds in them. Needs
trackeval, numpy and scipy; prints the fixture.

Boxes wander; the tracker misses some, adds some, swaps identities and drifts. Coordinates are rounded to quarters, so
that both sides read the very same numbers."""
import json
import numpy as np
for name, kind in (("float", float), ("int", int), ("bool", bool)):
    if not hasattr(np, name):
        setattr(np, name, kind)
from trackeval.metrics import CLEAR, HOTA, Identity


def overlap(a, b):
    a, b = np.asarray(a, float).reshape(-1, 1, 4), np.asarray(b, float).reshape(1, -1, 4)
    across = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    down = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    common = np.maximum(across, 0) * np.maximum(down, 0)
    return common / (a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - common)


def case(seed, objects, frames, noise, missing, extra, swap):
    r = np.random.default_rng(seed)
    place, speed = r.uniform(20, 200, (objects, 2)), r.normal(0, 3, (objects, 2))
    size = r.uniform(20, 60, (objects, 2))
    names, following, truth, tracked = list(range(100, 100 + objects)), 100 + objects, [], []
    for t in range(frames):
        place += speed
        seen = [i for i in range(objects) if not (i + t) % 11 == 0]
        q = lambda v: [round(float(x) * 4) / 4 for x in v]
        truth.append([[i + 1, *q([*place[i], *size[i]])] for i in seen])
        row = []
        for i in seen:  # Before any box is written: no identity may be twice in a frame.
            if r.random() < swap:
                j = int(r.integers(objects)); names[i], names[j] = names[j], names[i]
            if r.random() < swap:
                names[i] = following; following += 1
        for i in seen:
            if r.random() >= missing:
                row.append([names[i], *q([*(place[i] + r.normal(0, noise, 2)), *(size[i] * r.uniform(0.85, 1.15, 2))])])
        for _ in range(int(r.poisson(extra))):
            row.append([following, *q([*r.uniform(20, 200, 2), *r.uniform(20, 60, 2)])]); following += 1
        tracked.append(row)
    return truth, tracked


def figures(truth, tracked):
    gt = {n: i for i, n in enumerate(sorted({b[0] for f in truth for b in f}))}
    tr = {n: i for i, n in enumerate(sorted({b[0] for f in tracked for b in f}))}
    data = dict(num_timesteps=len(truth), num_gt_ids=len(gt), num_tracker_ids=len(tr),
                num_gt_dets=sum(map(len, truth)), num_tracker_dets=sum(map(len, tracked)),
                gt_ids=[np.array([gt[b[0]] for b in f], int) for f in truth],
                tracker_ids=[np.array([tr[b[0]] for b in f], int) for f in tracked],
                similarity_scores=[overlap([b[1:] for b in g], [b[1:] for b in t]) for g, t in zip(truth, tracked)])
    clear, identity, hota = (m.eval_sequence(data) for m in (CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False}), HOTA()))
    mean = lambda name: float(np.mean(hota[name]))
    return {"MOTA": float(clear["MOTA"]), "MOTP": float(clear["MOTP"]), "IDSW": int(clear["IDSW"]), "IDF1": float(identity["IDF1"]),
            "HOTA": mean("HOTA"), "DetA": mean("DetA"), "AssA": mean("AssA"), "LocA": mean("LocA")}


cases = []
for settings in ((1, 6, 30, 2, 0.1, 0.3, 0.02), (2, 10, 25, 5, 0.2, 1, 0.05), (3, 3, 40, 1, 0, 0, 0), (4, 8, 20, 9, 0.5, 2, 0.2),
                 (5, 1, 12, 3, 0.6, 0, 0.1)):
    truth, tracked = case(*settings)
    cases.append({"truth": truth, "tracked": tracked, "figures": figures(truth, tracked)})
assert all(len({b[0] for b in f}) == len(f) for c in cases for k in ("truth", "tracked") for f in c[k])
print(json.dumps(cases, separators=(",", ":")))
