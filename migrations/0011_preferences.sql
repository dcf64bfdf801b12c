-- What people prefer, said once for all their prompts. Times are Unix seconds, UTC.

CREATE TABLE bot_preferences (
    owner_id INTEGER PRIMARY KEY,
    suffix   TEXT NOT NULL DEFAULT '',                 -- parameters appended to every prompt
    speed    TEXT CHECK (speed IN ('turbo', 'fast', 'relax')),  -- NULL: never chosen
    raw      INTEGER NOT NULL DEFAULT 0 CHECK (raw IN (0, 1)),
    stylize  INTEGER CHECK (stylize BETWEEN 0 AND 1000),        -- NULL: never chosen
    version  TEXT NOT NULL DEFAULT '',                 -- as after --v, or 'niji ' and that; empty: the server's model
    strength TEXT NOT NULL DEFAULT 'strong' CHECK (strength IN ('subtle', 'strong')),  -- of V1 to V4
    auto_dm  INTEGER NOT NULL DEFAULT 0 CHECK (auto_dm IN (0, 1))
) STRICT;

-- Their own options: `--name` in a prompt stands for the value.
CREATE TABLE bot_options (
    owner_id INTEGER NOT NULL,
    name     TEXT NOT NULL,
    value    TEXT NOT NULL CHECK (value <> ''),
    PRIMARY KEY (owner_id, name)
) STRICT, WITHOUT ROWID;

-- Several jobs ordered by one command: asked about first, then queued one after the other.
CREATE TABLE bot_batches (
    id         TEXT PRIMARY KEY,                       -- of the interaction that asked for it
    owner_id   INTEGER NOT NULL,
    prompt     TEXT NOT NULL,                          -- the whole command
    jobs       TEXT NOT NULL CHECK (json_valid(jobs)), -- the prompts, in order
    -- asked: nothing is queued. ordered: the jobs are being queued. done: as many as could be are. dropped: none shall be.
    state      TEXT NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'ordered', 'done', 'dropped')),
    origin     TEXT,                                   -- of the press that ordered it, as the jobs keep it
    membership TEXT,                                   -- of the person then, as JSON
    created_at REAL NOT NULL
) STRICT;
CREATE INDEX bot_batches_age ON bot_batches (created_at);
CREATE INDEX bot_batches_under_way ON bot_batches (state) WHERE state = 'ordered';

-- How many jobs one command may make. NULL: nothing was said.
ALTER TABLE allowances ADD COLUMN batch INTEGER CHECK (batch BETWEEN 1 AND 40);
