"""monitord: lights-out monitoring that repairs, proves the repair, and tickets the rest."""

__version__ = "0.1.0"
