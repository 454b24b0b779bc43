"""Actions: steps as they are rendered and as they do their work."""
