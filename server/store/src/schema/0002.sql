ALTER TABLE session ADD COLUMN forked_from TEXT;  -- the session that it is a copy of, which may be gone
ALTER TABLE turn ADD COLUMN mode TEXT NOT NULL DEFAULT 'agent';
