"""Real faults in real services on whole test hosts, found and repaired by the real daemon."""
