"""`monitord job run|url|list`: a batch job that reports when it starts and how it ends."""

from typing import Annotated

import typer

from monitord.cli.app import Json, command, jobs

Name = Annotated[str, typer.Argument(help="The job check: its name, or host/check.")]
_RAW = {"allow_interspersed_args": False}  # what follows the name belongs to the job


@command("run", jobs, context_settings=_RAW)
def run(
    name: Name,
    argv: Annotated[list[str], typer.Argument(help="-- and the command with its arguments.")],
    *,
    url: Annotated[
        str,
        typer.Option(envvar="MONITORD_PING_URL", help="Report to this ping URL: no core here."),
    ] = "",
) -> int:
    """Run a job and report it: its output and exit code stay its own, whatever befalls us."""
    from monitord.cli import jobreport, jobrun

    words = argv[1:] if argv[:1] == ["--"] else argv
    if not words:
        raise typer.BadParameter("give the command after --: monitord job run NAME -- tar -czf …")
    return jobrun.run(words, jobreport.Reporter(name, url))


@command("url", jobs)
def url(name: Name, *, json: Json = False) -> None:
    """Print a job's ping URL; curl it after the work, with /start before and /fail on failure."""
    from monitord.cli import jobreport, show, source

    answer = source.get("/v1/jobs", jobreport.from_files)
    found = jobreport.one(answer["jobs"], name)
    full = f"{answer['base']}{found['ping']}"
    if json:
        show.as_json({"key": found["key"], "url": full})
    else:
        typer.echo(full)


@command("script", jobs)
def script() -> None:
    """Print monitord-job: one POSIX sh file that does what `job run` does, on hosts without Python.

    `monitord job script > monitord-job`, copy it there, and give it the job's ping URL.
    """
    from pathlib import Path

    typer.echo(Path(__file__).with_name("monitord-job.sh").read_text(encoding="utf-8"), nl=False)


@command("list", jobs)
def list_(*, json: Json = False) -> None:
    """List the job checks and their last runs."""
    from monitord.cli import jobreport, show, source

    rows = source.get("/v1/jobs", jobreport.from_files)["jobs"]
    if json:
        show.as_json({"jobs": rows})
        return
    flat = [{**row, **(row["record"] or {})} for row in rows]
    columns = [("STATUS", "status"), ("JOB", "key"), ("RUNNING", "running")]
    more = [("STARTED", "started"), ("ENDED", "ended"), ("EXIT", "exit_code")]
    show.table(flat, [*columns, *more], none="no job check is configured")
