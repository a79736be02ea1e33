//! What no client can do to the server: wedge it, end it, or make it lie.
