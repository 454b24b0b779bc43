"""Network probes against real servers, exact bytes and hostile targets."""
