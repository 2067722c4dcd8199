// SPDX-License-Identifier: Apache-2.0
// Made by Scripts/golden/events.py.

/// Version, start of the session and `loss` 0.5, all at step 3.
let goldenEvents =
  "GgAAAAAAAAASm9gtCQAAEED8VNlBEAMaDWJyYWluLkV2ZW50OjJiDnbTDwAAAAAAAABtUysJCQAAEED8"
  + "VNlBEAM6AggBlIESTBoAAAAAAAAAEpvYLQkAABBA/FTZQRADKg0KCwoEbG9zcxUAAAA/AXqhbA=="
