#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/Fixtures/Detections/coco.json: made-up detections and truths, and the average precision
that COCOeval finds in them. Needs pycocotools and numpy; writes to the path given as argument."""
import contextlib, io, json, sys

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IMAGES, CLASSES, EMPTY_CLASS = 60, 4, 3  # Nothing of the last class is ever there.
random = np.random.default_rng(11)


def box():
    """Corners on a grid of halves, so that overlaps often lie exactly on a threshold."""
    x, y = random.integers(0, 500, 2) / 2
    width, height = random.integers(4, 160, 2) / 2
    return [float(x), float(y), float(width), float(height)]


def moved(there):
    step = random.choice([0, 1, 4, 12])
    shift = random.integers(-step, step + 1, 4) / 2
    x, y, width, height = np.array(there) + shift
    return [float(x), float(y), float(max(width, 0.5)), float(max(height, 0.5))]


def frame(index):
    """One frame: rows of (category, box, ignored) and of (category, box, score)."""
    truths, found = [], []
    for _ in range(0 if index % 7 == 3 else int(random.integers(1, 14))):
        truths.append([int(random.integers(0, 3)), box(), bool(random.random() < 0.2)])
    if index % 9 == 4:  # No truth of class 1 counts here.
        truths = [[c, b, i or c == 1] for c, b, i in truths]
    for category, there, _ in truths:
        for _ in range(int(random.integers(0, 4))):
            category_ = category if random.random() < 0.9 else int(random.integers(0, CLASSES))
            found.append([category_, moved(there), score()])
    crowd = 130 if index in (20, 41) else int(random.integers(0, 5))
    for _ in range(crowd):
        category = 0 if crowd > 100 else int(random.integers(0, CLASSES))
        found.append([category, box(), score()])
    order = random.permutation(len(found))
    return {"truths": truths, "detections": [found[i] for i in order]}


def score():
    """Two digits, so that many are equal."""
    return round(float(random.random()), 2)


def evaluated(frames):
    truths, found = [], []
    for image, content in enumerate(frames):
        for category, there, ignored in content["truths"]:
            truths.append({
                "id": len(truths) + 1, "image_id": image, "category_id": category, "bbox": there,
                "area": there[2] * there[3], "iscrowd": int(ignored)})
        for category, there, certainty in content["detections"]:
            found.append({
                "image_id": image, "category_id": category, "bbox": there, "score": certainty})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(len(frames))], "annotations": truths,
            "categories": [{"id": i} for i in range(CLASSES)], "info": {}}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    # thresholds × recalls × classes, all areas, 100 detections
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    by_class = [
        None if (precision[:, :, k] < 0).all() else precision[:, :, k].mean(axis=1).tolist()
        for k in range(CLASSES)]
    return {"mAP50_95": evaluation.stats[0], "mAP50": evaluation.stats[1], "perClass": by_class}


frames = [frame(index) for index in range(IMAGES)]
result = {"frames": frames, **evaluated(frames)}
with open(sys.argv[1], "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
