"""Does the work list hold what it says? And did nobody read what is not there: checked last, it is the least."""

import sqlite3

from gateway.store.findings import Check, Findings

_WORK_LIST = """
SELECT x.id, x.count, (SELECT count(*) FROM main.trigger_log AS t WHERE t.exception_id = x.id AND t.closed = 0)
FROM main.exception AS x WHERE x.kind = 'trigger' AND x.closed_at IS NULL
"""
# A trigger waits in an open exception; one that was closed without posting names the one it waited in.
_FORGOTTEN = """
SELECT t.exception_id, count(*) FROM trigger_log AS t
LEFT JOIN main.exception AS x ON x.id = t.exception_id AND x.kind = 'trigger'
WHERE t.exception_id IS NOT NULL AND (x.id IS NULL OR (x.closed_at IS NOT NULL AND NOT t.closed))
GROUP BY t.exception_id
"""
_CONSUMERS = "SELECT c.kind, c.name, c.through FROM consumer AS c WHERE c.through > ?"


def work_list(connection: sqlite3.Connection) -> Check:
    """Check that every open exception holds as many triggers as it says, and that no others wait."""
    findings = Findings("work list")
    count = 0
    for number, said, held in connection.execute(_WORK_LIST):
        count += 1
        findings.expect(held, said, f"exception {number}: triggers held")
        if not held:
            findings.add(f"exception {number} is open and holds nothing")
    for number, held in connection.execute(_FORGOTTEN):
        findings.add(f"{held} triggers wait in exception {number}, which is closed or missing")
    return findings.check(f"{count} open exceptions with triggers")


def consumers(connection: sqlite3.Connection, last_seq: int) -> Check:
    """Check that nobody acknowledged what doesn't exist."""
    findings = Findings("consumers")
    for kind, name, through in connection.execute(_CONSUMERS, (last_seq,)):
        findings.add(f"{kind} {name} acknowledged through {through}, the last posting is {last_seq}")
    return findings.check("no watermark is beyond the last posting")
