//! ASKS: model wire formats in, one stream of events out.
