CREATE TABLE prompt (           -- what a turn asks the user
  id          TEXT PRIMARY KEY,
  session     TEXT NOT NULL REFERENCES session(id),
  turn        TEXT NOT NULL REFERENCES turn(id),
  body        TEXT NOT NULL,    -- JSON, without what came of it
  resolution  TEXT,             -- JSON; none as long as it waits, final once set
  for_session INTEGER NOT NULL DEFAULT 0, -- 1 if it was allowed until the session ends
  asked_at    INTEGER NOT NULL,
  resolved_at INTEGER
) STRICT;
CREATE INDEX prompt_turn ON prompt(turn);
CREATE INDEX prompt_open ON prompt(session) WHERE resolution IS NULL;
CREATE INDEX prompt_for_session ON prompt(session) WHERE for_session = 1;
