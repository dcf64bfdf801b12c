-- How much of a busy device a person gets, or each of those with a role. NULL: nothing was said.
ALTER TABLE allowances ADD COLUMN weight REAL CHECK (weight BETWEEN 0.1 AND 10);
