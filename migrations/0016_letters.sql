-- What admins wrote to people on the command line, until the bot has sent it. A row goes with its sending.
CREATE TABLE letters (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL,                    -- to whom
    guild_id   INTEGER NOT NULL,                    -- in which server's name, 0 for none
    text       TEXT NOT NULL CHECK (text <> ''),
    created_at REAL NOT NULL,
    tried_at   REAL                                 -- when it may have been sent first
) STRICT;
