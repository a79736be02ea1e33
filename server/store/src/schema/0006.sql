CREATE TABLE audit (            -- every question and decision about tool calls; stays when its session goes
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  at     INTEGER NOT NULL,
  record TEXT NOT NULL,         -- JSON, without secrets
  hash   TEXT NOT NULL          -- of the row before, seq, at and record: nothing can be changed unseen
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit is only appended to'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit is only appended to'); END;
