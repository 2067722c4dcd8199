# SPDX-License-Identifier: Apache-2.0
"""Writes seeds for the fuzzing targets: seeds.py TARGET FOLDER [ARCHIVE …]."""
import pathlib, struct, sys, zipfile, zlib

target, folder, archives = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]


def keep(name, data):
    (folder / name.replace("/", "_")).write_bytes(data)


def png(width, height, depth, colour, rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(range(48))) if colour == 3 else b""
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


if target == "still":
    for depth, colour, samples in [(8, 0, 1), (16, 0, 1), (8, 2, 3), (16, 2, 3), (8, 6, 4), (4, 3, 1), (1, 0, 1)]:
        row = bytes(range(max(1, 8 * samples * depth // 8)))
        keep(f"{depth}-{colour}.png", png(8, 4, depth, colour, [row] * 4))
    keep("p5.pgm", b"P5 4 2 255\n" + bytes(8))
    keep("p6.ppm", b"P6 4 2 65535\n" + bytes(48))
    keep("b.bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 78, 0, 0, 54, 40, 2, 2, 1, 24, 0, 24, 0, 0, 0, 0) + bytes(24))
if target == "flo":
    for width, height in [(1, 1), (3, 2), (17, 5)]:
        cells = [(x / 4, -x, 1e10, float("nan"), float("inf"), 1e9)[x % 6] for x in range(2 * width * height)]
        keep(f"{width}x{height}.flo", b"PIEH" + struct.pack(f"<ii{len(cells)}f", width, height, *cells))
if target == "kitti":
    for width, height in [(1, 1), (3, 2), (17, 5)]:
        row = b"".join(struct.pack(">HHH", 32768 + 64 * x, 65535 - x, x % 2) for x in range(width))
        keep(f"{width}x{height}.png", png(width, height, 16, 2, [row] * height))
    keep("grey.png", png(3, 2, 16, 0, [bytes(6)] * 2))
    keep("alpha.png", png(3, 2, 16, 6, [bytes(24)] * 2))
    keep("8.png", png(3, 2, 8, 2, [bytes(9)] * 2))
for path in archives:
    for entry in zipfile.ZipFile(path).infolist() if zipfile.is_zipfile(path) else []:
        with zipfile.ZipFile(path) as archive:
            data = archive.read(entry)
        if target == "pickle" and entry.filename.endswith(("pkl", ".py")):
            keep(entry.filename, data)
