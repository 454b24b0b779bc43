"""Facts about files of this machine; a pattern (`/var/backups/db-*.gz`) gives the newest match.

It reads attributes only, and content only where a hash is asked, up to a size. Symbolic links are
followed, as the program that needs the file would.
"""

import glob
import hashlib
import os
import pwd
import stat
import time
from collections.abc import Iterator
from dataclasses import replace

from monitord.model.facts import Facts, FileFact, Section
from monitord.transports.facts_sections import HASH_TIMEOUT, SectionError, valid_text, with_error

_PIECE = 1 << 20


def is_pattern(path: str) -> bool:
    """Tell whether `path` names files by a shell pattern."""
    return any(sign in path for sign in "*?[")


def add_files(facts: Facts, section: Section) -> Facts:
    """Add size, age, mode and owner of each path."""
    for path in section.args:
        try:
            told = _file(path, time.time())
        except OSError as error:
            facts = with_error(facts, f"file:{path}", error.strerror or "cannot be read")
            continue
        facts = replace(facts, files={**facts.files, path: told})
    return facts


def add_hashes(facts: Facts, section: Section) -> Facts:
    """Add the same and the SHA-256 of what each regular file holds."""
    facts = add_files(facts, section)
    for path in section.args:
        told = facts.files.get(path)
        if told is None or not told.exists or told.is_directory:
            continue
        try:
            content = _sha256(
                _newest(path) if is_pattern(path) else path, time.monotonic() + HASH_TIMEOUT
            )
        except (OSError, SectionError) as error:
            facts = with_error(facts, f"file:{path}", str(error))
            continue
        facts = replace(facts, files={**facts.files, path: replace(told, sha256=content)})
    return facts


def _file(path: str, now: float) -> FileFact:
    found = _newest(path) if is_pattern(path) else path
    try:
        told = os.stat(found) if found else None  # noqa: PTH116 - a user's text, kept as it is
    except (FileNotFoundError, NotADirectoryError):
        told = None
    if told is None:
        return FileFact(path, exists=False)
    return FileFact(
        path=valid_text(found),
        exists=True,
        size=told.st_size,
        age=now - told.st_mtime,
        mode=stat.S_IMODE(told.st_mode),
        owner=_owner(told.st_uid),
        is_directory=stat.S_ISDIR(told.st_mode),
    )


def _newest(pattern: str) -> str:
    return max(_matches(pattern), default=(0.0, ""))[1]


def _matches(pattern: str) -> Iterator[tuple[float, str]]:
    for path in glob.iglob(pattern):  # noqa: PTH207 - a user's absolute pattern
        try:
            yield os.stat(path).st_mtime, path  # noqa: PTH116 - as above
        except FileNotFoundError:
            continue  # rotated away, or a link to nothing


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _sha256(path: str, deadline: float) -> str:
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - as above
        raise SectionError("is no regular file, so it has no hash")
    digest = hashlib.sha256()
    with open(path, "rb") as content:  # noqa: PTH123 - as above
        while piece := content.read(_PIECE):
            digest.update(piece)
            if time.monotonic() > deadline:
                raise SectionError(f"could not be hashed within {HASH_TIMEOUT} s")
    return digest.hexdigest()
