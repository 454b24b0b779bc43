"""The stages that move rows on: schedule, probe, state, incidents, repair, verify, escalate."""
