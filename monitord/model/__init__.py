"""The nouns of monitord (DESIGN §2): frozen values, enums and ids. No I/O, no decisions."""
