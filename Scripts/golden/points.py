#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/Fixtures/Detections/points.json: the average precision that pycocotools' COCOeval finds by key points, of
bodies of 17 points and of things of 5, and polygons as its frPyObjects draws them. Needs numpy and pycocotools; writes
to the path given as argument."""
import contextlib, io, json, sys

import numpy as np
from pycocotools import mask as runs
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IMAGES, CLASSES = 20, 2
random = np.random.default_rng(11)


def noisy(points, spread):
    return [[round(float(x + random.normal(0, spread)), 2), round(float(y + random.normal(0, spread)), 2)] for x, y in points]


def frame(count):
    """Truths: category, box, area, points with visibility, whether a crowd. Finds: category, box, points, score."""
    truths, found = [], []
    for _ in range(int(random.integers(0, 5))):
        left, top = (round(float(v), 2) for v in random.uniform(0, 100, 2))
        width, height = (round(float(v), 2) for v in random.uniform(8, 60, 2))
        points = [[round(float(left + random.random() * width), 2), round(float(top + random.random() * height), 2)]
                  for _ in range(count)]
        seen = random.integers(0, 3, count) if random.random() < 0.8 else np.zeros(count, int)
        category = int(random.integers(0, CLASSES))
        truths.append([category, [left, top, width, height], round(0.6 * width * height, 2),
                       [[x, y, int(v)] for (x, y), v in zip(points, seen)], bool(random.random() < 0.15)])
        for _ in range(int(random.integers(0, 3))):
            found.append([category, noisy(points, random.choice([0.5, 2, 5])), round(float(random.random()), 2)])
    for _ in range(int(random.integers(0, 3))):
        found.append([int(random.integers(0, CLASSES)), noisy(random.uniform(0, 120, (count, 2)), 1),
                      round(float(random.random()), 2)])
    return {"truths": truths, "detections": found}


def evaluated(frames, count, sigmas=None):
    truths, found = [], []
    for image, content in enumerate(frames):
        for category, box, area, points, crowd in content["truths"]:
            truths.append({
                "id": len(truths) + 1, "image_id": image, "category_id": category, "bbox": box, "area": area,
                "keypoints": [v for point in points for v in point],
                "num_keypoints": sum(point[2] > 0 for point in points), "iscrowd": int(crowd)})
        for category, points, certainty in content["detections"]:
            found.append({"image_id": image, "category_id": category, "score": certainty,
                          "keypoints": [v for x, y in points for v in (x, y, 1)]})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i, "height": 200, "width": 200} for i in range(len(frames))],
            "annotations": truths, "categories": [{"id": i} for i in range(CLASSES)], "info": {}}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "keypoints")
        if sigmas is not None:
            evaluation.params.kpt_oks_sigmas = np.array(sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {"count": count, "frames": frames, "oks_mAP50_95": float(evaluation.stats[0]),
            "oks_mAP50": float(evaluation.stats[1])}


def polygons():
    height, width = 40, 56
    whole = [[[2, 3, 20, 3, 20, 15, 2, 15]], [[0, 0, 56, 0, 56, 40, 0, 40]], [[1.5, 1.5, 9.5, 30.5, 20.5, 2.5]]]
    whole.append([[-10, -5, 30.3, 12.7, 70, 50, 12, 60]])
    whole.append([[4, 4, 20, 4, 20, 20, 4, 20], [15, 15, 40, 15, 40, 38.2, 15, 38.2]])
    whole.append([[10, 10, 10, 10, 30, 10, 30, 30, 10, 30]])
    for _ in range(24):
        corners = int(random.integers(3, 12))
        whole.append([[round(float(v), 2) for v in random.uniform(-4, 60, 2 * corners)]
                      for _ in range(int(random.integers(1, 4)))])
    for given in whole:
        found = runs.merge(runs.frPyObjects([[float(v) for v in one] for one in given], height, width))
        yield {"size": [height, width], "polygons": given, "counts": found["counts"].decode()}


bodies, things = [frame(17) for _ in range(IMAGES)], [frame(5) for _ in range(IMAGES)]
with open(sys.argv[1], "w") as file:
    json.dump({
        "bodies": evaluated(bodies, 17), "things": evaluated(things, 5, [0.05] * 5),
        "wide": evaluated(bodies, 17, [0.2] * 17), "polygons": list(polygons())}, file)
