-- The whole engine: documents that grow, links between trigger and document, genealogy, what happened to orders and
-- lines, the recorded inputs.

-- A trigger's main document; it has its seq once it closed. Until now each document was one posting.
ALTER TABLE trigger_log RENAME COLUMN posting_seq TO document_id;
ALTER TABLE trigger_log ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;   -- with its exception, without posting
ALTER TABLE trigger_log ADD COLUMN retained INTEGER NOT NULL DEFAULT 0; -- retention has deleted its main document
DROP INDEX trigger_held;
CREATE INDEX trigger_held ON trigger_log (exception_id, id) WHERE exception_id IS NOT NULL AND closed = 0;
ALTER TABLE posting ADD COLUMN document_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE posting ADD COLUMN item TEXT NOT NULL DEFAULT '';
ALTER TABLE posting ADD COLUMN finished_lot TEXT NOT NULL DEFAULT '';
ALTER TABLE posting ADD COLUMN reverses INTEGER;  -- seq
ALTER TABLE posting ADD COLUMN follows INTEGER;   -- document id
UPDATE posting SET document_id = seq, item = coalesce(CAST(body AS TEXT) ->> 'item', ''),
    finished_lot = coalesce(CAST(body AS TEXT) ->> 'finished_lot', '');
CREATE UNIQUE INDEX posting_document ON posting (document_id);
CREATE INDEX posting_reverses ON posting (reverses) WHERE reverses IS NOT NULL;
CREATE INDEX posting_follows ON posting (follows) WHERE follows IS NOT NULL;
CREATE INDEX posting_order ON posting (order_no, seq);

ALTER TABLE posting_line ADD COLUMN method TEXT;
ALTER TABLE posting_line ADD COLUMN owner_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE posting_line ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE posting_line ADD COLUMN standard TEXT;
-- The units (domain.document.Span) that this line went into, first to last; NULL where none are known.
ALTER TABLE posting_line ADD COLUMN span_start INTEGER;
ALTER TABLE posting_line ADD COLUMN span_end INTEGER;
UPDATE posting_line SET method = line.value ->> 'method'
FROM posting AS p CROSS JOIN json_each(CAST(p.body AS TEXT), '$.lines') AS line
WHERE posting_line.seq = p.seq AND posting_line.line = line.key + 1;
-- Everything that a recall reads of thousands of lines: it needn't look at the lines themselves.
CREATE INDEX posting_line_lot
    ON posting_line (lot, item, use, bom_line, uom, seq, quantity, span_start, span_end, method);

ALTER TABLE event ADD COLUMN detail TEXT; -- JSON of temperature, lot, edited lines, person, and why it was held
CREATE INDEX event_sscc ON event (sscc) WHERE sscc IS NOT NULL;

-- Which quantities of a document are whose. `body` is JSON (codec.link_text): [[line, quantity], …] and the draws.
-- Until now a posting had one trigger, whose all its lines are; how it drew them was not written down.
CREATE TABLE link (
    document_id INTEGER NOT NULL,
    trigger_id  INTEGER NOT NULL,
    units       TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (document_id, trigger_id)
) WITHOUT ROWID;
CREATE INDEX link_trigger ON link (trigger_id);
INSERT INTO link SELECT t.document_id, t.id, t.quantity, json_array(
    (SELECT json_group_array(json_array(l.line - 1, l.quantity)) FROM posting_line AS l WHERE l.seq = t.document_id),
    json_array()
) FROM trigger_log AS t WHERE t.document_id IS NOT NULL;
-- So what was committed until now is a total, like those that retention keeps.
DELETE FROM retained WHERE kind = 'committed';
INSERT INTO retained SELECT 'committed', order_no, operation, bom_line, uom, committed FROM requirement;

-- Documents that are still open; a closed one is a posting.
CREATE TABLE open_document (
    id   INTEGER PRIMARY KEY,
    body TEXT NOT NULL
);

-- Good units by trigger. Overlap of two operations' spans of one order says what went into what.
CREATE TABLE span (
    order_no    TEXT NOT NULL,
    operation   TEXT NOT NULL,
    span_start  INTEGER NOT NULL,
    span_end    INTEGER NOT NULL,
    trigger_id  INTEGER NOT NULL,
    reversed    INTEGER NOT NULL DEFAULT 0, -- its units were reversed: others may fill it again
    sscc        TEXT,                       -- the case that they are in, with the time it was sealed: a recall reads
    sealed_at   TEXT,                       -- thousands of them, and would look up as many triggers' events
    PRIMARY KEY (order_no, operation, span_start, trigger_id)
) WITHOUT ROWID;
CREATE INDEX span_trigger ON span (trigger_id);

