-- Orders and where each of them is. Times are Unix seconds, UTC.
CREATE TABLE jobs (
    seq              INTEGER PRIMARY KEY,                      -- order of acceptance
    id               TEXT NOT NULL UNIQUE,                     -- UUID v4
    key              TEXT NOT NULL UNIQUE,                     -- idempotency: one submission, one job
    order_json       TEXT NOT NULL CHECK (json_valid(order_json)),
    request          TEXT NOT NULL CHECK (json_valid(request)),
    recipe           TEXT CHECK (recipe IS NULL OR json_valid(recipe)),  -- NULL where there was nothing to draw
    origin           TEXT NOT NULL,                            -- opaque to the worker
    owner_id         INTEGER NOT NULL,
    speed            TEXT NOT NULL CHECK (speed IN ('turbo', 'fast', 'relax')),
    work             REAL NOT NULL CHECK (work >= 0),          -- how long it draws; only compared
    pictures         INTEGER NOT NULL CHECK (pictures BETWEEN 1 AND 4),
    seed             INTEGER NOT NULL CHECK (seed BETWEEN 0 AND 4294967295),
    model            TEXT NOT NULL,
    width            INTEGER NOT NULL CHECK (width > 0),
    height           INTEGER NOT NULL CHECK (height > 0),
    state            TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    attempt          INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),  -- claims so far; fences late reports
    spared           INTEGER NOT NULL DEFAULT 0 CHECK (spared BETWEEN 0 AND attempt),  -- claims handed back
    alone            INTEGER NOT NULL DEFAULT 0 CHECK (alone IN (0, 1)),  -- a worker died on it: drawn in no company
    retry_at         REAL NOT NULL DEFAULT 0,                  -- not claimed before
    worker           TEXT,
    lease_until      REAL,
    cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    files            TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(files)),
    error            TEXT,
    device_seconds   REAL CHECK (device_seconds >= 0),
    created_at       REAL NOT NULL,
    started_at       REAL,                                     -- of the last claim
    finished_at      REAL,
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state = 'running') = (worker IS NOT NULL)),
    CHECK (state <> 'running' OR (attempt > spared AND started_at IS NOT NULL)),
    CHECK (state <> 'queued' OR (started_at IS NULL AND NOT cancel_requested)),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'succeeded') = (files <> '[]')),
    CHECK ((state = 'failed') = (error IS NOT NULL)),
    CHECK (recipe IS NOT NULL OR state = 'succeeded')
) STRICT;
CREATE INDEX jobs_line ON jobs (speed, owner_id, work, seq) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (owner_id, worker, lease_until) WHERE state = 'running';  -- few rows: named in queries
CREATE INDEX jobs_owner ON jobs (owner_id, seq);
CREATE INDEX jobs_measured ON jobs (finished_at) WHERE device_seconds IS NOT NULL;

-- What happened, to be read with a cursor. AUTOINCREMENT: an id is never used twice, so a cursor never misses.
CREATE TABLE job_events (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    state  TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    at     REAL NOT NULL
) STRICT;
CREATE INDEX job_events_age ON job_events (at);

-- How far running jobs are: overwritten, gone when the job leaves 'running'.
CREATE TABLE progress (
    job_id   TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    fraction REAL NOT NULL CHECK (fraction BETWEEN 0 AND 1),
    paused   INTEGER NOT NULL CHECK (paused IN (0, 1)),
    preview  BLOB,
    at       REAL NOT NULL
) STRICT;

-- One person in one lane: how many of their jobs wait there, whose turn it is, what they had.
CREATE TABLE people (
    speed    TEXT NOT NULL CHECK (speed IN ('turbo', 'fast', 'relax')),
    owner_id INTEGER NOT NULL,
    waiting  INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    turn     INTEGER NOT NULL DEFAULT 0,      -- event by which they were last served; 0 for never
    joined   INTEGER NOT NULL DEFAULT 0,      -- job with which they last entered an empty line
    pictures INTEGER NOT NULL DEFAULT 0,      -- finished jobs, a grid counts once
    seconds  REAL NOT NULL DEFAULT 0,         -- device seconds of those
    PRIMARY KEY (owner_id, speed)
) STRICT, WITHOUT ROWID;
CREATE INDEX people_next ON people (speed, turn, joined, waiting) WHERE waiting > 0;

-- `waiting` is kept here, not in the program, so that no path can forget it.
CREATE TRIGGER jobs_line_joined AFTER INSERT ON jobs WHEN new.state = 'queued'
BEGIN
    INSERT INTO people (speed, owner_id, waiting, joined) VALUES (new.speed, new.owner_id, 1, new.seq)
    ON CONFLICT (owner_id, speed) DO UPDATE
    SET joined = CASE waiting WHEN 0 THEN excluded.joined ELSE joined END, waiting = waiting + 1;
END;
CREATE TRIGGER jobs_line_left AFTER UPDATE OF state ON jobs WHEN old.state = 'queued' AND new.state <> 'queued'
BEGIN
    UPDATE people SET waiting = waiting - 1 WHERE owner_id = new.owner_id AND speed = new.speed;
END;
CREATE TRIGGER jobs_line_rejoined AFTER UPDATE OF state ON jobs WHEN old.state <> 'queued' AND new.state = 'queued'
BEGIN
    UPDATE people SET joined = CASE waiting WHEN 0 THEN new.seq ELSE joined END, waiting = waiting + 1
    WHERE owner_id = new.owner_id AND speed = new.speed;
END;
