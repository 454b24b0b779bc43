"""The pure decisions: no I/O, no event loop, no clock of their own."""
