//! REMEMBERS: tasks, sessions, proposals and audit in SQLite.
