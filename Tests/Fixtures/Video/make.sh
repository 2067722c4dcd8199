#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes a clip in a codec whose decoder exports no motion vectors. Needs FFmpeg with x265.
set -euo pipefail
cd "$(dirname "$0")"
ffmpeg -v error -y -f lavfi -i testsrc=s=64x48:r=25 -frames:v 6 -pix_fmt yuv420p -c:v libx265 \
  -x265-params log-level=none -tag:v hvc1 -movflags faststart -bitexact hevc.mp4
