#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/VideoTests/Support/StillGoldens.swift: tiny pictures of many kinds, and what
cv2.imread (OpenCV 5.0) makes of each. Needs cv2, numpy and the ffmpeg command; prints to stdout."""
import base64, os, struct, subprocess, sys, tempfile
import cv2, numpy as np

HEIGHT, WIDTH = 7, 13
random = np.random.default_rng(5)


def checksum(image):
    samples = image.reshape(-1).astype(np.uint64)
    index = np.arange(samples.size, dtype=np.uint64)
    return int((samples * (index * np.uint64(2654435761) | np.uint64(1))).sum(dtype=np.uint64))


def write_all(folder):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    noise = random.integers(0, 60, (HEIGHT, WIDTH))
    image = np.stack([x * 19 + y * 3, y * 31 + x * 5, x * 7 + y * 11 + noise], -1) % 256
    image = image.astype(np.uint8)
    deep = image.astype(np.uint16) << 8 | random.integers(0, 256, image.shape).astype(np.uint16)
    alpha = random.integers(0, 256, (HEIGHT, WIDTH, 1)).astype(np.uint8)
    clear = np.concatenate([image, alpha], -1)
    grey, grey16, bits = image[..., 0], deep[..., 0], (image[..., 0] > 120).astype(np.uint8) * 255
    s444 = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    for name, picture, settings in [
        ("rgb.png", image, []), ("grey.png", grey, []), ("rgba.png", clear, []),
        ("rgb16.png", deep, []), ("grey16.png", grey16, []), ("q444.jpg", image, s444),
        ("q420.jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80]), ("grey.jpg", grey, []),
        ("prog.jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        ("lossless.webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101]),
        ("alpha.webp", clear, [cv2.IMWRITE_WEBP_QUALITY, 101]),
        ("rgb.bmp", image, []), ("rgba.bmp", clear, []), ("rgb.tiff", image, []),
        ("rgb16.tiff", deep, []), ("grey.tiff", grey, []), ("rgb.ppm", image, []),
        ("grey.pgm", grey, []), ("rgb16.ppm", deep, []), ("bits.pbm", bits, []),
    ]:
        cv2.imwrite(f"{folder}/{name}", picture, settings)
    for layout, name in [("pal8", "pal.png"), ("monob", "bit.png"), ("ya8", "ya.png"),
                         ("ya16be", "ya16.png"), ("rgba64be", "rgba64.png")]:
        command = ["ffmpeg", "-v", "error", "-y", "-i", f"{folder}/rgb.png", "-pix_fmt", layout]
        subprocess.run(command + [f"{folder}/{name}"], check=True)


def turned(jpeg, orientation):
    entry = struct.pack(">HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0MM\0*\0\0\0\x08" + entry
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def main():
    out = sys.stdout
    with tempfile.TemporaryDirectory() as folder:
        write_all(folder)
        names = sorted(os.listdir(folder))
        out.write("// SPDX-License-Identifier: Apache-2.0\n\n")
        out.write("// Made by Scripts/golden/stills.py.\n\n")
        out.write("/// A picture file and what OpenCV reads from it.\n")
        out.write("struct Golden {\n  let name: String\n  let width: Int, height: Int\n")
        out.write("  /// See `Image.checksum`.\n  let checksum: UInt64\n  let base64: String\n}\n\n")
        out.write("let stillGoldens: [Golden] = [\n")
        for name in names:
            image = cv2.imread(f"{folder}/{name}")
            text = base64.b64encode(open(f"{folder}/{name}", "rb").read()).decode()
            lines = [text[i:i + 88] for i in range(0, len(text), 88)]
            out.write(f'  Golden(\n    name: "{name}", width: {image.shape[1]}, ')
            out.write(f"height: {image.shape[0]}, checksum: 0x{checksum(image):016x},\n")
            out.write('    base64: """\n')
            out.write("".join(f"      {line}\n" for line in lines) + '      """),\n')
        out.write("]\n\n/// `q420.jpg` with Exif orientations 2 to 8.\n")
        out.write("let orientationChecksums: [UInt64] = [\n")
        jpeg = open(f"{folder}/q420.jpg", "rb").read()
        for orientation in range(2, 9):
            bytes_ = np.frombuffer(turned(jpeg, orientation), np.uint8)
            out.write(f"  0x{checksum(cv2.imdecode(bytes_, cv2.IMREAD_COLOR)):016x},\n")
        out.write("]\n")


main()
