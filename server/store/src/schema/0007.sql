ALTER TABLE task ADD COLUMN level TEXT;  -- what the user has chosen for it since it was launched; that of its spec when none
