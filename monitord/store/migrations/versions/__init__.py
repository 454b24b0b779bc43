"""One file per step, numbered; a released one is never edited."""
