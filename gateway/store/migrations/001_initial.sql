-- The store of one gateway. Quantities are TEXT decimal strings, because SQLite's REAL is a binary float and its
-- INTEGER ends at 2^63. Times are TEXT, RFC 3339 in UTC. Ids are given by the pipeline, ascending, so that every
-- large table grows at its end only.

PRAGMA application_id = 0x42464757; -- 'BFGW': tells a store from any other SQLite file

-- Who this store is (gateway, store), the head of its chain (seq, position, hash), and what retention took away.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- The last believed reading of each counter; saved in the transaction of what it produced.
CREATE TABLE checkpoint (
    device        TEXT NOT NULL,
    signal        TEXT NOT NULL,
    value         TEXT NOT NULL,
    epoch         TEXT,
    seen_wall     TEXT NOT NULL,    -- full precision: Δt is computed from it
    seen_boot     TEXT NOT NULL,    -- boot id; boottime compares within one boot only
    seen_boottime INTEGER NOT NULL, -- ns
    source_time   TEXT,
    order_no      TEXT,
    counted       TEXT NOT NULL,
    suspect       TEXT,             -- JSON of a doubtful reading that waits for the next ones
    slack         INTEGER NOT NULL, -- ns
    PRIMARY KEY (device, signal)
) WITHOUT ROWID;

-- The last sequence and total of each message source: kept for ever, so that a loss shows.
CREATE TABLE message_watermark (
    device TEXT NOT NULL,
    signal TEXT NOT NULL,
    body   TEXT NOT NULL, -- JSON
    PRIMARY KEY (device, signal)
) WITHOUT ROWID;

-- What the devices made. The UNIQUE key is what makes a redelivered message harmless.
CREATE TABLE event (
    id            INTEGER PRIMARY KEY,
    device        TEXT NOT NULL,
    signal        TEXT NOT NULL,
    key           TEXT NOT NULL,
    kind          TEXT NOT NULL,
    quantity      TEXT NOT NULL,
    uom           TEXT NOT NULL,
    source_time   TEXT NOT NULL,
    received_time TEXT NOT NULL,
    since         TEXT,
    order_no      TEXT,
    sscc          TEXT,
    units         TEXT,
    flag          TEXT NOT NULL,
    verdict       TEXT NOT NULL,
    content_hash  TEXT, -- of messages: the same key with another content shows
    UNIQUE (device, signal, key)
);

-- A rule's firing: either in posting `posting_seq` or waiting in `exception_id`. An event fires at most once.
CREATE TABLE trigger_log (
    id           INTEGER PRIMARY KEY,
    event_id     INTEGER NOT NULL,
    rule         TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    line         TEXT NOT NULL,
    order_no     TEXT NOT NULL,
    operation    TEXT NOT NULL,
    quantity     TEXT NOT NULL,
    posting_seq  INTEGER,
    exception_id INTEGER
);
CREATE INDEX trigger_held ON trigger_log (exception_id, id) WHERE exception_id IS NOT NULL;

-- The posting log, which is also the outbox: read by watermark, never updated.
CREATE TABLE posting (
    seq          INTEGER PRIMARY KEY, -- without gaps
    position     INTEGER NOT NULL,    -- in the chain, which the journal shares
    order_no     TEXT NOT NULL,
    operation    TEXT NOT NULL,
    posting_type TEXT NOT NULL,
    posted_at    TEXT NOT NULL,
    body         BLOB NOT NULL        -- rendered once; what every consumer gets, byte for byte
);

CREATE TABLE posting_line (
    seq      INTEGER NOT NULL,
    line     INTEGER NOT NULL, -- 1, 2, 3 … as in the body
    use      TEXT NOT NULL,
    item     TEXT NOT NULL,
    lot      TEXT NOT NULL,
    location TEXT NOT NULL,
    quantity TEXT NOT NULL,
    uom      TEXT NOT NULL,
    bom_line TEXT,
    PRIMARY KEY (seq, line)
) WITHOUT ROWID;

CREATE TABLE lot_balance (
    owner_kind  TEXT NOT NULL,
    owner       TEXT NOT NULL,
    item        TEXT NOT NULL,
    lot         TEXT NOT NULL,
    location    TEXT NOT NULL,
    uom         TEXT NOT NULL,
    received_at TEXT NOT NULL,
    expires_at  TEXT,
    status      TEXT NOT NULL,
    staged      TEXT NOT NULL,
    consumed    TEXT NOT NULL,
    returned    TEXT NOT NULL,
    has_left    INTEGER NOT NULL, -- staged − consumed − returned ≠ 0; SQL can't compute with decimal strings
    PRIMARY KEY (owner_kind, owner, item, lot, location)
) WITHOUT ROWID;
CREATE INDEX lot_with_rest ON lot_balance (item) WHERE has_left;

