#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/TrainingTests/Support/EventGolden.swift: an event file as TensorBoard's own protocol
buffers and record writer (tensorboard 2.21) encode it. Needs tensorboard; prints to stdout."""
import base64, io

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

TIME = 1_700_000_000.25
events = [
    Event(wall_time=TIME, step=3, file_version="brain.Event:2"),
    Event(wall_time=TIME, step=3, session_log=SessionLog(status=SessionLog.START)),
    Event(wall_time=TIME, step=3,
          summary=Summary(value=[Summary.Value(tag="loss", simple_value=0.5)])),
]
file = io.BytesIO()
writer = RecordWriter(file)
for event in events:
    writer.write(event.SerializeToString())

text = base64.b64encode(file.getvalue()).decode()
lines = [text[i:i + 80] for i in range(0, len(text), 80)]
print("// SPDX-License-Identifier: Apache-2.0")
print("// Made by Scripts/golden/events.py.\n")
print("/// Version, start of the session and `loss` 0.5, all at step 3.")
print("let goldenEvents =")
print("\n".join(f'  {"+ " if i else ""}"{line}"' for i, line in enumerate(lines)))
