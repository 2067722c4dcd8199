// SPDX-License-Identifier: Apache-2.0

/// The tables of an index.
enum IndexSchema {
  static let tables = """
    CREATE TABLE runs (
      id INTEGER PRIMARY KEY,
      folder TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      clip TEXT NOT NULL,
      configuration TEXT,
      specification TEXT NOT NULL,
      is_baseline INTEGER NOT NULL,
      status TEXT NOT NULL,
      accuracy_against TEXT,
      backbone TEXT, recipe TEXT, scheduler TEXT, propagator TEXT, fusion TEXT, flow TEXT,
      frames INTEGER NOT NULL,
      key_share REAL NOT NULL,
      latency_ms REAL, key_ms REAL, non_key_ms REAL,
      macs_per_frame REAL, macs_per_key REAL,
      peak_rss_bytes INTEGER,
      processor TEXT, instructions TEXT, threads INTEGER, version TEXT, "commit" TEXT,
      warnings INTEGER NOT NULL
    );
    CREATE TABLE figures (
      run INTEGER NOT NULL REFERENCES runs(id),
      name TEXT NOT NULL,
      value REAL NOT NULL, low REAL, high REAL,
      PRIMARY KEY (run, name)
    ) WITHOUT ROWID;
    CREATE TABLE settings (
      run INTEGER NOT NULL REFERENCES runs(id),
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (run, key)
    ) WITHOUT ROWID;
    CREATE TABLE times (
      run INTEGER NOT NULL REFERENCES runs(id),
      round INTEGER NOT NULL,
      frames INTEGER NOT NULL, key_frames INTEGER NOT NULL,
      ms REAL NOT NULL,
      ratio REAL,
      PRIMARY KEY (run, round)
    ) WITHOUT ROWID;
    CREATE VIEW results AS SELECT
      runs.name, runs.clip, miou.value AS mIoU, miou.low AS mIoU_low, miou.high AS mIoU_high,
      tc.value AS TC, runs.key_share, rounds.ms, rounds.time_ratio,
      runs.macs_per_frame / runs.macs_per_key AS macs_share,
      runs.backbone, runs.recipe, runs.scheduler, runs.propagator, runs.flow, runs.is_baseline,
      runs.configuration, runs.folder, runs.id AS run
    FROM runs
    LEFT JOIN figures AS miou ON miou.run = runs.id AND miou.name = 'mIoU'
    LEFT JOIN figures AS tc ON tc.run = runs.id AND tc.name = 'TC'
    LEFT JOIN (
      SELECT run, avg(ms) AS ms, avg(ratio) AS time_ratio FROM times GROUP BY run
    ) AS rounds ON rounds.run = runs.id;
    """
}