CREATE TABLE span_head (
    order_no  TEXT NOT NULL,
    operation TEXT NOT NULL,
    next      INTEGER NOT NULL,
    free      TEXT NOT NULL, -- JSON [[start, end], …]: reversed, to be filled first
    PRIMARY KEY (order_no, operation)
) WITHOUT ROWID;

-- What posted triggers are still owed, in the component's unit.
CREATE TABLE backlog (
    id          INTEGER PRIMARY KEY,
    trigger_id  INTEGER NOT NULL,
    document_id INTEGER NOT NULL,
    order_no    TEXT NOT NULL,
    operation   TEXT NOT NULL,
    bom_line    TEXT NOT NULL,
    uom         TEXT NOT NULL,
    quantity    TEXT NOT NULL,
    calculated  INTEGER NOT NULL -- 0: measured or edited, so never committed
);

ALTER TABLE requirement ADD COLUMN once INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tally ADD COLUMN reversed TEXT NOT NULL DEFAULT '0';
ALTER TABLE exception ADD COLUMN owner TEXT NOT NULL DEFAULT '';

CREATE INDEX lot_balance_lot ON lot_balance (lot, item);
ALTER TABLE lot_balance ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
ALTER TABLE staging ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';

-- Returns and cycle counts, each applied once by its id.
CREATE TABLE transfer (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL, -- return | count
    content_hash TEXT NOT NULL,
    owner_kind   TEXT NOT NULL,
    owner        TEXT NOT NULL,
    item         TEXT NOT NULL,
    lot          TEXT NOT NULL,
    location     TEXT NOT NULL,
    book         TEXT NOT NULL, -- what the books said before
    quantity     TEXT NOT NULL, -- returned, or found by the count
    uom          TEXT NOT NULL,
    reason       TEXT NOT NULL,
    applied_at   TEXT NOT NULL
) WITHOUT ROWID;

-- What operators entered, once by its id at a line; retention deletes the events.
CREATE TABLE entry (
    line         TEXT NOT NULL,
    id           TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    PRIMARY KEY (line, id)
) WITHOUT ROWID;

-- What happened to an order and at a line since its master data were written (JSON).
CREATE TABLE order_state (order_no TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE line_state (line TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE variance (
    order_no  TEXT NOT NULL,
    bom_line  TEXT NOT NULL,
    item      TEXT NOT NULL,
    line      TEXT NOT NULL, -- the production line
    uom       TEXT NOT NULL,
    standard  TEXT NOT NULL,
    actual    TEXT NOT NULL,
    usage     TEXT NOT NULL,
    mix       TEXT NOT NULL,
    yields    TEXT NOT NULL,
    scrap     TEXT NOT NULL,
    cause     TEXT NOT NULL,
    closed_at TEXT NOT NULL,
    PRIMARY KEY (order_no, bom_line, item)
) WITHOUT ROWID;

-- What a shadow rule or BOM would have consumed beside what the live one did, in the component's unit.
CREATE TABLE shadow (
    order_no    TEXT NOT NULL,
    operation   TEXT NOT NULL,
    bom_line    TEXT NOT NULL,
    uom         TEXT NOT NULL,
    source      TEXT NOT NULL, -- BOM version or rule
    item        TEXT NOT NULL,
    numerator   TEXT NOT NULL,
    denominator TEXT NOT NULL,
    once        INTEGER NOT NULL,
    would_be    TEXT NOT NULL,
    PRIMARY KEY (order_no, operation, bom_line, uom, source)
) WITHOUT ROWID;

-- The content of every master-data snapshot a posting names.
CREATE TABLE snapshot (
    hash         TEXT PRIMARY KEY,
    body         BLOB NOT NULL, -- JSON (settings: the snapshot's plain content)
    first_used_at TEXT NOT NULL
) WITHOUT ROWID;
-- The last posting that names it. Apart: with each batch another one does, and a snapshot's row is large.
CREATE TABLE snapshot_use (
    hash TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL
) WITHOUT ROWID;

-- Everything the engine was told beside the events, in order: clock ticks, commands, activations, gaps. An input
-- happened after event `after_event`. With the events it is all that a replay needs.
CREATE TABLE input (
    id          INTEGER PRIMARY KEY,
    after_event INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL
);
CREATE INDEX input_after ON input (after_event);
CREATE INDEX input_activation ON input (id) WHERE kind = 'activation';
