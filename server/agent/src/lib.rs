//! ACTS: runtime, turn loop, tools, gate, overlay, processes, workers.
