#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SORT (Bewley et al., ICIP 2016) as a user writes it in Python, behind a detector that runs on every Nth frame.

    sort_peer.py DETECTIONS.jsonl OUT.jsonl --every 5 [--text OUT.txt] [--max-age 1] [--min-hits 0] [--times]

DETECTIONS is what `inbetween run --scheduler every:1 --predictions FILE.jsonl` writes; only key frames are read of it.
OUT has every frame in the same form, and --text in MOTChallenge's. A class is tracked by itself, as users of SORT do.

The filter is filterpy's, with the matrices of the authors' `sort.py`: state (u, v, s, r, u', v', s'), one prediction a
frame. On key frames tracks are matched by overlap (Hungarian, lap), on the frames between the predicted boxes are what
is shown, cut to the picture, with the score of the key frame times --decay for each frame since. Ages and hits count
key frames, since a track cannot be found on any other. `sort.py` shows a track only on frames on which it was matched,
which between key frames would be never: here a track is shown until a key frame misses it, or with --coast until it
ends."""
import argparse
import json
import time
from collections import defaultdict

import lap
import numpy as np
from filterpy.kalman import KalmanFilter


def to_measurement(box):
    """(left, top, width, height) as (centre x, centre y, area, ratio of sides)."""
    x, y, w, h = box
    return np.array([[x + w / 2], [y + h / 2], [w * h], [w / h]])


def to_box(state):
    u, v, s, r = state[:4, 0]
    w = np.sqrt(max(s, 1e-6) * max(r, 1e-6))
    h = max(s, 1e-6) / w
    return [u - w / 2, v - h / 2, w, h]


class Track:
    def __init__(self, detection, identity):
        kf = self.filter = KalmanFilter(dim_x=7, dim_z=4)
        kf.F = np.eye(7) + np.eye(7, k=4)
        kf.H = np.eye(4, 7)
        kf.R[2:, 2:] *= 10
        kf.P[4:, 4:] *= 1000  # Nothing is known of the velocities.
        kf.P *= 10
        kf.Q[-1, -1] *= 0.01
        kf.Q[4:, 4:] *= 0.01
        kf.x[:4] = to_measurement(detection["bbox"])
        self.identity, self.hits, self.missed = identity, 1, 0
        self.detection, self.age = detection, 0

    def predict(self):
        if self.filter.x[6] + self.filter.x[2] <= 0:
            self.filter.x[6] = 0
        self.filter.predict()
        self.age += 1

    def update(self, detection):
        self.filter.update(to_measurement(detection["bbox"]))
        self.detection, self.age, self.missed = detection, 0, 0
        self.hits += 1

    @property
    def box(self):
        return to_box(self.filter.x)


def overlaps(a, b):
    """Intersection over union of each of `a` with each of `b`."""
    a, b = np.asarray(a, float).reshape(-1, 1, 4), np.asarray(b, float).reshape(1, -1, 4)
    sides = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.clip(sides, 0, None).prod(-1)
    return both / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - both)


class Sort:
    """The tracks of one class."""

    def __init__(self, options, identities):
        self.options, self.identities, self.tracks, self.keys = options, identities, [], 0

    def advance(self):
        for track in self.tracks:
            track.predict()
        self.tracks = [t for t in self.tracks if np.isfinite(t.filter.x).all()]

    def take(self, detections):
        """The detections of a key frame, to which the tracks have been brought."""
        self.keys += 1
        pairs = {}
        if self.tracks and detections:
            gains = overlaps([t.box for t in self.tracks], [d["bbox"] for d in detections])
            columns = lap.lapjv(-gains, extend_cost=True)[1]
            pairs = {i: j for i, j in enumerate(columns) if j >= 0 and gains[i, j] >= self.options.least_overlap}
        for i, track in enumerate(self.tracks):
            if i in pairs:
                track.update(detections[pairs[i]])
            else:
                track.missed += 1
                track.hits = 0
        self.tracks = [t for t in self.tracks if t.missed <= self.options.max_age]
        taken = set(pairs.values())
        for j, detection in enumerate(detections):
            if j not in taken:
                self.tracks.append(Track(detection, next(self.identities)))

    def shown(self):
        for t in self.tracks:
            known = t.hits >= self.options.min_hits or self.keys <= self.options.min_hits or t.missed
            if known and (t.missed == 0 or self.options.coast):
                yield t


def cut(box, size):
    """What of a box lies in the picture; None for nothing."""
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[0] + box[2], size[0]), min(box[1] + box[3], size[1])
    return [left, top, right - left, bottom - top] if right > left and bottom > top else None


def track(frames, count, options):
    """The boxes of every frame, and the seconds that each frame took."""
    size = [int(n) for n in options.size.split("x")]
    identities, sorts, shown, seconds = iter(range(1, 1 << 31)), {}, [], []
    for index in range(count):
        start, is_key = time.perf_counter(), index % options.every == 0
        by_class = defaultdict(list)
        for found in frames[index] if is_key else []:
            if found["score"] >= options.least_score:
                by_class[found["class"]].append(found)
        for name in by_class:
            sorts.setdefault(name, Sort(options, identities))
        for name, sort in sorts.items():
            sort.advance()
            if is_key:
                sort.take(by_class[name])
            for t in sort.shown():
                # On a key frame the detection itself, as the network found it; `sort.py` would show the filter's.
                box = t.detection["bbox"] if t.age == 0 and not options.filtered else t.box
                box = cut(box, size)
                if box:
                    score = t.detection["score"] * options.decay**t.age
                    shown.append({"frame": index, "key": is_key, "identity": t.identity, "class": name,
                                  "score": score, "age": t.age, "bbox": box})
        seconds.append(time.perf_counter() - start)
    return shown, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detections")
    parser.add_argument("out")
    parser.add_argument("--every", type=int, default=5, help="a key frame every so many frames")
    parser.add_argument("--frames", type=int, help="how many there are; as many as are told of unless given")
    parser.add_argument("--size", default="480x360", help="width and height of the picture")
    parser.add_argument("--text", help="write MOTChallenge's text there too")
    parser.add_argument("--max-age", type=int, default=1, help="key frames that a track may be missed on")
    parser.add_argument("--min-hits", type=int, default=0, help="key frames in a row before a track is shown")
    parser.add_argument("--least-overlap", type=float, default=0.3)
    parser.add_argument("--least-score", type=float, default=0, help="detections below are not tracked")
    parser.add_argument("--decay", type=float, default=1, help="what a frame leaves of a score")
    parser.add_argument("--coast", action="store_true", help="show tracks that the last key frame missed")
    parser.add_argument("--filtered", action="store_true", help="show the filter's box on key frames too")
    parser.add_argument("--times", action="store_true", help="print milliseconds of a key and of another frame")
    options = parser.parse_args()

    frames = defaultdict(list)
    with open(options.detections) as lines:
        for line in lines:
            found = json.loads(line)
            frames[found["frame"]].append(found)
    count = options.frames or max(frames) + 1
    shown, seconds = track(frames, count, options)
    with open(options.out, "w") as out:
        out.writelines(json.dumps(row) + "\n" for row in shown)
    if options.text:
        with open(options.text, "w") as out:
            for row in shown:
                box = ",".join(f"{n:.2f}" for n in row["bbox"])
                out.write(f"{row['frame'] + 1},{row['identity']},{box},{row['score']:.4f},-1,-1,-1\n")
    if options.times:
        key = [s * 1e3 for i, s in enumerate(seconds) if i % options.every == 0]
        rest = [s * 1e3 for i, s in enumerate(seconds) if i % options.every]
        print(f"key {np.median(key):.3f} ms, between {np.median(rest):.3f} ms" if rest else f"key {np.median(key):.3f} ms")


if __name__ == "__main__":
    main()
