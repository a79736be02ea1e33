//! The server as a process: a test client, journeys, conformance, tidy rules, benchmarks.
