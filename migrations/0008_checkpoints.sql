-- Which weights drew what. A name stays when a checkpoint is replaced; the hash of its weights does not.

CREATE TABLE checkpoints (
    name    TEXT PRIMARY KEY,
    hash    TEXT NOT NULL,      -- of the weights that a worker last loaded under this name
    seen_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- NULL while it is not drawn, and where no worker had told its weights.
ALTER TABLE jobs ADD COLUMN model_hash TEXT;

-- Here, not in the program, so that no path can forget it. What is only enlarged keeps its source's hash.
CREATE TRIGGER jobs_drawn AFTER UPDATE OF state ON jobs
WHEN new.state = 'succeeded' AND new.model_hash IS NULL AND json_extract(new.recipe, '$.kind') = 'drawing'
BEGIN
    UPDATE jobs SET model_hash = (SELECT hash FROM checkpoints WHERE name = new.model) WHERE seq = new.seq;
END;
