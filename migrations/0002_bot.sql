-- What the bot must not forget between its lives.

-- Small facts: the hash of the commands last synced, the courier's cursor.
CREATE TABLE bot_settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row for each job ordered through Discord: which messages show it.
CREATE TABLE bot_posts (
    job_id      TEXT PRIMARY KEY,
    channel_id  INTEGER NOT NULL,
    -- open: under way. due: over, its outcome is not yet shown. intended: the outcome's POST may have
    -- happened. posted: it has; the progress message is still there. done: nothing is left to do.
    stage       TEXT NOT NULL DEFAULT 'open'
        CHECK (stage IN ('open', 'due', 'intended', 'posted', 'done')),
    progress_id INTEGER,            -- the message that says "(Waiting to start)" or "(31%)"
    result_id   INTEGER,            -- the message with the pictures
    intended_at REAL,               -- Unix seconds of the first POST of the outcome
    trouble     TEXT,               -- why the outcome could not be shown where it belongs
    CHECK (stage <> 'intended' OR intended_at IS NOT NULL),
    CHECK (stage <> 'posted' OR result_id IS NOT NULL)
) STRICT;
CREATE INDEX bot_posts_unfinished ON bot_posts (stage) WHERE stage <> 'done';
CREATE INDEX bot_posts_progress ON bot_posts (progress_id) WHERE progress_id IS NOT NULL;
CREATE INDEX bot_posts_result ON bot_posts (result_id) WHERE result_id IS NOT NULL;

-- Messages that show an outcome once more.
CREATE TABLE bot_copies (
    message_id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL,
    job_id     TEXT NOT NULL
) STRICT;
CREATE INDEX bot_copies_job ON bot_copies (job_id);

-- Corrected prompts behind "Fix and run" buttons.
CREATE TABLE bot_fixes (
    id         TEXT PRIMARY KEY,
    prompt     TEXT NOT NULL,
    created_at REAL NOT NULL
) STRICT;
CREATE INDEX bot_fixes_age ON bot_fixes (created_at);