-- Transfers to the line, each applied once by its id.
CREATE TABLE staging (
    id           TEXT PRIMARY KEY,
    content_hash TEXT NOT NULL,
    owner_kind   TEXT NOT NULL,
    owner        TEXT NOT NULL,
    item         TEXT NOT NULL,
    lot          TEXT NOT NULL,
    location     TEXT NOT NULL,
    quantity     TEXT NOT NULL,
    uom          TEXT NOT NULL,
    received_at  TEXT NOT NULL,
    expires_at   TEXT,
    status       TEXT NOT NULL,
    applied_at   TEXT NOT NULL
) WITHOUT ROWID;

-- Cumulative rounding: the exact sum of requirements, and what was committed of it.
CREATE TABLE requirement (
    order_no    TEXT NOT NULL,
    operation   TEXT NOT NULL,
    bom_line    TEXT NOT NULL,
    uom         TEXT NOT NULL,  -- the component's; lines are in the stock's
    numerator   TEXT NOT NULL,
    denominator TEXT NOT NULL,
    committed   TEXT NOT NULL,
    PRIMARY KEY (order_no, operation, bom_line, uom)
) WITHOUT ROWID;

CREATE TABLE order_progress (
    order_no  TEXT NOT NULL,
    operation TEXT NOT NULL,
    good      TEXT NOT NULL,
    scrap     TEXT NOT NULL,
    rework    TEXT NOT NULL,
    PRIMARY KEY (order_no, operation)
) WITHOUT ROWID;

-- The work list. Closed with a reason, never deleted.
CREATE TABLE exception (
    id           INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,
    code         TEXT NOT NULL,
    reason       TEXT NOT NULL,
    scope_1      TEXT NOT NULL, -- order or device
    scope_2      TEXT NOT NULL, -- operation or signal
    quantity     TEXT NOT NULL,
    uom          TEXT NOT NULL,
    count        INTEGER NOT NULL,
    first_event  TEXT NOT NULL,
    last_event   TEXT NOT NULL,
    opened_at    TEXT NOT NULL,
    detail       TEXT NOT NULL,
    closed_at    TEXT,
    close_reason TEXT NOT NULL,
    closed_by    TEXT NOT NULL
);
CREATE INDEX exception_open ON exception (id) WHERE closed_at IS NULL;

-- What is chained beside the postings: exception changes, stagings, audit entries.
CREATE TABLE journal (
    position INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    body     BLOB NOT NULL
);

-- counted = posted + scrapped + held, per signal.
CREATE TABLE tally (
    device   TEXT NOT NULL,
    signal   TEXT NOT NULL,
    uom      TEXT NOT NULL,
    counted  TEXT NOT NULL,
    posted   TEXT NOT NULL,
    scrapped TEXT NOT NULL,
    held     TEXT NOT NULL,
    PRIMARY KEY (device, signal)
) WITHOUT ROWID;

-- Messages that can't be read, with their bytes. Never deleted, so the greatest id is their number.
CREATE TABLE dead_letter (
    id      INTEGER PRIMARY KEY,
    device  TEXT NOT NULL,
    source  TEXT NOT NULL,
    payload BLOB NOT NULL,
    reason  TEXT NOT NULL,
    at      TEXT NOT NULL
);

-- How far each reader of the posting log has come. A sink and a puller of one name are two consumers.
CREATE TABLE consumer (
    kind       TEXT NOT NULL, -- puller | sink
    name       TEXT NOT NULL,
    through    INTEGER NOT NULL,
    required   INTEGER NOT NULL, -- retention waits for it
    updated_at TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

CREATE TABLE sink_rejection (
    sink   TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at     TEXT NOT NULL,
    PRIMARY KEY (sink, seq)
) WITHOUT ROWID;

-- Totals of what retention deleted, so that the rest can still be verified (store/totals.py names the kinds).
CREATE TABLE retained (
    kind     TEXT NOT NULL,
    key_1    TEXT NOT NULL,
    key_2    TEXT NOT NULL,
    key_3    TEXT NOT NULL,
    key_4    TEXT NOT NULL,
    quantity TEXT NOT NULL,
    PRIMARY KEY (kind, key_1, key_2, key_3, key_4)
) WITHOUT ROWID;
