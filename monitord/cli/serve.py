"""The commands around the daemon and its files: run, check-config, plan, schema, test, demo.

`run` starts all three processes in the foreground; `core`, `executor` and `web` are what the
systemd units start. What they do is monitord.daemon's.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from monitord.cli.app import Config, Json, command
from monitord.daemon import CANNOT_START

Files = Annotated[list[Path], typer.Argument(help="Scenario files: *.test.yaml")]


def _config(config: Path | None) -> Path:
    from monitord.cli import places

    places.chosen.config = config or places.chosen.config
    return places.config()


@command("run")
def run(*, config: Config = None) -> int:
    """Start all of monitord in the foreground."""
    from monitord import daemon

    return daemon.run_all(_config(config))


@command("core", failed=CANNOT_START)
def core(*, config: Config = None) -> int:
    """Start the core alone, as its unit does."""
    from monitord import daemon

    return daemon.run_core(_config(config))


@command("executor", failed=CANNOT_START)
def executor(*, config: Config = None) -> int:
    """Start the executor alone, as its unit does."""
    from monitord import daemon

    return daemon.run_executor(_config(config))


@command("web", failed=CANNOT_START)
def web(*, config: Config = None) -> int:
    """Start pings and metrics alone, as its unit does."""
    from monitord import daemon

    return daemon.run_web(_config(config))


@command("check-config")
def check_config(
    file: Annotated[Path | None, typer.Argument(help="The main file.")] = None,
    *,
    config: Config = None,
    json: Json = False,
) -> int:
    """Tell every mistake in the configuration.

    Each with its line and cure, all at once; exits 0 or 1.
    """
    from monitord.cli import checked, show
    from monitord.errors import ConfigError

    path = _config(file or config)
    known = checked.recall(path)
    try:
        found = known or _judged(path)
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
        if json:
            show.as_json({"file": str(path), "ok": False, "problems": problems})
        else:
            for text in problems:
                typer.echo(text, err=True)
        return 1
    if json:
        show.as_json(
            {"file": str(path), "ok": True, **found["counts"], "warnings": found["warnings"]}
        )
        return 0
    for text in found["warnings"]:
        typer.echo(f"warning: {text}", err=True)
    counts = ", ".join(f"{n} {name}" for name, n in found["counts"].items())
    show.line(f"{path} is good: {counts}")
    return 0


def _judged(path: Path) -> dict[str, Any]:
    """Read the configuration; what is good is remembered until anything changes."""
    from monitord import config as configuration
    from monitord.cli import checked, composed

    sources = configuration.read(path)
    catalog = configuration.assemble(sources, composed.KINDS)
    counts = {"hosts": len(catalog.hosts), "checks": len(catalog.checks)}
    counts["runbooks"] = len(catalog.runbooks)
    found = {"counts": counts, "warnings": list(catalog.warnings)}
    checked.remember(path, sources, catalog.expires, found)
    return found


@command("plan")
def plan(*, json: Json = False) -> None:
    """Print what a reload would change now."""
    from monitord.cli import show, source

    answer = source.get("/v1/plan")
    if json:
        show.as_json(answer)
        return
    for text in answer["lines"] or ["nothing would change"]:
        show.line(text)


@command("schema")
def schema(*, json: Json = False) -> None:  # noqa: ARG001 - it is JSON anyway; the option is everywhere
    """Print the JSON Schema of the configuration."""
    from monitord import config
    from monitord.cli import composed, show

    show.as_json(config.json_schema(composed.KINDS))


@command("test")
def run_scenarios(files: Files, *, json: Json = False) -> int:
    """Run scenarios on virtual time.

    Given results in, expected incidents, actions and tickets out; exits 1 when one differs.
    """
    from monitord import log
    from monitord.cli import show
    from monitord.daemon.kinds import KINDS
    from monitord.engine.scenario import run_files

    log.configure("error")  # a scenario makes trouble on purpose: its warnings are no news
    reports = run_files(files, KINDS)
    failed = sum(1 for report in reports if report.failures)
    if json:
        rows = [
            {"file": str(one.path), "title": one.title, "failures": list(one.failures)}
            for one in reports
        ]
        show.as_json({"scenarios": rows, "failed": failed})
    else:
        for one in reports:
            show.line(f"{'FAILED' if one.failures else 'holds '}  {one.path}: {one.title}")
            for text in one.failures:
                show.line(text, indent=8)
        if not reports:
            places = ", ".join(str(file) for file in files)
            show.line(f"no scenario is in {places} (they are called NAME.test.yaml)")
        show.line(f"{len(reports) - failed} of {len(reports)} hold")
    return 1 if failed or not reports else 0


@command("demo")
def demo(
    *,
    json: Json = False,
    svg: Annotated[
        Path | None, typer.Option(help="Save a picture of it, too.", metavar="FILE")
    ] = None,
) -> int:
    """Break real things and watch them being repaired."""
    from monitord import demo as show

    return show.run(json=json, svg=svg)
