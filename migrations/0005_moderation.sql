-- What a server lets its members draw, and what became of what it did not. Times are Unix seconds, UTC.

-- A server's choices beside its categories; a column that is NULL stands for the operator's default. Server 0 is
-- everything outside servers.
CREATE TABLE moderation_servers (
    guild_id              INTEGER PRIMARY KEY,
    moderators_channel_id INTEGER,          -- where appeals are posted
    picture_outcome       TEXT
        CHECK (picture_outcome IN ('allow', 'spoiler', 'private', 'refuse')),
    picture_threshold     REAL CHECK (picture_threshold BETWEEN 0 AND 1)
) STRICT;

CREATE TABLE moderation_categories (
    guild_id     INTEGER NOT NULL,
    category     TEXT NOT NULL CHECK (category IN ('hate', 'harassment', 'violence', 'self_harm', 'sexual',
        'shocking', 'illegal', 'deception', 'political', 'health')),
    outcome      TEXT NOT NULL
        CHECK (outcome IN ('allow', 'spoiler', 'private', 'refuse', 'refuse_and_strike')),
    nsfw_outcome TEXT                       -- in channels marked as adult; NULL: the same as elsewhere
        CHECK (nsfw_outcome IN ('allow', 'spoiler', 'private', 'refuse', 'refuse_and_strike')),
    CHECK (nsfw_outcome IS NULL OR category IN ('sexual', 'shocking')),
    PRIMARY KEY (guild_id, category)
) STRICT, WITHOUT ROWID;

-- Grows with every change to a server's rules or words, so that a look at one row tells whether they changed.
CREATE TABLE moderation_versions (
    guild_id INTEGER PRIMARY KEY,
    version  INTEGER NOT NULL
) STRICT;
CREATE TRIGGER moderation_servers_added AFTER INSERT ON moderation_servers
BEGIN
    INSERT INTO moderation_versions (guild_id, version) VALUES (new.guild_id, 1)
    ON CONFLICT (guild_id) DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER moderation_servers_changed AFTER UPDATE ON moderation_servers
BEGIN
    UPDATE moderation_versions SET version = version + 1 WHERE guild_id = new.guild_id;
END;
CREATE TRIGGER moderation_categories_added AFTER INSERT ON moderation_categories
BEGIN
    INSERT INTO moderation_versions (guild_id, version) VALUES (new.guild_id, 1)
    ON CONFLICT (guild_id) DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER moderation_categories_changed AFTER UPDATE ON moderation_categories
BEGIN
    UPDATE moderation_versions SET version = version + 1 WHERE guild_id = new.guild_id;
END;
CREATE TRIGGER moderation_categories_removed AFTER DELETE ON moderation_categories
BEGIN
    UPDATE moderation_versions SET version = version + 1 WHERE guild_id = old.guild_id;
END;
CREATE TRIGGER words_added AFTER INSERT ON words
BEGIN
    INSERT INTO moderation_versions (guild_id, version) VALUES (new.guild_id, 1)
    ON CONFLICT (guild_id) DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER words_changed AFTER UPDATE ON words
BEGIN
    UPDATE moderation_versions SET version = version + 1 WHERE guild_id = new.guild_id;
END;
CREATE TRIGGER words_removed AFTER DELETE ON words
BEGIN
    UPDATE moderation_versions SET version = version + 1 WHERE guild_id = old.guild_id;
END;

-- Prompts that were refused, as long as their people may still appeal. The only copy of such a prompt.
CREATE TABLE moderation_refusals (
    id          TEXT PRIMARY KEY,           -- of the interaction
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,
    locale      TEXT NOT NULL,
    category    TEXT NOT NULL,
    gate        TEXT NOT NULL CHECK (gate IN ('words', 'meaning')),
    prompt      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,              -- of what the prompt says, without its parameters
    created_at  REAL NOT NULL,
    -- refused: as told. final: no appeal is possible. appealed: before the moderators. approved: once free.
    -- used: that once is over. denied.
    state       TEXT NOT NULL
        CHECK (state IN ('refused', 'final', 'appealed', 'approved', 'used', 'denied')),
    appeal_channel_id INTEGER,
    appeal_message_id INTEGER,              -- NULL while its POST is in doubt
    decided_by  INTEGER,
    decided_at  REAL,
    told        INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)),  -- the person knows of the decision
    used_key    TEXT,                       -- of the job it was used for
    used_at     REAL,
    CHECK ((state IN ('approved', 'used', 'denied')) = (decided_by IS NOT NULL)),
    CHECK ((state = 'used') = (used_key IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX moderation_refusals_age ON moderation_refusals (created_at);
CREATE INDEX moderation_refusals_person ON moderation_refusals (user_id, guild_id, fingerprint);
CREATE INDEX moderation_refusals_untold ON moderation_refusals (decided_at)
    WHERE told = 0 AND state IN ('approved', 'used', 'denied');

-- Timeouts follow from these alone: a strike that is forgiven has never counted.
CREATE TABLE moderation_strikes (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,
    category    TEXT NOT NULL,
    refusal_id  TEXT NOT NULL UNIQUE,       -- one refusal, one strike
    at          REAL NOT NULL,
    forgiven_by INTEGER,
    forgiven_at REAL,
    CHECK ((forgiven_by IS NULL) = (forgiven_at IS NULL))
) STRICT;
CREATE INDEX moderation_strikes_person ON moderation_strikes (user_id, guild_id, at);

-- Which categories the worker shall look for in a job's prompt before it draws, and what it found.
CREATE TABLE prompt_screens (
    key        TEXT PRIMARY KEY,            -- of the job, which may not be there yet
    categories TEXT NOT NULL CHECK (json_valid(categories)),
    found      TEXT,                        -- the category it was refused for
    created_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX prompt_screens_age ON prompt_screens (created_at);
CREATE TRIGGER prompt_screens_go AFTER DELETE ON jobs
BEGIN
    DELETE FROM prompt_screens WHERE key = old.key;
END;

-- How sure the picture gate is that a picture is adult, 0 to 1.
CREATE TABLE picture_scores (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,                   -- of the file, such as 1.png
    score  REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;
-- A picture taken out of a grid is no other picture; kept here, so that no path can forget it.
CREATE TRIGGER picture_scores_follow AFTER INSERT ON jobs
WHEN new.state = 'succeeded' AND json_extract(new.order_json, '$.kind') = 'cell'
BEGIN
    INSERT INTO picture_scores (job_id, name, score)
    SELECT new.id, '1.png', score FROM picture_scores
    WHERE job_id = json_extract(new.order_json, '$.source')
      AND name = json_extract(new.order_json, '$.index') || '.png';
END;
