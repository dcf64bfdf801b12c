-- What drawing costs, and who has used how much. Amounts are thousandths of a credit: whole numbers always balance.

ALTER TABLE jobs ADD COLUMN credits REAL NOT NULL DEFAULT 0 CHECK (credits >= 0);  -- 0: free, or older than the ledger
ALTER TABLE people ADD COLUMN may_run INTEGER CHECK (may_run >= 1);  -- jobs at a time; NULL: as the configuration says

-- Entries are added, never changed. A job's go when they are long settled, or when their person is forgotten.
CREATE TABLE ledger (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        REAL NOT NULL,                           -- when it was written
    counts_at REAL NOT NULL CHECK (counts_at >= 0),    -- when it was spent: at the reservation, also for what follows
    kind      TEXT NOT NULL CHECK (kind IN ('reserve', 'charge', 'refund', 'grant', 'reset')),
    owner_id  INTEGER NOT NULL,                        -- 0: nobody on Discord, or somebody who was forgotten
    guild_id  INTEGER,                                 -- the server it was ordered in
    job_id    TEXT,                                    -- the job may be gone
    amount    INTEGER NOT NULL,
    used      INTEGER NOT NULL DEFAULT 0,              -- what it adds to what was used; relax adds nothing
    purse     INTEGER NOT NULL DEFAULT 0,              -- what it adds to the granted credits that are left
    actor     TEXT,                                    -- who granted or reset, as `audit` says it
    CHECK (job_id IS NULL OR kind IN ('reserve', 'charge', 'refund')),
    CHECK (amount >= 0 OR kind = 'grant'),
    CHECK (CASE kind
        WHEN 'reserve' THEN used IN (0, amount) AND purse BETWEEN -used AND 0
        WHEN 'refund' THEN used IN (0, -amount) AND purse BETWEEN 0 AND -used
        WHEN 'grant' THEN used = 0 AND purse = amount
        ELSE used = 0 AND purse = 0 END)
) STRICT;
CREATE UNIQUE INDEX ledger_job ON ledger (job_id, kind) WHERE job_id IS NOT NULL;  -- a job costs once
CREATE INDEX ledger_person ON ledger (owner_id, counts_at);
CREATE INDEX ledger_server ON ledger (guild_id, counts_at) WHERE guild_id IS NOT NULL;
CREATE INDEX ledger_resets ON ledger (owner_id, at) WHERE kind = 'reset';
CREATE INDEX ledger_age ON ledger (counts_at) WHERE job_id IS NOT NULL AND purse = 0;
CREATE TRIGGER ledger_is_not_edited BEFORE UPDATE ON ledger
BEGIN
    SELECT raise(ABORT, 'the ledger is append-only');
END;

-- What allowances paid, by hour: a month is hundreds of rows, however many jobs there were.
CREATE TABLE spent (
    whose   TEXT NOT NULL CHECK (whose IN ('person', 'server')),
    subject INTEGER NOT NULL,                          -- Discord id
    hour    INTEGER NOT NULL,                          -- since 1970, of `counts_at`
    amount  INTEGER NOT NULL,                          -- a person's without what granted credits paid
    PRIMARY KEY (whose, subject, hour)
) STRICT, WITHOUT ROWID;

-- Granted credits that are left. They are used when an allowance is.
CREATE TABLE purses (
    owner_id INTEGER PRIMARY KEY,
    balance  INTEGER NOT NULL CHECK (balance >= 0)
) STRICT;

-- Both are kept here, not in the program, so that no path can forget them.
CREATE TRIGGER ledger_spends AFTER INSERT ON ledger WHEN new.used <> 0
BEGIN
    INSERT INTO spent (whose, subject, hour, amount)
    VALUES ('person', new.owner_id, CAST(new.counts_at / 3600 AS INTEGER), new.used + new.purse)
    ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO spent (whose, subject, hour, amount)
    SELECT 'server', new.guild_id, CAST(new.counts_at / 3600 AS INTEGER), new.used
    WHERE new.guild_id IS NOT NULL
    ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
END;
CREATE TRIGGER ledger_forgets AFTER DELETE ON ledger WHEN old.used <> 0
BEGIN
    UPDATE spent SET amount = amount - old.used - old.purse
    WHERE whose = 'person' AND subject = old.owner_id AND hour = CAST(old.counts_at / 3600 AS INTEGER);
    UPDATE spent SET amount = amount - old.used
    WHERE whose = 'server' AND subject = old.guild_id AND hour = CAST(old.counts_at / 3600 AS INTEGER);
END;
CREATE TRIGGER ledger_fills AFTER INSERT ON ledger WHEN new.purse <> 0
BEGIN
    INSERT OR IGNORE INTO purses (owner_id, balance) VALUES (new.owner_id, 0);
    UPDATE purses SET balance = balance + new.purse WHERE owner_id = new.owner_id;
END;

-- What was said of a person, a role or a server through the bot or the command line. NULL: nothing.
CREATE TABLE allowances (
    whose     TEXT NOT NULL CHECK (whose IN ('person', 'role', 'server')),
    subject   INTEGER NOT NULL,                        -- Discord id
    unlimited INTEGER NOT NULL DEFAULT 0 CHECK (unlimited IN (0, 1)),
    day       REAL CHECK (day >= 0),                   -- credits in the last 24 hours
    month     REAL CHECK (month >= 0),                 -- credits in the last 30 days
    running   INTEGER CHECK (running >= 1),            -- jobs at a time
    waiting   INTEGER CHECK (waiting >= 1),            -- jobs behind those
    PRIMARY KEY (whose, subject)
) STRICT, WITHOUT ROWID;
