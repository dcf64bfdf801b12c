-- How far batches are, and what corrected prompts still lack.

ALTER TABLE bot_batches ADD COLUMN queued INTEGER NOT NULL DEFAULT 0 CHECK (queued >= 0);  -- of its jobs, when it ended
ALTER TABLE bot_fixes ADD COLUMN whole INTEGER NOT NULL DEFAULT 1 CHECK (whole IN (0, 1));  -- 0: what its author prefers is not in it
