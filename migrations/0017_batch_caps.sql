-- How many pictures are worth a step, as measured on a machine: the next start need not find out again.
CREATE TABLE batch_caps (
    machine     TEXT NOT NULL,               -- what was drawn on: device, types, threads
    model       TEXT NOT NULL,
    height      INTEGER NOT NULL,            -- in latents
    width       INTEGER NOT NULL,
    context     INTEGER NOT NULL,            -- tokens
    guided      INTEGER NOT NULL CHECK (guided IN (0, 1)),
    weights     TEXT NOT NULL,               -- hash of what was behind the name
    rows        INTEGER NOT NULL CHECK (rows > 0),
    most        INTEGER CHECK (most > 0),    -- for which memory sufficed; NULL where it was never short
    settled     INTEGER NOT NULL CHECK (settled IN (0, 1)),  -- 1: measured on purpose, not to be tried beyond
    measured_at REAL NOT NULL,
    PRIMARY KEY (machine, model, height, width, context, guided)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER checkpoints_replaced AFTER UPDATE OF hash ON checkpoints
BEGIN
    DELETE FROM batch_caps WHERE model = new.name AND weights <> new.hash;
END;
