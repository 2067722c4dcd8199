#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/Fixtures/Onnx: tiny ONNX networks, what ONNX Runtime's own Python computes with them, and
what decoders written here with numpy find in made-up outputs of detectors. Needs onnx, onnxruntime and
numpy; writes into the folder given as argument."""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(sys.argv[1])
random = np.random.default_rng(19)


def weights(name, *shape, type=np.float32, scale=0.3):
    return numpy_helper.from_array((random.standard_normal(shape) * scale).astype(type), name)


def value(name, type, shape):
    return helper.make_tensor_value_info(name, type, shape)


def write(name, nodes, inputs, outputs, constants, metadata=None, external=None):
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
                              producer_name="golden", producer_version="1")
    for key, text in (metadata or {}).items():
        model.metadata_props.add(key=key, value=text)
    onnx.checker.check_model(model)
    path = FOLDER / f"{name}.onnx"
    if external:
        onnx.save(model, path, save_as_external_data=True, location=external, size_threshold=0)
    else:
        onnx.save(model, path)
    return str(path)


def conv(inputs, output, stride=1, name=""):
    return helper.make_node("Conv", inputs, [output], name=name, kernel_shape=[3, 3],
                            strides=[stride, stride], pads=[1, 1, 1, 1])


def run(path, array):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: array})


def picture(height, width):
    """Bytes in blue, green, red, the same as the tests make."""
    return ((np.arange(height * width * 3) * 37) % 251).astype(np.uint8).reshape(height, width, 3)


golden = {}


def note(name, array, tail=6):
    flat = np.asarray(array, np.float64).ravel()
    golden[name] = {"shape": list(np.asarray(array).shape), "sum": float(flat.sum()),
                    "first": [float(x) for x in flat[:tail]], "last": [float(x) for x in flat[-tail:]]}


F, H, U8 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8
SIZE = (12, 16)
bgr = picture(*SIZE)
planes = bgr.astype(np.float32).transpose(2, 0, 1)[None]

# Fixed size, planes first, a skip over two stages, scores of three classes at stride 2.
segmentation = write(
    "segmentation",
    [conv(["image", "w1"], "c1", name="first"), helper.make_node("Relu", ["c1"], ["shallow"]),
     conv(["shallow", "w2"], "c2", 2), helper.make_node("Relu", ["c2"], ["deep"]),
     conv(["deep", "w3"], "c3"), helper.make_node("AveragePool", ["shallow"], ["small"],
                                                  kernel_shape=[2, 2], strides=[2, 2]),
     helper.make_node("Concat", ["c3", "small"], ["joined"], axis=1),
     conv(["joined", "w4", "b4"], "scores")],
    [value("image", F, [1, 3, *SIZE])], [value("scores", F, [1, 3, 6, 8])],
    [weights("w1", 4, 3, 3, 3), weights("w2", 5, 4, 3, 3), weights("w3", 4, 5, 3, 3),
     weights("w4", 3, 8, 3, 3), weights("b4", 3)])
note("segmentation", run(segmentation, planes / 255)[0])

# Pixels first, bytes, any size, any number of pictures; a map of labels beside the scores.
pixels = write(
    "pixels",
    [helper.make_node("Cast", ["bytes"], ["floats"], to=F),
     helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
     conv(["planes", "w"], "maps"),
     helper.make_node("Transpose", ["maps"], ["scores"], perm=[0, 2, 3, 1]),
     helper.make_node("ArgMax", ["scores"], ["labels"], axis=3, keepdims=0)],
    [value("bytes", U8, ["n", "h", "w", 3])],
    [value("scores", F, ["n", "h", "w", 2]), value("labels", TensorProto.INT64, ["n", "h", "w"])],
    [weights("w", 2, 3, 3, 3, scale=0.01)])
note("pixels", run(pixels, bgr[None])[0])
note("pixels labels", run(pixels, bgr[None])[1])

# Half precision, one plane: inverse depth.
half = write(
    "half", [conv(["image", "w"], "c"), helper.make_node("Sigmoid", ["c"], ["depth"])],
    [value("image", H, [1, 3, *SIZE])], [value("depth", H, [1, 1, *SIZE])],
    [weights("w", 1, 3, 3, 3, type=np.float16)])
note("half", run(half, (planes / 255).astype(np.float16))[0])

# Signed bytes in and out.
quantised = write(
    "quantised",
    [helper.make_node("Cast", ["image"], ["floats"], to=F), conv(["floats", "w"], "maps"),
     helper.make_node("QuantizeLinear", ["maps", "step", "zero"], ["scores"])],
    [value("image", TensorProto.INT8, [1, 3, *SIZE])],
    [value("scores", TensorProto.INT8, [1, 2, *SIZE])],
    [weights("w", 2, 3, 3, 3, scale=0.05), numpy_helper.from_array(np.float32(0.5), "step"),
     numpy_helper.from_array(np.int8(3), "zero")])
note("quantised", run(quantised, (planes - 128).astype(np.int8))[0])

# Weights in a file beside it.
write("external", [conv(["image", "w"], "scores")], [value("image", F, [1, 3, *SIZE])],
      [value("scores", F, [1, 2, *SIZE])], [weights("w", 2, 3, 3, 3)], external="external.bin")

# A detector as Ultralytics writes its metadata: rows of box and classes.
CELLS = 8
detector = write(
    "detector",
    [helper.make_node("AveragePool", ["images"], ["grid"], kernel_shape=[8, 8], strides=[8, 8]),
     helper.make_node("Conv", ["grid", "w", "b"], ["maps"], kernel_shape=[1, 1]),
     helper.make_node("Reshape", ["maps", "shape"], ["output0"])],
    [value("images", F, [1, 3, 16, 32])], [value("output0", F, [1, 6, CELLS])],
    [numpy_helper.from_array(np.array(
        [[[[30]], [[0]], [[0]]], [[[0]], [[16]], [[0]]], [[[4]], [[0]], [[4]]], [[[0]], [[0]], [[8]]],
         [[[0.9]], [[0]], [[0]]], [[[0]], [[0]], [[0.8]]]], np.float32), "w"),
     numpy_helper.from_array(np.array([1, 0, 4, 4, 0, 0], np.float32), "b"),
     numpy_helper.from_array(np.array([1, 6, CELLS], np.int64), "shape")],
    metadata={"author": "Ultralytics", "task": "detect", "stride": "8", "imgsz": "[16, 32]",
              "names": "{0: 'it\\'s a car', 1: \"person\"}"})


# What decoders should find: written here from the papers and the authors' code, with numpy.

def logistic(x):
    return 1 / (1 + np.exp(-x))


def overlap(a, b):
    left, top = max(a[0], b[0]), max(a[1], b[1])
    right, bottom = min(a[2], b[2]), min(a[3], b[3])
    common = max(0, right - left) * max(0, bottom - top)
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return common / (area(a) + area(b) - common)


def suppressed(found, threshold, limit, size):
    """Greedy, class by class, of boxes (left, top, right, bottom, class, score) as they are; those that are kept end at
    the edges."""
    height, width = size
    kept = []
    for box in sorted((b for b in found if b[2] > b[0] and b[3] > b[1]), key=lambda b: -b[5]):
        if threshold is None or all(k[4] != box[4] or overlap(k, box) <= threshold for k in kept):
            kept.append(box)
    cut = [(np.clip(a, 0, width), np.clip(b, 0, height), np.clip(c, 0, width), np.clip(d, 0, height), k, s)
           for a, b, c, d, k, s in kept[:limit]]
    return [[float(x) for x in box] for box in cut if box[2] > box[0] and box[3] > box[1]]


def centred(x, y, w, h):
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


decoders = []


def decoder(kind, options, outputs, size, classes, found, score, threshold):
    found = [f for f in found if f[5] >= score]
    decoders.append({
        "decoder": {"kind": kind, **options}, "size": list(size), "classes": classes,
        "outputs": [{"shape": list(a.shape), "values": [float(np.float32(x)) for x in a.ravel()]}
                    for a in outputs],
        "found": suppressed(found, threshold, 300, size)})


size, classes = (24, 32), 3

maps = random.standard_normal((1, 5 + classes, 3, 4)).astype(np.float32)
maps[:, 0] = logistic(maps[:, 0] + 1)
maps[:, 5:] = logistic(maps[:, 5:])
found = []
for row in range(3):
    for column in range(4):
        o = maps[0, :, row, column].astype(np.float64)
        k = int(o[5:].argmax())
        x, y = (column + np.tanh(o[1])) / 4 * size[1], (row + np.tanh(o[2])) / 3 * size[0]
        w, h = logistic(o[3]) * size[1], logistic(o[4]) * size[0]
        found.append((*centred(x, y, w, h), k, o[0] ** 0.6 * o[5 + k] ** 0.4))
decoder("fastestdet", {"score": 0.4}, [maps], size, classes, found, 0.4, 0.45)

rows = random.uniform(0, 1, (1, 4 + classes, 15)).astype(np.float32)
rows[:, :2] *= 24
rows[:, 2:4] = 4 + 12 * rows[:, 2:4]
found = [(*centred(*c[:4].astype(np.float64)), int(c[4:].argmax()), float(c[4:].max()))
         for c in rows[0].T]
decoder("yolov8", {"score": 0.5, "overlap": 0.3}, [rows], size, classes, found, 0.5, 0.3)
decoder("yolov8", {"score": 0.5, "overlap": 0.3}, [np.ascontiguousarray(rows.transpose(0, 2, 1))], size,
        classes, found, 0.5, 0.3)

cells = [(c, r, s) for s in (8, 16) for r in range(-(-size[0] // s)) for c in range(-(-size[1] // s))]
rows = random.standard_normal((1, len(cells), 5 + classes)).astype(np.float32) * 0.7
rows[..., 4:] = logistic(rows[..., 4:] + 1)
found = []
for (column, row, stride), c in zip(cells, rows[0].astype(np.float64)):
    k = int(c[5:].argmax())
    found.append((*centred((c[0] + column) * stride, (c[1] + row) * stride, np.exp(c[2]) * stride,
                           np.exp(c[3]) * stride), k, c[4] * c[5 + k]))
decoder("yolox", {"score": 0.45, "strides": [8, 16]}, [rows], size, classes, found, 0.45, 0.45)

rows = random.uniform(0, 1, (1, 12, 5 + classes)).astype(np.float32)
rows[..., :4] *= 16
found = [(*centred(*c[:4]), int(c[5:].argmax()), c[4] * c[5:].max()) for c in rows[0].astype(np.float64)]
decoder("yolov5", {"score": 0.3}, [rows], size, classes, found, 0.3, 0.45)

rows = random.uniform(0, 1, (1, 9, 6)).astype(np.float32)
rows[..., :4] *= 14
rows[..., 2:4] += 15
rows[..., 5] = random.integers(0, 3, 9)
found = [(*c[:4], int(c[5]), c[4]) for c in rows[0].astype(np.float64)]
decoder("rows", {"score": 0.3}, [rows], size, classes, found, 0.3, None)

bins = 5
scores = logistic(random.standard_normal((1, len(cells), classes)).astype(np.float32))
distances = random.standard_normal((1, len(cells), 4 * bins)).astype(np.float32) * 2
for centre, together in ((0.0, True), (0.5, False)):
    found = []
    for (column, row, stride), s, d in zip(cells, scores[0].astype(np.float64),
                                           distances[0].astype(np.float64)):
        share = np.exp(d.reshape(4, bins))
        share /= share.sum(1, keepdims=True)
        left, top, right, bottom = (share @ np.arange(bins)) * stride
        x, y = (column + centre) * stride, (row + centre) * stride
        found.append((x - left, y - top, x + right, y + bottom, int(s.argmax()), float(s.max())))
    first = sum(1 for c in cells if c[2] == 8)
    outputs = [np.concatenate([scores, distances], 2)] if together else [
        scores[:, :first], scores[:, first:], distances[:, :first], distances[:, first:]]
    decoder("nanodet", {"score": 0.6, "strides": [8, 16], "centre": centre}, outputs, size, classes,
            found, 0.6, 0.45)

corners = np.sort(random.uniform(0, 1, (1, 10, 2, 2)), axis=2)  # (y, x) twice
boxes = corners.reshape(1, 10, 4).astype(np.float32)
table = random.uniform(0, 1, (1, 10, classes + 1)).astype(np.float32)
found = []
for b, s in zip(boxes[0].astype(np.float64), table[0].astype(np.float64)):
    k = int(s[1:].argmax())
    found.append((b[1] * size[1], b[0] * size[0], b[3] * size[1], b[2] * size[0], k, s[1 + k]))
decoder("ssd", {"score": 0.5, "background": True}, [boxes, table], size, classes, found, 0.5, 0.45)

chosen = random.integers(0, 5, (1, 10)).astype(np.float32)  # 0 and 4 are no classes
sure = random.uniform(0, 1, (1, 10)).astype(np.float32)
found = [(b[1] * size[1], b[0] * size[0], b[3] * size[1], b[2] * size[0], int(k) - 1, s)
         for b, k, s in zip(boxes[0].astype(np.float64), chosen[0], sure[0].astype(np.float64))
         if 1 <= k <= 3]
decoder("ssd", {"score": 0.2, "final": True}, [boxes, sure, chosen], size, classes, found, 0.2, None)

rows = random.uniform(0, 1, (9, 7)).astype(np.float32)
rows[:, 0] = [0, 0, 1, 0, 0, 0, 2, 0, 0]
rows[:, 1:5] *= 14
rows[:, 3:5] += 15
rows[:, 5] = random.integers(0, 3, 9)
found = [(*r[1:5], int(r[5]), r[6]) for r in rows.astype(np.float64) if r[0] == 0]
decoder("yolov7", {"score": 0.3}, [rows], size, classes, found, 0.3, None)

# Suppression in the graph, and rows of picture, corners, class and score, as YOLOv7's exporter writes them: boxes of
# which the second goes with the first.
boxes = np.array([[10, 10, 30, 40], [11, 10, 31, 40], [40, 5, 60, 20]], np.float32)
sure = np.array([[0.9], [0.8], [0.7]], np.float32)
write(
    "numbered",
    [helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "overlap", "least"], ["chosen"]),
     helper.make_node("Gather", ["chosen", "two"], ["columns"], axis=1),
     helper.make_node("Squeeze", ["columns", "axes"], ["places"]),
     helper.make_node("Gather", ["corners", "places"], ["kept"], axis=0),
     helper.make_node("Gather", ["sure", "places"], ["certain"], axis=0),
     helper.make_node("ReduceMean", ["images"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
     helper.make_node("Mul", ["mean", "nothing"], ["naught"]),
     helper.make_node("Mul", ["certain", "naught"], ["zeros"]),
     helper.make_node("Concat", ["zeros", "kept", "zeros", "certain"], ["output"], axis=1)],
    [value("images", F, [1, 3, 48, 64])], [value("output", F, ["rows", 7])],
    [numpy_helper.from_array(np.array(array, type), name) for name, array, type in (
        ("boxes", boxes[None], np.float32), ("scores", sure.T[None], np.float32), ("most", [5], np.int64),
        ("overlap", [0.5], np.float32), ("least", [0.1], np.float32), ("two", [2], np.int64),
        ("axes", [1], np.int64), ("corners", boxes, np.float32), ("sure", sure, np.float32),
        ("nothing", 0, np.float32))])

# Maps of key points as `get_final_preds` of Simple Baselines and HRNet reads them, but that it asks each axis by itself:
# numbers that are drawn, so that every kind of neighbour occurs.
points = np.random.default_rng(41)
maps = points.uniform(0, 0.6, (1, 9, 6, 8)).astype(np.float32)
for k in range(9):
    maps[0, k, points.integers(0, 6), points.integers(0, 8)] = 0.2 + 0.09 * k
places = []
for plane in maps[0].astype(np.float64):
    row, column = np.unravel_index(plane.argmax(), plane.shape)
    x, y = float(column), float(row)
    if 0 < column < 7:
        x += 0.25 * np.sign(plane[row, column + 1] - plane[row, column - 1])
    if 0 < row < 5:
        y += 0.25 * np.sign(plane[row + 1, column] - plane[row - 1, column])
    places.append((x / 8 * size[1], y / 6 * size[0], plane.max()))
sure = np.array([place for place in places if place[2] >= 0.59])
decoder("heatmaps", {"score": 0.59}, [maps], size, 1,
        [(sure[:, 0].min(), sure[:, 1].min(), sure[:, 0].max(), sure[:, 1].max(), 0, sure[:, 2].mean())], 0.59, None)

# Any size by what the file says, but only even ones by what it computes: maps of half the size are doubled and added to
# those they were made of.
meeting = write(
    "meeting",
    [conv(["image", "w1"], "shallow"), conv(["shallow", "w2"], "deep", 2),
     helper.make_node("Resize", ["deep", "", "twice"], ["doubled"], mode="nearest"),
     helper.make_node("Add", ["shallow", "doubled"], ["joined"]), conv(["joined", "w3"], "scores")],
    [value("image", F, ["n", 3, "h", "w"])], [value("scores", F, ["n", 2, "h", "w"])],
    [weights("w1", 4, 3, 3, 3), weights("w2", 4, 4, 3, 3), weights("w3", 2, 4, 3, 3),
     numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice")])
note("meeting", run(meeting, planes / 255)[0])

# A picture and numbers of every type beside it, as networks take that are told the picture's size.
DOUBLE, BOOL = TensorProto.DOUBLE, TensorProto.BOOL
further = {
    "size": (TensorProto.INT64, np.int64, [[480, 640]]), "half": (H, np.float16, [0.37]),
    "double": (DOUBLE, np.float64, 1e-9), "flag": (BOOL, np.bool_, [True]),
    "byte": (U8, np.uint8, [[200, 3]]), "signed": (TensorProto.INT8, np.int8, [-100]),
    "short": (TensorProto.INT16, np.int16, [-3000]), "word": (TensorProto.UINT16, np.uint16, [60000]),
    "integer": (TensorProto.INT32, np.int32, [-70000]), "unsigned": (TensorProto.UINT32, np.uint32, [4000000000]),
    "long": (TensorProto.UINT64, np.uint64, [5]), "single": (F, np.float32, [[[0.1, -2.5]]])}
nodes, terms = [conv(["image", "w"], "maps")], ["maps"]
for name in further:
    # Each is brought to the same order of magnitude, so that none is lost in another's rounding.
    nodes += [helper.make_node("Cast", [name], [f"{name}_f"], to=DOUBLE),
              helper.make_node("ReduceSum", [f"{name}_f"], [f"{name}_s"], keepdims=0),
              helper.make_node("Mul", [f"{name}_s", f"{name}_c"], [f"{name}_m"]),
              helper.make_node("Cast", [f"{name}_m"], [f"{name}_n"], to=F),
              helper.make_node("Add", [terms[-1], f"{name}_n"], [f"{name}_sum"])]
    terms.append(f"{name}_sum")
nodes.append(helper.make_node("Identity", [terms[-1]], ["depth"]))
given = write(
    "given", nodes,
    [value(name, type, list(np.shape(numbers))) for name, (type, _, numbers) in list(further.items())[:5]]
    + [value("image", F, [1, 3, *SIZE])]
    + [value(name, type, list(np.shape(numbers))) for name, (type, _, numbers) in list(further.items())[5:]],
    [value("depth", F, [1, 1, *SIZE])],
    [weights("w", 1, 3, 3, 3)]
    + [numpy_helper.from_array(np.float64((weight + 1) / np.abs(np.asarray(further[name][2], np.float64)).max()),
                               f"{name}_c") for weight, name in enumerate(further)])
session = onnxruntime.InferenceSession(given, providers=["CPUExecutionProvider"])
note("given", session.run(None, {"image": planes / 255} | {
    name: np.asarray(numbers, type) for name, (_, type, numbers) in further.items()})[0])

# PaddleDetection's rows: class and score before the corners, class -1 where there is nothing.
finals = np.concatenate([random.integers(0, classes, (7, 1)), random.uniform(0, 1, (7, 1)),
                         random.uniform(0, 12, (7, 2)), random.uniform(13, 24, (7, 2))], 1).astype(np.float32)
finals[3, 0] = -1
decoder("rows", {"score": 0.3, "order": "class-first"}, [finals], size, classes,
        [(*row[2:].astype(np.float64), int(row[0]), float(row[1])) for row in finals if row[0] >= 0], 0.3, None)

# Every class of a box by itself.
boxes = np.sort(random.uniform(0, 24, (1, 8, 2, 2)), 2).reshape(1, 8, 4).astype(np.float32)
table = random.uniform(0, 1, (1, 8, classes)).astype(np.float32)
decoder("ssd", {"score": 0.5, "multilabel": True, "corners": "xyxy", "pixels": True}, [boxes, table], size, classes,
        [(*box.astype(np.float64), k, float(row[k])) for box, row in zip(boxes[0], table[0]) for k in range(classes)],
        0.5, 0.45)

(FOLDER / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
(FOLDER / "decoders.json").write_text(json.dumps(decoders) + "\n")
