#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores tracked boxes beside exact ones by others' programs: TrackEval (IDF1, MOTA, HOTA) and pycocotools (mAP).

    score_tracks.py TRUTH.json TRACKS.jsonl… [--least 0.4]

TRUTH is a COCO-style file with track_id and iscrowd; TRACKS are what `run --predictions FILE.jsonl` writes. Tracks are
counted from the score --least on, and within a class; truths that are ignored take their boxes out, as in MOTChallenge.
A line of JSON a file."""
import argparse
import contextlib
import io
import json
from collections import defaultdict

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy.optimize import linear_sum_assignment
from trackeval.metrics import CLEAR, HOTA, Identity

EPS = np.finfo(float).eps


def overlaps(a, b):
    a, b = np.asarray(a, float).reshape(-1, 1, 4), np.asarray(b, float).reshape(1, -1, 4)
    sides = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.clip(sides, 0, None).prod(-1)
    return both / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - both)


def tracking(truth, frames, least):
    gt = defaultdict(list)
    for a in truth["annotations"]:
        gt[a["image_id"]].append(a)
    names = {"gt": {}, "found": {}}
    number = lambda kind, key: names[kind].setdefault(key, len(names[kind]))
    data = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for image in truth["images"]:
        there, found = gt[image["id"]], [f for f in frames[image["id"]] if f["score"] >= least]
        iou = overlaps([a["bbox"] for a in there], [f["bbox"] for f in found])
        same = np.array([[a["category_id"] - 1 == f["class"] for f in found] for a in there], bool).reshape(iou.shape)
        ignored = np.array([bool(a["iscrowd"]) for a in there], bool)
        gain = np.where((same | ignored[:, None]) & (iou >= 0.5 - EPS), iou, 0)
        rows, columns = linear_sum_assignment(-gain)
        gone = {c for r, c in zip(rows, columns) if ignored[r] and gain[r, c] > 0}
        keep = [c for c in range(len(found)) if c not in gone]
        counted = np.flatnonzero(~ignored)
        data["gt_ids"].append(np.array([number("gt", there[r]["track_id"]) for r in counted], int))
        data["tracker_ids"].append(
            np.array([number("found", (found[c]["identity"], found[c]["class"])) for c in keep], int))
        data["similarity_scores"].append(np.where(same, iou, 0)[counted][:, keep])
    data["num_timesteps"] = len(truth["images"])
    data["num_gt_ids"], data["num_tracker_ids"] = len(names["gt"]), len(names["found"])
    data["num_gt_dets"], data["num_tracker_dets"] = (sum(map(len, data[k])) for k in ("gt_ids", "tracker_ids"))
    with contextlib.redirect_stdout(io.StringIO()):
        clear, identity, hota = (m.eval_sequence(data) for m in (CLEAR(), Identity(), HOTA()))
    return {"IDF1": identity["IDF1"], "IDP": identity["IDP"], "IDR": identity["IDR"], "MOTA": clear["MOTA"],
            "switches": clear["IDSW"], "HOTA": hota["HOTA"].mean()}


def detection(coco, frames):
    rows = [{"image_id": i, "category_id": f["class"] + 1, "bbox": f["bbox"], "score": f["score"]}
            for i, found in frames.items() for f in found]
    with contextlib.redirect_stdout(io.StringIO()):
        result = COCOeval(coco, coco.loadRes(rows), "bbox")
        result.evaluate(), result.accumulate(), result.summarize()
    return {"mAP50": result.stats[1], "mAP": result.stats[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth")
    parser.add_argument("tracks", nargs="+")
    parser.add_argument("--least", type=float, nargs="+", default=[0.4])
    options = parser.parse_args()
    truth = json.load(open(options.truth))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(options.truth)
    for path in options.tracks:
        frames = defaultdict(list)
        for line in open(path):
            row = json.loads(line)
            frames[row["frame"]].append(row)
        result = {"file": path, **detection(coco, frames)}
        for least in options.least:
            result[f"tracks@{least}"] = tracking(truth, frames, least)
        print(json.dumps(result, default=float), flush=True)


if __name__ == "__main__":
    main()
