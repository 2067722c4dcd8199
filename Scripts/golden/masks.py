#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/Fixtures/Detections/masks.json: masks as pycocotools writes them, the average precision that its COCOeval
finds in some, and masks that Ultralytics reads off rows and prototypes. Needs numpy, pycocotools, torch and ultralytics;
writes to the path given as argument."""
import contextlib, io, json, sys

import numpy as np
import torch
from pycocotools import mask as runs
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from ultralytics.utils import ops

HEIGHT, WIDTH, IMAGES, CLASSES = 30, 42, 24, 3
random = np.random.default_rng(7)


def blob():
    """An ellipse, or the part of one that an occluder leaves; at times it is cut off by an edge."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    centre, radius = random.uniform([0, 0], [WIDTH, HEIGHT]), random.uniform(1.5, 12, 2)
    inside = ((x - centre[0]) / radius[0]) ** 2 + ((y - centre[1]) / radius[1]) ** 2 < 1
    if random.random() < 0.4:
        inside &= (x.astype(int) // 5) % 2 == 0
    return inside.astype(np.uint8)


def moved(there):
    return np.roll(there, random.integers(-2, 3, 2), (0, 1)) if random.random() < 0.8 else there


def written(mask):
    found = runs.encode(np.asfortranarray(mask))
    return {"size": [int(s) for s in found["size"]], "counts": found["counts"].decode()}


def frame():
    truths, found = [], []
    for _ in range(int(random.integers(0, 6))):
        mask = blob()
        if not mask.any():
            continue
        truths.append([int(random.integers(0, CLASSES)), written(mask), bool(random.random() < 0.2)])
        for _ in range(int(random.integers(0, 3))):
            found.append([truths[-1][0], written(moved(mask)), round(float(random.random()), 2)])
    for _ in range(int(random.integers(0, 3))):
        found.append([int(random.integers(0, CLASSES)), written(blob()), round(float(random.random()), 2)])
    return {"truths": truths, "detections": found}


def evaluated(frames):
    truths, found = [], []
    for image, content in enumerate(frames):
        for category, mask, ignored in content["truths"]:
            truths.append({
                "id": len(truths) + 1, "image_id": image, "category_id": category, "segmentation": mask,
                "area": float(runs.area(mask)), "bbox": [0, 0, 1, 1], "iscrowd": int(ignored)})
        for category, mask, certainty in content["detections"]:
            found.append({"image_id": image, "category_id": category, "segmentation": mask, "score": certainty})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i, "height": HEIGHT, "width": WIDTH} for i in range(len(frames))],
            "annotations": truths, "categories": [{"id": i} for i in range(CLASSES)], "info": {}}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {"mask_mAP50_95": float(evaluation.stats[0]), "mask_mAP50": float(evaluation.stats[1])}


def single():
    """Masks with their uncompressed counts, area and box, the empty and the full one among them."""
    masks = [np.zeros((HEIGHT, WIDTH), np.uint8), np.ones((HEIGHT, WIDTH), np.uint8)] + [blob() for _ in range(6)]
    masks.append((random.random((HEIGHT, WIDTH)) < 0.5).astype(np.uint8))
    for mask in masks:
        flat, counts, value = mask.T.ravel(), [0], 0
        for cell in flat:
            if cell != value:
                counts.append(0)
                value = cell
            counts[-1] += 1
        found = runs.encode(np.asfortranarray(mask))
        yield {"mask": written(mask), "runs": counts, "area": int(runs.area(found)),
               "box": [float(v) for v in runs.toBbox(found)]}


def decoded():
    """Rows of box, two classes and four weights, and prototypes of an input of 48 × 32; boxes have whole edges."""
    rows, planes, weights = 7, 4, random.normal(0, 1, (7, 4)).astype(np.float32)
    prototypes = random.normal(0, 1, (planes, 8, 12)).astype(np.float32)
    corners = np.stack([np.concatenate([a, a + random.integers(6, 22, 2)])
                        for a in (random.integers(0, [26, 10], 2) for _ in range(rows))]).astype(np.float32)
    corners[0], scores = [-6, -4, 20, 16], np.zeros((rows, 2), np.float32)
    for row in range(rows):
        scores[row, row % 2] = 0.9 - 0.1 * row
    table = np.concatenate([
        (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2], scores, weights], 1)
    for size in ((32, 48), (96, 96)):  # Height and width of the frame.
        scale = np.array([size[1] / 48, size[0] / 32] * 2, np.float32)
        boxes = torch.tensor(np.clip(corners * scale, 0, [size[1], size[0]] * 2))
        logits = (torch.tensor(weights) @ torch.tensor(prototypes).view(planes, -1)).view(-1, 8, 12)
        large = torch.nn.functional.interpolate(logits[None], size, mode="bilinear", align_corners=False)[0]
        masks = ops.crop_mask(large, boxes).gt(0).numpy().astype(np.uint8)
        yield {
            "size": list(size), "rows": [float(v) for v in table.T.ravel()], "shape": [1, table.shape[1], rows],
            "prototypes": [float(v) for v in prototypes.ravel()], "masks": [written(m) for m in masks]}


frames = [frame() for _ in range(IMAGES)]
with open(sys.argv[1], "w") as file:
    json.dump({"single": list(single()), "frames": frames, **evaluated(frames), "decoded": list(decoded())}, file)
