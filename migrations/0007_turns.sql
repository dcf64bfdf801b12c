-- Who is next by what people used lately. Virtual times are credits for a weight of one.

ALTER TABLE jobs ADD COLUMN batch TEXT;                    -- the permutation batch it belongs to
ALTER TABLE jobs ADD COLUMN behind INTEGER NOT NULL DEFAULT 0 CHECK (behind IN (0, 1));  -- single jobs go first
ALTER TABLE jobs ADD COLUMN share REAL NOT NULL DEFAULT 0; -- by how much its last claim moved its owner's line
DROP INDEX jobs_line;
CREATE INDEX jobs_line ON jobs (speed, owner_id, behind, work, seq, promoted, credits) WHERE state = 'queued';
CREATE INDEX jobs_behind ON jobs (created_at) WHERE behind = 1;

DROP INDEX people_next;
ALTER TABLE people DROP COLUMN turn;
ALTER TABLE people ADD COLUMN start REAL NOT NULL DEFAULT 0;   -- virtual time at which their next job begins
ALTER TABLE people ADD COLUMN since REAL NOT NULL DEFAULT 0;   -- when the line was last joined or served
ALTER TABLE people ADD COLUMN weight REAL NOT NULL DEFAULT 1 CHECK (weight > 0);
ALTER TABLE people ADD COLUMN ripe INTEGER NOT NULL DEFAULT 0 CHECK (ripe BETWEEN 0 AND waiting);  -- not behind
UPDATE people SET ripe = waiting, since = coalesce(
    (SELECT min(created_at) FROM jobs
     WHERE state = 'queued' AND jobs.speed = people.speed AND jobs.owner_id = people.owner_id), 0);
CREATE INDEX people_next ON people (speed, start, joined, ripe, weight) WHERE ripe > 0;
CREATE INDEX people_since ON people (speed, since, joined) WHERE ripe > 0;
CREATE INDEX people_waiting ON people (speed, start, joined, waiting, ripe) WHERE waiting > 0;

CREATE TABLE lanes (
    speed  TEXT PRIMARY KEY CHECK (speed IN ('turbo', 'fast', 'relax')),
    clock  REAL NOT NULL DEFAULT 0,                        -- virtual time: the furthest start served in turn
    by_age INTEGER NOT NULL DEFAULT 0 CHECK (by_age IN (0, 1))  -- whether the last service was owed to age
) STRICT, WITHOUT ROWID;
INSERT INTO lanes (speed) VALUES ('turbo'), ('fast'), ('relax');

DROP TRIGGER jobs_line_joined;
DROP TRIGGER jobs_line_left;
DROP TRIGGER jobs_line_rejoined;
CREATE TRIGGER jobs_line_joined AFTER INSERT ON jobs WHEN new.state = 'queued'
BEGIN
    INSERT INTO people (speed, owner_id, waiting, ripe, joined, since)
    VALUES (new.speed, new.owner_id, 1, 1 - new.behind, new.seq, new.created_at)
    ON CONFLICT (owner_id, speed) DO UPDATE
    SET joined = CASE waiting WHEN 0 THEN excluded.joined ELSE joined END,
        since = CASE waiting WHEN 0 THEN excluded.since ELSE since END,
        waiting = waiting + 1, ripe = ripe + excluded.ripe;
END;
CREATE TRIGGER jobs_line_left AFTER UPDATE OF state ON jobs WHEN old.state = 'queued' AND new.state <> 'queued'
BEGIN
    UPDATE people SET waiting = waiting - 1, ripe = ripe - (1 - old.behind)
    WHERE owner_id = new.owner_id AND speed = new.speed;
END;
CREATE TRIGGER jobs_line_rejoined AFTER UPDATE OF state ON jobs WHEN old.state <> 'queued' AND new.state = 'queued'
BEGIN
    UPDATE people
    SET joined = CASE waiting WHEN 0 THEN new.seq ELSE joined END,
        since = CASE waiting WHEN 0 THEN new.created_at ELSE since END,
        waiting = waiting + 1, ripe = ripe + (1 - new.behind)
    WHERE owner_id = new.owner_id AND speed = new.speed;
END;
CREATE TRIGGER jobs_line_ripened AFTER UPDATE OF behind ON jobs
WHEN old.behind = 1 AND new.behind = 0 AND new.state = 'queued'
BEGIN
    UPDATE people SET ripe = ripe + 1 WHERE owner_id = new.owner_id AND speed = new.speed;
END;

-- What was not drawn is not held against its owner; what was used anywhere counts in the relax lane as well.
CREATE TRIGGER jobs_share_returned AFTER UPDATE OF state ON jobs
WHEN old.state = 'running' AND new.share > 0
    AND (new.state = 'cancelled' OR (new.state = 'queued' AND new.spared > old.spared))
BEGIN
    UPDATE people SET start = start - new.share * CASE new.state
        WHEN 'cancelled' THEN 1 - coalesce((SELECT fraction FROM progress WHERE job_id = new.id), 0) ELSE 1 END
    WHERE owner_id = new.owner_id AND speed IN (new.speed, 'relax');
END;
