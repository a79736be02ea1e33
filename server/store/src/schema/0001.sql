CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE session (
  id         TEXT PRIMARY KEY,
  folder     BLOB,              -- a path, byte for byte; none in single-file mode
  title      TEXT NOT NULL,
  created_at INTEGER NOT NULL   -- this and all other times: milliseconds since 1970
) STRICT;
CREATE INDEX session_folder ON session(folder);

CREATE TABLE turn (
  id          TEXT PRIMARY KEY,
  session     TEXT NOT NULL REFERENCES session(id),
  prompt      TEXT NOT NULL,
  model       TEXT,
  level       TEXT NOT NULL,
  status      TEXT NOT NULL,    -- JSON
  reply       TEXT,
  usage       TEXT NOT NULL,    -- JSON
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER,          -- none as long as it runs; final once set
  owner_pid   INTEGER NOT NULL,
  owner_start TEXT NOT NULL     -- boot and start of the process, so that a later one with its number is not taken for it
) STRICT;
CREATE INDEX turn_session ON turn(session, started_at);
CREATE INDEX turn_running ON turn(owner_pid) WHERE ended_at IS NULL;

CREATE TABLE message (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  session TEXT NOT NULL REFERENCES session(id),
  turn    TEXT NOT NULL REFERENCES turn(id),
  body    TEXT NOT NULL         -- JSON
) STRICT;
CREATE INDEX message_session ON message(session, seq);

CREATE TABLE text (
  hash TEXT PRIMARY KEY,        -- SHA-256 in hexadecimal
  body TEXT NOT NULL
) STRICT;

CREATE TABLE proposal (
  id         TEXT PRIMARY KEY,
  session    TEXT NOT NULL REFERENCES session(id),
  turn       TEXT NOT NULL REFERENCES turn(id),
  title      TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX proposal_session ON proposal(session, created_at);

CREATE TABLE turn_proposal (    -- what a turn opened or amended, in that order
  turn     TEXT NOT NULL REFERENCES turn(id),
  proposal TEXT NOT NULL REFERENCES proposal(id),
  PRIMARY KEY (turn, proposal)
) STRICT;

CREATE TABLE file_change (
  proposal TEXT NOT NULL REFERENCES proposal(id),
  path     BLOB NOT NULL,
  base     TEXT NOT NULL REFERENCES text(hash),
  ordinal  INTEGER NOT NULL,
  PRIMARY KEY (proposal, path)
) STRICT;
CREATE INDEX file_change_path ON file_change(path);

CREATE TABLE hunk (
  id        TEXT NOT NULL,
  proposal  TEXT NOT NULL,
  path      BLOB NOT NULL,
  turn      TEXT NOT NULL REFERENCES turn(id),
  base      TEXT NOT NULL REFERENCES text(hash),
  old_start INTEGER NOT NULL,   -- the base lines it replaces, from 0, the end left out
  old_end   INTEGER NOT NULL,
  kind      TEXT NOT NULL,      -- what happens to the file as a whole
  to_path   BLOB,               -- the path after a rename
  old_text  TEXT NOT NULL,
  new_text  TEXT NOT NULL,
  over_text TEXT,               -- the lines of applied hunks that it took the place of
  split_from TEXT,
  rejected_before INTEGER NOT NULL,
  verdict   TEXT NOT NULL,      -- JSON; the last of its decisions
  holder_pid   INTEGER,         -- the process whose editor has the accepted text unsaved
  holder_start TEXT,
  told      INTEGER NOT NULL,   -- whether the agent knows of the verdict
  ordinal   INTEGER NOT NULL,   -- its place in the file
  PRIMARY KEY (proposal, id),
  FOREIGN KEY (proposal, path) REFERENCES file_change(proposal, path)
) STRICT;
CREATE INDEX hunk_file ON hunk(proposal, path, ordinal);

CREATE TABLE decision (         -- only ever appended to
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,
  act      INTEGER NOT NULL,    -- the seq of the first decision of its commit: what is undone together
  proposal TEXT NOT NULL,
  hunk     TEXT NOT NULL,
  verdict  TEXT NOT NULL,       -- JSON
  at       INTEGER NOT NULL,
  FOREIGN KEY (proposal, hunk) REFERENCES hunk(proposal, id)
) STRICT;
CREATE INDEX decision_hunk ON decision(proposal, hunk, seq);

CREATE TABLE comment (
  id       TEXT PRIMARY KEY,
  proposal TEXT NOT NULL REFERENCES proposal(id),
  path     BLOB NOT NULL,
  hunk     TEXT,
  lines    TEXT,                -- JSON, from 0, the end left out
  body     TEXT NOT NULL,
  is_edit  INTEGER NOT NULL,    -- a change of the user's, as a unified diff
  sent     INTEGER NOT NULL
) STRICT;
CREATE INDEX comment_proposal ON comment(proposal);

CREATE TABLE event (            -- only ever appended to
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  at   INTEGER NOT NULL,
  body TEXT NOT NULL            -- JSON
) STRICT;
