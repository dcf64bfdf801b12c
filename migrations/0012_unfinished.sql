-- Jobs that a worker handed back when it was asked to stop: what it takes to go on with what was drawn of them.
CREATE TABLE unfinished (
    job_id TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    kept   BLOB NOT NULL                    -- as worker/engine/bookmark.py writes it
) STRICT;

-- It serves one attempt. If a worker dies in that one, the next begins anew: what was kept may be why.
CREATE TRIGGER unfinished_over AFTER UPDATE OF state ON jobs WHEN new.state <> 'running'
BEGIN
    DELETE FROM unfinished WHERE job_id = new.id;
END;
