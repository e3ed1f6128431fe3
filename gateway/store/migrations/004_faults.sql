-- What faults leave behind: settled holds and letters, signed baselines, stores that were restored, signed checkpoints.

-- Why the first units after a restore are held (a sentence); empty for a counter that goes on as it was.
ALTER TABLE checkpoint ADD COLUMN doubt TEXT NOT NULL DEFAULT '';

-- Where a counter began: a person signs it at commissioning. One row a baseline, the newest is the one in force.
CREATE TABLE baseline (
    id        INTEGER PRIMARY KEY,
    device    TEXT NOT NULL,
    signal    TEXT NOT NULL,
    value     TEXT NOT NULL,
    epoch     TEXT,
    at        TEXT NOT NULL,
    signed_by TEXT NOT NULL DEFAULT '', -- user; empty: nobody yet
    signed_at TEXT
);
CREATE INDEX baseline_signal ON baseline (device, signal, id);

-- A dead letter is closed when it was re-driven or set aside by a person; the letter itself stays.
ALTER TABLE dead_letter ADD COLUMN closed_at TEXT;
ALTER TABLE dead_letter ADD COLUMN close_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letter ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
CREATE INDEX dead_letter_open ON dead_letter (id) WHERE closed_at IS NULL;

-- A posting that a sink refused: a person asks for another try (`redrive`), or settles it by hand (closed).
ALTER TABLE sink_rejection ADD COLUMN redrive INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sink_rejection ADD COLUMN closed_at TEXT;
ALTER TABLE sink_rejection ADD COLUMN close_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE sink_rejection ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
CREATE INDEX sink_rejection_open ON sink_rejection (sink, seq) WHERE closed_at IS NULL;

-- The stores this file was before: entries of the chain up to `last_position` bear that id. The newest is in meta.
CREATE TABLE former_store (
    store         TEXT PRIMARY KEY,
    last_position INTEGER NOT NULL,
    last_seq      INTEGER NOT NULL,
    replaced_at   TEXT NOT NULL,
    reason        TEXT NOT NULL
) WITHOUT ROWID;

-- What was verified and signed (Ed25519): `body` is the JSON that `signature` (hex) covers. The newest one is where an
-- incremental verification begins; they go to the central system, so that a store cut off at its end shows.
CREATE TABLE signed_checkpoint (
    position  INTEGER PRIMARY KEY,
    seq       INTEGER NOT NULL,
    at        TEXT NOT NULL,
    body      TEXT NOT NULL,
    signature TEXT NOT NULL
);
