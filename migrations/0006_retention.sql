-- What time and a full disk take away.

-- 0: a job's pictures are stored. 1: its grid is not, and is put together from the others. 2: none are.
ALTER TABLE jobs ADD COLUMN aged INTEGER NOT NULL DEFAULT 0 CHECK (aged BETWEEN 0 AND 2);
CREATE INDEX jobs_stored ON jobs (finished_at) WHERE state = 'succeeded' AND aged < 2;
CREATE INDEX jobs_over ON jobs (finished_at) WHERE finished_at IS NOT NULL;
-- What was made from a job: a picture that somebody chose is kept longer.
CREATE INDEX jobs_source ON jobs (json_extract(order_json, '$.source'))
    WHERE json_extract(order_json, '$.source') IS NOT NULL;

-- Whose corrected prompt it is, so that it can be forgotten with its person; 0: kept before anybody asked.
ALTER TABLE bot_fixes ADD COLUMN owner_id INTEGER NOT NULL DEFAULT 0;
CREATE INDEX bot_fixes_owner ON bot_fixes (owner_id);
