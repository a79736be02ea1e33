CREATE TABLE task (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,  -- grows with each launch
  id         TEXT NOT NULL UNIQUE,
  folder     BLOB NOT NULL,
  spec       TEXT NOT NULL,     -- JSON; never changes
  team       TEXT NOT NULL,     -- its group, or itself: what takes turns with others for free workers
  status     TEXT NOT NULL,
  attempt    INTEGER NOT NULL,
  epoch      INTEGER NOT NULL,  -- grows with each claim and rescue; who writes with an older one has lost the task
  session    TEXT,
  activity   TEXT,
  waiting_for TEXT,             -- JSON
  reason     TEXT,
  error      TEXT,              -- JSON
  result     TEXT,              -- JSON
  pid        INTEGER,
  cancel_reason TEXT,           -- why it was asked to stop
  crashes    INTEGER NOT NULL,
  spawned_at INTEGER,           -- milliseconds since the machine was started: when a worker was last started for it
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at   INTEGER            -- none as long as it is not ended; final once set, until a retry
) STRICT;
CREATE INDEX task_open ON task(status, number) WHERE ended_at IS NULL;
CREATE INDEX task_ended ON task(ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX task_status ON task(status, number);
CREATE INDEX task_team ON task(team, number);

CREATE TABLE task_count (       -- kept by the triggers, so that nobody counts
  status TEXT PRIMARY KEY,
  count  INTEGER NOT NULL
) STRICT;
CREATE TRIGGER task_added AFTER INSERT ON task BEGIN
  INSERT INTO task_count VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER task_moved AFTER UPDATE OF status ON task WHEN old.status <> new.status BEGIN
  INSERT INTO task_count VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET count = count + 1;
  UPDATE task_count SET count = count - 1 WHERE status = old.status;
END;
CREATE TRIGGER task_removed AFTER DELETE ON task BEGIN
  UPDATE task_count SET count = count - 1 WHERE status = old.status;
END;

CREATE TABLE task_base (        -- texts that editors had unsaved when the task was launched
  task TEXT NOT NULL REFERENCES task(id),
  path BLOB NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (task, path)
) STRICT;

CREATE TABLE lease (            -- one row for each worker that has a task, or had it and may still be there
  task  TEXT NOT NULL REFERENCES task(id),
  epoch INTEGER NOT NULL,
  pid   INTEGER NOT NULL,
  start TEXT NOT NULL,          -- boot and start of the process
  token TEXT NOT NULL,          -- what its processes have in their environment
  beat  INTEGER NOT NULL,       -- this and the next: milliseconds since the machine was started, sleep included
  stop_at INTEGER,              -- when it was asked to end
  PRIMARY KEY (task, epoch)
) STRICT;

CREATE TABLE task_event (       -- only ever appended to
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL REFERENCES task(id),
  at   INTEGER NOT NULL,
  body TEXT NOT NULL            -- JSON
) STRICT;
CREATE INDEX task_event_task ON task_event(task, seq);
