"""Whether the ledger adds up: every sum that must agree with another, counted anew. Reads only."""

import sqlite3
from collections.abc import Sequence

# One pass over the entries of each job; it is over if it is gone. Says the first law it breaks.
_JOBS = """
SELECT law, count(*), min(job_id) FROM (
    SELECT job_id, CASE
        WHEN NOT under_way AND charged + refunded <> reserved
        THEN 'jobs that are over without having been settled, or by another amount than was reserved'
        WHEN under_way AND charged + refunded <> 0
        THEN 'jobs that were settled before their end'
        WHEN credits IS NOT NULL AND reserved <> round(credits * 1000)
        THEN 'jobs that reserved another amount than they cost'
        WHEN NOT under_way AND used <> iif(metered, charged, 0)
        THEN 'jobs of which allowances paid another amount than was charged'
        WHEN NOT under_way AND granted NOT BETWEEN 0 AND charged
        THEN 'jobs of which granted credits paid more than was charged, or less than nothing' END AS law
    FROM (
        SELECT l.job_id, j.credits, coalesce(j.state IN ('queued', 'running'), 0) AS under_way,
               sum(iif(kind = 'reserve', amount, 0)) AS reserved,
               sum(iif(kind = 'charge', amount, 0)) AS charged,
               sum(iif(kind = 'refund', amount, 0)) AS refunded,
               sum(used) AS used, max(used) > 0 AS metered, -sum(purse) AS granted
        FROM ledger AS l LEFT JOIN jobs AS j ON j.id = l.job_id
        WHERE l.job_id IS NOT NULL GROUP BY l.job_id
    )
) WHERE law IS NOT NULL GROUP BY law
"""

# What else is off in words, and which rows: each begins with an example.
_LAWS = {
    "jobs under way that reserved nothing": """
        SELECT id FROM jobs WHERE state IN ('queued', 'running') AND credits > 0
        AND NOT EXISTS (SELECT 1 FROM ledger WHERE job_id = jobs.id AND kind = 'reserve')""",
    "sums of what forgotten people did": """
        SELECT 'those of ' || count(*) || ' entries' FROM ledger WHERE job_id IS NULL
        HAVING sum(iif(kind = 'reserve', amount, 0)) <> sum(iif(kind IN ('charge', 'refund'), amount, 0))""",
    "hours whose sum is not that of their entries": """
        SELECT whose || ' ' || subject || ' in hour ' || hour FROM (
            SELECT whose, subject, hour, amount FROM spent
            UNION ALL SELECT 'person', owner_id, CAST(counts_at / 3600 AS INTEGER), -used - purse
            FROM ledger WHERE used <> 0
            UNION ALL SELECT 'server', guild_id, CAST(counts_at / 3600 AS INTEGER), -used
            FROM ledger WHERE used <> 0 AND guild_id IS NOT NULL
        ) GROUP BY whose, subject, hour HAVING sum(amount) <> 0""",
    "people whose granted credits are not what their entries leave": """
        SELECT 'person ' || owner_id FROM (
            SELECT owner_id, balance FROM purses
            UNION ALL SELECT owner_id, -purse FROM ledger WHERE purse <> 0
        ) GROUP BY owner_id HAVING sum(balance) <> 0""",
}


def imbalances(db: sqlite3.Connection) -> Sequence[str]:
    """Return what does not agree, in words, each with an example; nothing where the ledger balances."""
    found = [f"{count} {law}, such as {example}" for law, count, example in db.execute(_JOBS)]
    for words, query in _LAWS.items():
        rows = db.execute(query).fetchall()
        if rows:
            found.append(f"{len(rows)} {words}, such as {rows[0][0]}")
    return found


def entries(db: sqlite3.Connection) -> int:
    """Return how many entries there are."""
    return int(db.execute("SELECT count(*) FROM ledger").fetchone()[0])
