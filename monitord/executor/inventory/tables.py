"""A CSV file of hosts: the first line names the columns. It reads; it judges no row."""

import csv
from pathlib import Path

from monitord.errors import ConfigError, MonitordError, Problem
from monitord.executor.inventory.rows import Answer, Raw
from monitord.model.inventory import FieldsModel

MAX_BYTES = 16 * 1024 * 1024
_USUAL = FieldsModel(
    name=("name", "host", "hostname"),
    address=("address", "ip"),
    groups=("groups", "group"),
    site=("site",),
    customer=("customer",),
    tags=("tags",),
)


def read(path: Path, separator: str) -> Answer:
    """Give the rows.

    Raises:
        MonitordError: the file cannot be read.
        ConfigError: a line is no row of the table.
    """
    reader = csv.reader(text_of(path).splitlines(keepends=True), delimiter=separator, strict=True)
    rows: list[Raw] = []
    columns: tuple[str, ...] = ()
    problems = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if not columns:
                columns = tuple(cell.strip() for cell in cells)
            elif len(cells) != len(columns):
                text = f"has {len(cells)} cells, and the first line names {len(columns)} columns"
                problems.append(Problem(str(path), reader.line_num, 1, f"{text} (quote commas)"))
            else:
                rows.append(Raw(reader.line_num, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        problems.append(Problem(str(path), reader.line_num, 1, f"is no CSV: {error}"))
    if problems:
        raise ConfigError(problems[:20])
    return Answer(str(path), rows, _USUAL, columns if rows else None)


def text_of(path: Path) -> str:
    """Give the text of a file of bounded size.

    Raises:
        MonitordError: it cannot be read.
    """
    try:
        if not path.is_file():
            raise MonitordError(f"{path}: no such file (mend `file:`, or write it)")
        if path.stat().st_size > MAX_BYTES:
            raise MonitordError(f"{path} is longer than {MAX_BYTES >> 20} MiB")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MonitordError(f"{path} is not UTF-8 (save it as UTF-8): {error.reason}") from error
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror} (let monitord's group read it)"
        raise MonitordError(text) from error
