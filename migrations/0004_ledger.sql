-- What drawing costs, and who has used how much. Amounts are thousandths of a credit: whole numbers always balance.

ALTER TABLE jobs ADD COLUMN credits REAL NOT NULL DEFAULT 0 CHECK (credits >= 0);  -- 0: free, or older than the ledger
ALTER TABLE people ADD COLUMN may_run INTEGER CHECK (may_run >= 1);  -- jobs at a time; NULL: as the configuration says

-- Entries are added, never changed.
CREATE TABLE ledger (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        REAL NOT NULL,                                    -- when it was written
    counts_at REAL NOT NULL,                                    -- when it was spent: at the reservation, also for what follows it
    kind      TEXT NOT NULL CHECK (kind IN ('reserve', 'charge', 'refund', 'grant', 'reset')),
    owner_id  INTEGER NOT NULL,                                 -- 0: somebody who was forgotten
    guild_id  INTEGER,                                          -- the server it was ordered in
    job_id    TEXT,                                             -- the job may be gone
    metered   INTEGER NOT NULL CHECK (metered IN (0, 1)),       -- whether allowances pay for it; relax is free of them
    amount    INTEGER NOT NULL CHECK (amount >= 0 OR kind = 'grant'),
    extra     INTEGER NOT NULL DEFAULT 0,                       -- how much of it granted credits pay
    actor_id  INTEGER,                                          -- who granted or reset
    CHECK (kind IN ('reserve', 'charge', 'refund') OR (job_id IS NULL AND guild_id IS NULL AND extra = 0)),
    CHECK (kind = 'grant' OR extra BETWEEN 0 AND amount),
    CHECK (metered OR extra = 0)
) STRICT;
CREATE UNIQUE INDEX ledger_job ON ledger (job_id, kind) WHERE job_id IS NOT NULL;  -- a job costs once
CREATE INDEX ledger_person ON ledger (owner_id, counts_at);
CREATE INDEX ledger_server ON ledger (guild_id, counts_at) WHERE guild_id IS NOT NULL;
CREATE INDEX ledger_resets ON ledger (owner_id, at) WHERE kind = 'reset';

CREATE TRIGGER ledger_unchanged BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is only added to');
END;

-- What allowances paid, by hour: a month is hundreds of rows, however many jobs there were.
CREATE TABLE spent (
    whose   TEXT NOT NULL CHECK (whose IN ('person', 'server')),
    subject INTEGER NOT NULL,                                   -- Discord id
    hour    INTEGER NOT NULL,                                   -- since 1970, of `counts_at`
    amount  INTEGER NOT NULL,                                   -- a person's without what granted credits paid
    PRIMARY KEY (whose, subject, hour)
) STRICT, WITHOUT ROWID;

-- Granted credits that are left. They are used when an allowance is.
CREATE TABLE purses (
    owner_id INTEGER PRIMARY KEY,
    balance  INTEGER NOT NULL CHECK (balance >= 0)
) STRICT;

-- Both are kept here, not in the program, so that no path can forget them.
CREATE TRIGGER ledger_spends AFTER INSERT ON ledger WHEN new.metered AND new.kind IN ('reserve', 'refund')
BEGIN
    INSERT INTO spent (whose, subject, hour, amount)
    VALUES ('person', new.owner_id, CAST(new.counts_at / 3600 AS INTEGER),
            iif(new.kind = 'reserve', 1, -1) * (new.amount - new.extra))
    ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO spent (whose, subject, hour, amount)
    SELECT 'server', new.guild_id, CAST(new.counts_at / 3600 AS INTEGER),
           iif(new.kind = 'reserve', 1, -1) * new.amount
    WHERE new.guild_id IS NOT NULL
    ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
END;
CREATE TRIGGER ledger_fills AFTER INSERT ON ledger WHEN new.extra > 0 OR new.kind = 'grant'
BEGIN
    INSERT OR IGNORE INTO purses (owner_id, balance) VALUES (new.owner_id, 0);
    UPDATE purses SET balance = balance + CASE new.kind
        WHEN 'grant' THEN new.amount WHEN 'reserve' THEN -new.extra WHEN 'refund' THEN new.extra ELSE 0 END
    WHERE owner_id = new.owner_id;
END;

-- What the operator, through the bot or the command line, said of a person, a role or a server. NULL: nothing.
CREATE TABLE allowances (
    whose     TEXT NOT NULL CHECK (whose IN ('person', 'role', 'server')),
    subject   INTEGER NOT NULL,                                 -- Discord id
    unlimited INTEGER NOT NULL DEFAULT 0 CHECK (unlimited IN (0, 1)),
    day       REAL CHECK (day >= 0),                            -- credits in the last 24 hours
    month     REAL CHECK (month >= 0),                          -- credits in the last 30 days
    running   INTEGER CHECK (running >= 1),
    waiting   INTEGER CHECK (waiting >= 1),
    PRIMARY KEY (whose, subject)
) STRICT, WITHOUT ROWID;
