"""The command line. Importing this package imports nothing else, so that `--help` is quick."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from monitord.cli.app import app

    app(prog_name="monitord")
