-- What the reads need beside the tables: the ways in of genealogy, and the measures.

CREATE INDEX trigger_event ON trigger_log (event_id);
-- What a posting is about, without its body: a recall reads it of thousands.
CREATE INDEX posting_place ON posting (seq, order_no, operation, item, finished_lot, posting_type, reverses);
CREATE INDEX posting_finished_lot ON posting (finished_lot, order_no);
CREATE INDEX posting_line_scanned ON posting_line (seq) WHERE method = 'scan' AND span_start IS NULL;
-- The end of the work list, newest first.
CREATE INDEX exception_closed ON exception (closed_at, id) WHERE closed_at IS NOT NULL;
CREATE INDEX span_reversed ON span (order_no, operation, span_start) WHERE reversed;

-- The measures. exact_sum, exact_difference, exact_total, ratio and bill_shape are the gateway's own functions
-- (store/functions.py): no quantity becomes a binary float. A ratio is the only thing that is rounded.

-- Usage variance by item and line, of closed orders: actual − standard, and the part of it that is usage.
CREATE VIEW usage_variance AS
SELECT item, line, uom, exact_sum(standard) AS standard, exact_sum(actual) AS actual,
    exact_difference(exact_sum(actual), exact_sum(standard)) AS variance, exact_sum(usage) AS usage,
    ratio(exact_sum(usage), exact_sum(standard), 100) AS usage_percent
FROM variance GROUP BY item, line, uom;

-- Entries of the work list for each thousand triggers, and the mean seconds until they were closed.
CREATE VIEW exception_rate AS
SELECT kind, count(*) AS exceptions, sum(closed_at IS NULL) AS open,
    ratio(count(*), (
        SELECT max(coalesce((SELECT max(id) FROM trigger_log), 0),
            coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'retained_trigger_log'), 0))
    ), 1000) AS per_1000_triggers,
    ratio(sum(strftime('%s', closed_at) - strftime('%s', opened_at)), count(closed_at), 1) AS mean_seconds_to_correct
FROM exception WHERE kind <> 'notice' GROUP BY kind;

-- Cycle counts that found what the books said.
CREATE VIEW bin_accuracy AS
SELECT location, count(*) AS counts, sum(exact_difference(quantity, book) = '0') AS accurate,
    ratio(sum(exact_difference(quantity, book) = '0'), count(*), 100) AS accuracy_percent
FROM transfer WHERE kind = 'count' GROUP BY location;

-- Rests of lots staged to orders that are closed now: cleared, or still at the line.
CREATE VIEW return_compliance AS
SELECT count(*) AS rests, sum(NOT b.has_left) AS cleared, ratio(sum(NOT b.has_left), count(*), 100) AS percent
FROM lot_balance AS b JOIN order_state AS s ON s.order_no = b.owner
WHERE b.owner_kind = 'order' AND s.body ->> '$[0]' IS NOT NULL
    AND (b.has_left OR exact_difference(b.returned, '0') <> '0')
HAVING count(*) > 0;

CREATE VIEW reversal_rate AS
SELECT m.value AS postings, r.reversals, ratio(r.reversals, m.value, 1000) AS per_1000_postings
FROM meta AS m, (SELECT count(*) AS reversals FROM posting WHERE reverses IS NOT NULL) AS r WHERE m.key = 'seq';

-- ISO 22400-2: quality ratio GQ ÷ PQ, scrap ratio SQ ÷ PQ, rework ratio RQ ÷ PQ.
CREATE VIEW quality AS
SELECT order_no, operation, good, scrap, rework,
    ratio(good, exact_total(good, scrap, rework), 1) AS quality_ratio,
    ratio(scrap, exact_total(good, scrap, rework), 1) AS scrap_ratio,
    ratio(rework, exact_total(good, scrap, rework), 1) AS rework_ratio
FROM order_progress;

-- The bill of material of an order's last posting. Only of orders that aren't closed: the others are their variances.
CREATE VIEW order_bill AS
SELECT o.order_no, p.body ->> '$.master_data' AS master_data, p.body ->> '$.bom.id' AS bom,
    p.body ->> '$.bom.version' AS version
FROM (SELECT DISTINCT order_no FROM order_progress) AS o
LEFT JOIN order_state AS s ON s.order_no = o.order_no
JOIN posting AS p ON p.seq = (SELECT max(seq) FROM posting WHERE order_no = o.order_no)
WHERE s.body ->> '$[0]' IS NULL;

-- How many good units an order's operations hold, in spans: what was reversed is free again. A bill's shape is worked
-- out once, however many orders it has.
CREATE VIEW order_operation AS
WITH ordered AS MATERIALIZED (SELECT * FROM order_bill), bill AS MATERIALIZED (
    SELECT b.master_data, b.bom, b.version, bill_shape(s.hash, s.body, b.bom, b.version) AS shape
    FROM (SELECT DISTINCT master_data, bom, version FROM ordered) AS b JOIN snapshot AS s ON s.hash = b.master_data
)
SELECT b.order_no, o.value ->> 'operation' AS operation, o.value ->> 'unit' AS unit, o.value ->> 'length' AS length,
    o.value ->> 'receipt' AS receipt, o.value ->> 'consuming' AS consuming, o.value ->> 'measured' AS measured,
    coalesce(h.next - (SELECT coalesce(sum((value ->> 1) - (value ->> 0)), 0) FROM json_each(h.free)), 0) AS filled
FROM ordered AS b JOIN bill ON bill.master_data = b.master_data AND bill.bom = b.bom AND bill.version = b.version
JOIN json_each(bill.shape) AS o
LEFT JOIN span_head AS h ON h.order_no = b.order_no AND h.operation = o.value ->> 'operation';

-- How much of what was received has its units at every operation that consumes something.
CREATE VIEW genealogy_completeness AS
WITH made AS MATERIALIZED (SELECT * FROM order_operation)
SELECT r.order_no, ratio(coalesce(min(min(o.filled, r.filled)), r.filled), r.filled, 100) AS percent
FROM made AS r
LEFT JOIN made AS o ON o.order_no = r.order_no AND o.consuming AND o.operation <> r.operation
WHERE r.receipt AND r.filled > 0 GROUP BY r.order_no;

-- Units counted at an operation against those in sealed cases, in the operation's unit.
CREATE VIEW counted_against_sealed AS
WITH made AS MATERIALIZED (SELECT * FROM order_operation)
SELECT o.order_no, o.operation, o.unit, ratio(o.filled, o.length, 1) AS counted, ratio(r.filled, o.length, 1) AS sealed,
    ratio(o.filled - r.filled, o.length, 1) AS difference
FROM made AS o JOIN made AS r ON r.order_no = o.order_no AND r.receipt
WHERE NOT o.receipt AND o.filled > 0;

-- What was weighed against the standard of the units that were weighed.
CREATE VIEW fill_weight AS
WITH made AS MATERIALIZED (SELECT * FROM order_operation WHERE measured AND filled > 0)
SELECT o.order_no, o.operation, o.unit, p.good AS measured, ratio(o.filled, o.length, 1) AS standard,
    exact_difference(p.good, ratio(o.filled, o.length, 1)) AS give_away,
    ratio(exact_difference(p.good, ratio(o.filled, o.length, 1)), ratio(o.filled, o.length, 1), 100) AS percent
FROM made AS o JOIN order_progress AS p ON p.order_no = o.order_no AND p.operation = o.operation;
