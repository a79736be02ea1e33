//! The thin road, from a command to an accepted hunk that survives a kill.
