#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes a clip in a codec whose decoder exports no motion vectors, and clips whose pictures say themselves that
# they are turned: H.264's first one, MJPEG's all. Needs FFmpeg with x264 and x265.
set -euo pipefail
cd "$(dirname "$0")"
ffmpeg -v error -y -f lavfi -i testsrc=s=64x48:r=25 -frames:v 6 -pix_fmt yuv420p -c:v libx265 \
  -x265-params log-level=none -tag:v hvc1 -movflags faststart -bitexact hevc.mp4
ffmpeg -v error -y -f lavfi -i testsrc=s=64x48:r=25 -frames:v 6 -pix_fmt yuv420p -c:v libx264 -bitexact upright.mp4
ffmpeg -v error -y -i upright.mp4 -c copy -bsf:v h264_metadata=display_orientation=insert:rotate=90 -bitexact turned.mp4
rm upright.mp4
ffmpeg -v error -y -f lavfi -i testsrc=s=48x32:r=25 -frames:v 3 -c:v mjpeg -f mjpeg - |
  python3 -c '
import struct, sys
exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
pictures = sys.stdin.buffer.read()
sys.stdout.buffer.write(pictures.replace(b"\xff\xd8\xff", b"\xff\xd8" + segment + b"\xff"))' |
  ffmpeg -v error -y -r 25 -f mjpeg -i - -c copy -bitexact turned.avi
