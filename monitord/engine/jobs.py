"""What is known of watched jobs: taken from reports, kept in the store, judged by the job probe.

A report never carries a command: what may be run again stands in YAML.
"""

from collections.abc import Mapping
from dataclasses import replace

from monitord.model.catalog import Catalog
from monitord.model.ids import CheckKey, Instant
from monitord.model.kinds import JobRecord
from monitord.store.contract import View


class Jobs:
    """The records of all job checks, by check key."""

    def __init__(self) -> None:
        self._records: dict[str, JobRecord] = {}

    def restore(self, view: View, catalog: Catalog, now: Instant) -> None:
        """Read the records of the catalog's job checks; a new one is watched from now on."""
        for key in job_checks(catalog):
            if key not in self._records:
                self._records[key] = view.job(key) or _new(now)

    def take_over(
        self, renamed: Mapping[CheckKey, CheckKey], stored: Mapping[CheckKey, JobRecord]
    ) -> None:
        """Follow a reload: records go with their checks (new key to old key).

        `stored` are the store's own, for a check that was watched before and comes back.
        """
        known = self._records
        moved = [(new, known.pop(old)) for new, old in renamed.items() if old in known]
        for key, record in stored.items():
            known.setdefault(key, record)
        known.update(moved)

    def record(self, key: str, now: Instant) -> JobRecord:
        """Give what is known of a job."""
        return self._records.setdefault(key, _new(now))

    def report(
        self, key: str, event: str, *, exit_code: int | None, output: str, at: Instant
    ) -> JobRecord:
        """Take a report (start, success or fail); one older than what is known changes nothing."""
        known = self.record(key, at)
        newest = max(known.started or 0, known.ended or 0)
        if at < newest:
            return known
        if event == "start":
            record = replace(known, started=at, running=True)
        else:
            code = exit_code if exit_code is not None else (0 if event == "success" else 1)
            record = replace(known, ended=at, running=False, exit_code=code, output=output)
        self._records[key] = record
        return record


def job_checks(catalog: Catalog) -> list[CheckKey]:
    """Give the keys of all checks that watch a job."""
    return [key for key, check in catalog.checks.items() if check.kind == "job"]


def _new(now: Instant) -> JobRecord:
    return JobRecord(None, None, None, "", running=False, watched_since=now)
