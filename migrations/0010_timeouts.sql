-- Timeouts that followed from the strikes of people who were then forgotten: forgetting is no way out of them. A row
-- says neither who it was nor what for, and goes when the timeout is over.
CREATE TABLE moderation_timeouts (
    whom     TEXT PRIMARY KEY,              -- keyed hash of server and person; the key is in bot_settings
    guild_id INTEGER NOT NULL,
    until    REAL NOT NULL
) STRICT, WITHOUT ROWID;
