-- What faults leave behind: settled holds and letters, signed baselines, stores that were restored, signed checkpoints.

-- Why the first units after a restore are held (a sentence); empty for a counter that goes on as it was.
ALTER TABLE checkpoint ADD COLUMN doubt TEXT NOT NULL DEFAULT '';

-- Where a counter began: a person signs it at commissioning. A counter that was there before has none.
CREATE TABLE baseline (
    device    TEXT NOT NULL,
    signal    TEXT NOT NULL,
    value     TEXT NOT NULL,
    epoch     TEXT,
    at        TEXT NOT NULL,
    signed_by TEXT NOT NULL, -- user; empty: nobody yet
    signed_at TEXT,
    PRIMARY KEY (device, signal)
) WITHOUT ROWID;

-- A dead letter is closed when it was re-driven or set aside by a person; the letter itself stays.
ALTER TABLE dead_letter ADD COLUMN retained INTEGER NOT NULL DEFAULT 0; -- it showed state: no event comes of it
-- The pipeline wrote the payload (pipeline/put_aside.py) and `source` is a signal; else both are the device's own.
ALTER TABLE dead_letter ADD COLUMN put_aside INTEGER NOT NULL DEFAULT 0;
-- Until now only the members of the JSON told.
UPDATE dead_letter SET put_aside = CASE WHEN json_valid(CAST(payload AS TEXT)) THEN (
    SELECT count(*) = 9 FROM json_each(CAST(payload AS TEXT))
    WHERE key IN ('id', 'sequence', 'total', 'quantity', 'uom', 'order', 'sscc', 'units', 'stable')
) ELSE 0 END;
ALTER TABLE dead_letter ADD COLUMN closed_at TEXT;
ALTER TABLE dead_letter ADD COLUMN close_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letter ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
CREATE INDEX dead_letter_open ON dead_letter (id) WHERE closed_at IS NULL;

-- A posting that a sink refused: a person asks for another try (`redrive`), or settles it by hand (closed).
ALTER TABLE sink_rejection ADD COLUMN tries INTEGER NOT NULL DEFAULT 1;
ALTER TABLE sink_rejection ADD COLUMN redrive INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sink_rejection ADD COLUMN closed_at TEXT;
ALTER TABLE sink_rejection ADD COLUMN close_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE sink_rejection ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
CREATE INDEX sink_rejection_open ON sink_rejection (sink, seq) WHERE closed_at IS NULL;

-- Whether gateway.yaml names it since the last start; one that it doesn't is not offered anything any more.
ALTER TABLE consumer ADD COLUMN configured INTEGER NOT NULL DEFAULT 1;

-- The stores this file was before: entries of the chain up to `last_position` bear that id. The newest is in meta.
CREATE TABLE former_store (
    store         TEXT PRIMARY KEY,
    last_position INTEGER NOT NULL,
    last_seq      INTEGER NOT NULL,
    replaced_at   TEXT NOT NULL,
    reason        TEXT NOT NULL
) WITHOUT ROWID;

-- The Ed25519 keys that this store signed with, oldest first: `public` in hex, chained at `position` (journal, 'key').
CREATE TABLE signing_key (
    id       TEXT PRIMARY KEY,
    public   TEXT NOT NULL,
    position INTEGER NOT NULL
) WITHOUT ROWID;

-- Until when the messages of a source are held after a restore, whatever their time: since its first one then.
CREATE TABLE restored_source (
    device  TEXT PRIMARY KEY,
    settled TEXT NOT NULL
) WITHOUT ROWID;

-- What was verified and signed: `body` is the JSON that `signature` (hex) covers. They go to the central system, so that
-- a store cut off at its end shows. The newest one is where an incremental verification begins: only that one has its
-- `state` (JSON of ids and of what wasn't final) and the totals; the digest of both is in the body.
CREATE TABLE signed_checkpoint (
    position  INTEGER PRIMARY KEY,
    seq       INTEGER NOT NULL,
    at        TEXT NOT NULL,
    body      TEXT NOT NULL,
    signature TEXT NOT NULL,
    state     TEXT
);
CREATE TABLE verified_total (
    kind     TEXT NOT NULL,
    key_1    TEXT NOT NULL,
    key_2    TEXT NOT NULL,
    key_3    TEXT NOT NULL,
    key_4    TEXT NOT NULL,
    quantity TEXT NOT NULL,
    PRIMARY KEY (kind, key_1, key_2, key_3, key_4)
) WITHOUT ROWID;
