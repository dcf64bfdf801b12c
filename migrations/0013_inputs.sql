-- Pictures that a prompt names by address, as the job keeps them: address -> name in the picture folder.
ALTER TABLE jobs ADD COLUMN inputs TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(inputs));
-- A job that came to nothing keeps them too, so that it can be tried again; they age out like pictures.
CREATE INDEX jobs_undrawn ON jobs (finished_at)
    WHERE inputs <> '{}' AND state IN ('failed', 'cancelled') AND aged < 2;
