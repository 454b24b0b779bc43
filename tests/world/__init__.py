"""The world that the tests happen in: whole hosts, real services, hostile targets."""
