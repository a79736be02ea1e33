CREATE TABLE spending (         -- one row for each request to a model; stays when its session goes
  seq                INTEGER PRIMARY KEY AUTOINCREMENT,
  turn               TEXT NOT NULL,
  session            TEXT NOT NULL,
  model              TEXT NOT NULL,   -- provider/model
  at                 INTEGER NOT NULL,
  input_tokens       INTEGER NOT NULL,
  output_tokens      INTEGER NOT NULL,
  cache_read_tokens  INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_micro_usd     INTEGER NOT NULL,
  unpriced           INTEGER NOT NULL -- 1 if it is not known what it cost
) STRICT;
CREATE INDEX spending_turn ON spending(turn);
CREATE INDEX spending_session ON spending(session);
CREATE INDEX spending_at ON spending(at);
