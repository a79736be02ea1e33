//! DECIDES: documents, diffs, proposals, permission rules, task states; pure.
