-- What the people who run it decide, and the record of it. Times are Unix seconds, UTC.

-- One row: whether workers may claim and people may order.
CREATE TABLE queue_control (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    -- open: as usual. paused: orders wait, nothing is claimed. draining: nothing is claimed, orders are refused.
    mode       TEXT NOT NULL CHECK (mode IN ('open', 'paused', 'draining')),
    changed_at REAL NOT NULL
) STRICT;
INSERT INTO queue_control (id, mode, changed_at) VALUES (1, 'open', 0);

-- Jobs an admin put before everybody's: the smallest number first; 0 for the others.
ALTER TABLE jobs ADD COLUMN promoted INTEGER NOT NULL DEFAULT 0 CHECK (promoted >= 0);
CREATE INDEX jobs_promoted ON jobs (promoted) WHERE state = 'queued' AND promoted > 0;
CREATE INDEX jobs_failed ON jobs (finished_at) WHERE state = 'failed';

-- People who may not order, on the whole installation.
CREATE TABLE restrictions (
    user_id    INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('block', 'timeout')),
    until      REAL,                -- when a timeout ends
    reason     TEXT NOT NULL DEFAULT '',  -- the person is told
    created_at REAL NOT NULL,
    CHECK ((kind = 'timeout') = (until IS NOT NULL))
) STRICT;

-- Which Discord roles of a server hold which of our ranks, and which rank a verb needs there if not the usual one.
CREATE TABLE admin_roles (
    guild_id INTEGER NOT NULL,
    rank     TEXT NOT NULL CHECK (rank IN ('owner', 'admin', 'moderator')),
    role_id  INTEGER NOT NULL,
    PRIMARY KEY (guild_id, rank, role_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE admin_powers (
    guild_id INTEGER NOT NULL,
    verb     TEXT NOT NULL,
    rank     TEXT NOT NULL CHECK (rank IN ('owner', 'admin', 'moderator')),
    PRIMARY KEY (guild_id, verb)
) STRICT, WITHOUT ROWID;

-- Where people may order; channel 0 stands for every channel of the server that has no row of its own.
CREATE TABLE channel_rules (
    guild_id   INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    allowed    INTEGER CHECK (allowed IN (0, 1)),  -- NULL: as the server's own rule says
    nsfw       INTEGER NOT NULL DEFAULT 0 CHECK (nsfw IN (0, 1)),  -- adult pictures may be shown
    PRIMARY KEY (guild_id, channel_id)
) STRICT, WITHOUT ROWID;

-- Where a server's copy of the record is posted, and how far.
CREATE TABLE audit_channels (
    guild_id   INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL,
    posted     INTEGER NOT NULL     -- entry of `audit` up to which it was posted
) STRICT;

-- A server's own words: refused in a category, or allowed although a list has them.
CREATE TABLE words (
    guild_id INTEGER NOT NULL,
    category TEXT NOT NULL,
    phrase   TEXT NOT NULL CHECK (phrase <> ''),
    allow    INTEGER NOT NULL DEFAULT 0 CHECK (allow IN (0, 1)),
    PRIMARY KEY (guild_id, category, phrase)
) STRICT, WITHOUT ROWID;

-- Which models may draw. One without a row is enabled; the default is the configuration's where no row says.
CREATE TABLE models (
    name       TEXT PRIMARY KEY,
    enabled    INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    is_default INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    CHECK (enabled OR NOT is_default)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX models_default ON models (is_default) WHERE is_default;

-- What each worker says of itself, with its heartbeat.
CREATE TABLE workers (
    name             TEXT PRIMARY KEY,       -- of its lock file
    device           TEXT NOT NULL,          -- such as "cpu"
    model            TEXT NOT NULL,
    started_at       REAL NOT NULL,
    seen_at          REAL NOT NULL,
    jobs             INTEGER NOT NULL,       -- under way
    pictures         INTEGER NOT NULL,       -- resident on the device
    passes           INTEGER NOT NULL,       -- forward passes since it started
    batch            REAL NOT NULL,          -- mean pictures in a pass since the beat before; 0 if there was none
    largest_batch    INTEGER NOT NULL,       -- since it started
    steps_per_second REAL NOT NULL,          -- pictures' denoising steps in a second, since the beat before
    busy             REAL NOT NULL CHECK (busy >= 0),  -- share of that time in forward passes
    last_error       TEXT,                   -- a code of worker.api
    last_error_at    REAL
) STRICT, WITHOUT ROWID;

-- Actions that wait for their confirmation.
CREATE TABLE admin_pending (
    id         TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL,
    guild_id   INTEGER NOT NULL,
    deed       TEXT NOT NULL CHECK (json_valid(deed)),
    touches    INTEGER NOT NULL,             -- what the person was told
    created_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX admin_pending_age ON admin_pending (created_at);

-- The record: written with the change it tells, never changed. Holds no prompts.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         REAL NOT NULL,
    actor      TEXT NOT NULL,                -- "discord:<user id>", "cli:<name at the operating system>", "bot"
    guild_id   INTEGER NOT NULL,             -- the server it was done from, 0 for none
    channel_id INTEGER NOT NULL,             -- likewise
    verb       TEXT NOT NULL,
    target     TEXT NOT NULL,
    before     TEXT NOT NULL CHECK (json_valid(before)),
    after      TEXT NOT NULL CHECK (json_valid(after))
) STRICT;
CREATE INDEX audit_guild ON audit (guild_id, id);
CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
-- REPLACE deletes without asking the trigger above.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id)
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
