"""The store on both engines: contract, faults, schema, audit."""
