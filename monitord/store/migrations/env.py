"""Alembic's entry: runs the steps on the connection, inside the transaction, that `schema` passes.

It opens neither of its own, so that a migration is whole or has not happened.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
