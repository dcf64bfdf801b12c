"""Whether the ledger adds up: every sum that must agree with another, counted anew. Reads only."""

import sqlite3
from collections.abc import Sequence

# `sums`: the entries of one job; it is over if it is gone. `hours`, `grants`: what must come to nothing.
_WITH = """
WITH sums AS (
    SELECT l.job_id, j.credits, coalesce(j.state IN ('queued', 'running'), 0) AS under_way,
           sum(iif(kind = 'reserve', amount, 0)) AS reserved, sum(iif(kind = 'charge', amount, 0)) AS charged,
           sum(iif(kind = 'refund', amount, 0)) AS refunded,
           sum(used) AS used, max(used) > 0 AS metered, -sum(purse) AS granted
    FROM ledger AS l LEFT JOIN jobs AS j ON j.id = l.job_id WHERE l.job_id IS NOT NULL GROUP BY l.job_id
), hours AS (
    SELECT whose, subject, hour, amount FROM spent
    UNION ALL SELECT 'person', owner_id, CAST(counts_at / 3600 AS INTEGER), -used - purse FROM ledger
    WHERE used <> 0
    UNION ALL SELECT 'server', guild_id, CAST(counts_at / 3600 AS INTEGER), -used FROM ledger
    WHERE used <> 0 AND guild_id IS NOT NULL
), grants AS (
    SELECT owner_id, balance FROM purses UNION ALL SELECT owner_id, -purse FROM ledger WHERE purse <> 0
)
"""

# What is off in words, and which rows: each begins with an example.
_LAWS = {
    "jobs that are over without having been settled, or by another amount than was reserved": """
        SELECT job_id FROM sums WHERE NOT under_way AND charged + refunded <> reserved""",
    "jobs that were settled before their end": """
        SELECT job_id FROM sums WHERE under_way AND charged + refunded <> 0""",
    "jobs that reserved another amount than they cost": """
        SELECT job_id FROM sums WHERE credits IS NOT NULL AND reserved <> round(credits * 1000)""",
    "jobs under way that reserved nothing": """
        SELECT id FROM jobs WHERE state IN ('queued', 'running') AND credits > 0
        AND NOT EXISTS (SELECT 1 FROM ledger WHERE job_id = jobs.id AND kind = 'reserve')""",
    "jobs of which allowances paid another amount than was charged": """
        SELECT job_id FROM sums WHERE NOT under_way AND used <> iif(metered, charged, 0)""",
    "jobs of which granted credits paid more than was charged, or less than nothing": """
        SELECT job_id FROM sums WHERE NOT under_way AND granted NOT BETWEEN 0 AND charged""",
    "sums of what forgotten people did": """
        SELECT 'those of ' || count(*) || ' entries' FROM ledger WHERE job_id IS NULL
        HAVING sum(iif(kind = 'reserve', amount, 0)) <> sum(iif(kind IN ('charge', 'refund'), amount, 0))""",
    "hours whose sum is not that of their entries": """
        SELECT whose || ' ' || subject || ' in hour ' || hour FROM hours
        GROUP BY whose, subject, hour HAVING sum(amount) <> 0""",
    "people whose granted credits are not what their entries leave": """
        SELECT 'person ' || owner_id FROM grants GROUP BY owner_id HAVING sum(balance) <> 0""",
}


def imbalances(db: sqlite3.Connection) -> Sequence[str]:
    """Return what does not agree, in words, each with an example; nothing where the ledger balances."""
    found = []
    for words, query in _LAWS.items():
        rows = db.execute(_WITH + query).fetchall()
        if rows:
            found.append(f"{len(rows)} {words}, such as {rows[0][0]}")
    return found


def entries(db: sqlite3.Connection) -> int:
    """Return how many entries there are."""
    return int(db.execute("SELECT count(*) FROM ledger").fetchone()[0])
