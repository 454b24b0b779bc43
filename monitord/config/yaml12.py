"""YAML 1.2 text → tree: PyYAML's C parser composes, our own resolver reads scalars.

Every mistake becomes a `Problem` with its line and cure; hostile files (bombs, deep nests, control
characters, devices) cost a bounded amount and never a traceback. Knows YAML, nothing of monitord.
"""

import errno
import os
import re
import stat
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.reader import ReaderError

from monitord.config import scalars
from monitord.config.tree import Map, Place, Seq, problem_at
from monitord.errors import Problem

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_ALIASED = 100_000
"""Entries that aliases may add to one file: shared texts are welcome, bombs are not."""

_SCRIPT_KEYS = frozenset({"command", "script", "run", "argv", "plugin"})
_CONDITION = "if_exists"
_PLAIN, _TEXT, _CONTAINER = "p", "s", "c"
_BRACES = re.compile(r"\{[\w +*-]+\}")


_CURES_OF_DISK = {
    errno.ENOENT: "No such file or directory (a link to nothing; mend or remove it)",
    errno.EACCES: "Permission denied (let monitord's user read it)",
    errno.ELOOP: "a link that leads back to itself (remove it)",
}


class _TooDeepError(Exception):
    """Raised from inside the composer: no C stack overflows."""


class _Composer(CParser):
    """The C parser with a resolver that only tells plain scalars from quoted ones."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._depth = 0

    def resolve(self, kind: type[Node], _value: object, implicit: tuple[bool, bool]) -> str:
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _TEXT
        return _CONTAINER

    def descend_resolver(self, _parent: object, _index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooDeepError

    def ascend_resolver(self) -> None:
        self._depth -= 1


@dataclass(slots=True)
class Reading:
    """One file as read. `tree` is None for an empty file and where `broken`.

    `paths` are the absolute paths in lists and under command-like keys: what may be a script.
    `conditions` are the paths that some check asks for (`if_exists:`). `unread`: not a file that
    can be read. `partial`: a folder it includes could not be listed.
    """

    file: str
    tree: Any = None
    broken: bool = False
    problems: list[Problem] = field(default_factory=list)
    paths: list[tuple[str, int, int]] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    unread: bool = False
    partial: bool = False


def read_file(path: Path, name: str) -> Reading:
    """Read one YAML file that is called `name` in messages. Raises nothing."""
    reading = Reading(name)
    try:
        status = path.stat()
        fault = _unreadable(status)
        data = b"" if fault else path.read_bytes()
    except OSError as error:
        fault = f"cannot be read: {_CURES_OF_DISK.get(error.errno or 0, error.strerror or error)}"
    if fault:
        reading.unread = True
        return _broken(reading, 1, 1, fault)
    if status.st_mode & stat.S_IWOTH:
        text = f"anybody may write this file, so nobody can trust it (chmod o-w {path})"
        reading.problems.append(problem_at(Place(name), text))
    return parse(data, reading)


def _unreadable(status: os.stat_result) -> str:
    """Say why a file is none that can be read; an empty text: it can."""
    if stat.S_ISDIR(status.st_mode):
        return "is a folder, not a file (name a file in it)"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file (a device or pipe may never end; write a file)"
    if status.st_size > MAX_BYTES:
        size, limit = -(-status.st_size >> 20), MAX_BYTES >> 20
        return f"is {size} MiB long; the limit is {limit} MiB (split it with include:)"
    return ""


def parse(data: bytes, reading: Reading) -> Reading:
    """Fill `reading` from the bytes of its file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _position(data, error.start)
        byte = data[error.start]
        return _broken(
            reading, line, column, f"byte 0x{byte:02x} is not UTF-8 (save the file as UTF-8)"
        )
    try:
        node = _Composer(text.encode()).get_single_node()
    except _TooDeepError:
        return _broken(reading, 1, 1, f"is nested more than {MAX_DEPTH} levels deep")
    except ReaderError as error:
        line, column = _position(text.encode(), int(error.position))
        return _broken(
            reading, line, column, f"control character {_code(error.character)} (remove it)"
        )
    except MarkedYAMLError as error:
        return _syntax(reading, error, text)
    except YAMLError as error:
        return _broken(reading, 1, 1, f"is not YAML: {error}")
    if node is not None:
        reading.tree = _Builder(reading).build(node)
    return reading


class _Builder:
    """Turns composed nodes into a tree; counts what aliases add."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._file = reading.file
        self._done: dict[int, tuple[Map | Seq, int]] = {}
        self._open: set[int] = set()
        self._size = 0
        self._aliased = 0

    def build(self, node: Node) -> Any:
        if node.__class__ is ScalarNode:
            return self._scalar(node)
        known = self._done.get(id(node))
        if known is not None:
            return self._alias(node, *known)
        if id(node) in self._open:
            self._problem(node, "an anchor contains its own alias (remove one of them)")
            return None
        self._open.add(id(node))
        before = self._size
        tree = self._map(node) if isinstance(node, MappingNode) else self._seq(node)
        self._open.discard(id(node))
        self._done[id(node)] = (tree, self._size - before)
        return tree

    def _alias(self, node: Node, tree: Map | Seq, size: int) -> Map | Seq | None:
        self._size += size
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            if self._aliased - size <= MAX_ALIASED:
                text = f"aliases add more than {MAX_ALIASED} entries (write fewer aliases)"
                self._problem(node, text)
            self._reading.broken = True
            return None
        return tree

    def _map(self, node: MappingNode) -> Map:
        marks = array("I")
        out = Map(self._file, marks)
        self._check_tag(node, "map")
        for key_node, value_node in node.value:
            if key_node.__class__ is not ScalarNode:
                self._problem(key_node, "a key must be a text, not a map or a list")
                continue
            key = key_node.value
            if key in out:
                first = out.key_place(key)
                self._problem(
                    key_node, f"{key}: is written twice (first in line {first.line}); remove one"
                )
                continue
            if key == "<<":
                self._problem(
                    key_node, "<<: merge keys are not YAML 1.2 (use groups, defaults or an alias)"
                )
                continue
            value = (
                self._scalar(value_node)
                if value_node.__class__ is ScalarNode
                else self.build(value_node)
            )
            self._size += 1
            at, begin = key_node.start_mark, value_node.start_mark
            if key in _SCRIPT_KEYS:
                self._note_path(value, begin)
            elif key == _CONDITION and isinstance(value, str):
                self._reading.conditions.append(value)
            marks.extend((at.line + 1, at.column + 1, begin.line + 1, begin.column + 1))
            out[key] = value
        return out

    def _seq(self, node: Node) -> Seq:
        marks = array("I")
        out = Seq(self._file, marks)
        self._check_tag(node, "seq")
        for item in node.value:
            value = self.build(item)
            out.append(value)
            self._size += 1
            begin = item.start_mark
            self._note_path(value, begin)
            marks.extend((begin.line + 1, begin.column + 1))
        return out

    def _scalar(self, node: ScalarNode) -> Any:
        tag = node.tag
        if tag == _TEXT:
            return node.value
        try:
            if tag == _PLAIN:
                return scalars.resolve(node.value)
            return scalars.tagged(tag, node.value)
        except ValueError as error:
            self._problem(node, str(error))
            return None

    def _note_path(self, value: object, at: Any) -> None:
        if value.__class__ is str and value[:1] == "/":
            self._reading.paths.append((value, at.line + 1, at.column + 1))

    def _check_tag(self, node: Node, word: str) -> None:
        if node.tag not in (_CONTAINER, f"tag:yaml.org,2002:{word}"):
            self._problem(node, f"unknown tag {node.tag} (maps and lists take none)")

    def _problem(self, node: Node, text: str) -> None:
        at = node.start_mark
        place = Place(self._file, at.line + 1, at.column + 1)
        self._reading.problems.append(problem_at(place, text))


def _broken(reading: Reading, line: int, column: int, text: str) -> Reading:
    reading.broken = True
    reading.problems.append(problem_at(Place(reading.file, line, column), text))
    return reading


def _position(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset]
    start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[start:].decode("utf-8", "replace")) + 1


def _code(character: object) -> str:
    return f"U+{character:04X}" if isinstance(character, int) else repr(character)


def _syntax(reading: Reading, error: MarkedYAMLError, text: str) -> Reading:
    mark = error.problem_mark or error.context_mark
    row, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()
    line = lines[row] if row < len(lines) else ""
    sentence = _sentence(error, line, column)
    begin = error.context_mark
    if begin is not None and begin.line < row and _CURES.get(error.problem or "") in _UNCLOSED:
        sentence = _CURES[error.problem or ""]
        row, column = begin.line, begin.column  # where it was opened, not where the file ends
    return _broken(reading, row + 1, column + 1, sentence)


def _sentence(error: MarkedYAMLError, line: str, column: int) -> str:
    problem = error.problem or "is not YAML"
    if line[column : column + 1] == "\t":
        return "a tab cannot indent YAML (use spaces)"
    braces = _BRACES.search(line)
    if braces and problem.startswith("did not find expected"):
        return f'a text that holds {braces[0]} must be quoted (write "…{braces[0]}…")'
    at = line[column : column + 1]
    if at == "[" and problem.startswith("did not find expected ','"):
        return 'inside { } a name with [ ] must be quoted (write "web[1-8]": …)'
    if at == ":" and problem.startswith("did not find expected ','"):
        return 'a second ":" in this text (quote the text)'
    cure = _CURES.get(problem)
    if cure is None:
        return f"is not YAML: {problem}"
    return cure.replace("CHARACTER", at)


_CURES = {
    "mapping values are not allowed in this context": (
        'a ":" that starts a value cannot stand here (quote the text, or mend the indentation)'
    ),
    "found character that cannot start any token": (
        'an unquoted text cannot begin with "CHARACTER" (quote it)'
    ),
    "could not find expected ':'": 'a key without its ":" (write key: value)',
    "did not find expected key": (
        "this does not fit the map above it (mend the indentation, or quote the text)"
    ),
    "did not find expected ',' or '}'": 'a "{" is not closed (write "}", or quote the text)',
    "did not find expected ',' or ']'": 'a "[" is not closed (write "]", or quote the text)',
    "did not find expected node content": (
        "a value is missing here (write one, or close the bracket)"
    ),
    "did not find expected '-' indicator": (
        "this does not fit the list above it (mend the indentation)"
    ),
    "found unexpected end of stream": "a quote is not closed (the one that is opened here)",
    "found undefined alias": "an alias (*name) without its anchor (&name)",
    "second occurrence": "an anchor (&name) is written twice (rename one)",
    "but found another document": (
        'a second document begins here (one file, one document: remove "---")'
    ),
    "found unknown escape character": (
        "an unknown escape after a backslash (use single quotes, or write \\\\)"
    ),
    "found incompatible YAML document": "a %YAML version that is not 1.1 or 1.2 (remove the line)",
}
_UNCLOSED = frozenset(
    _CURES[problem]
    for problem in (
        "found unexpected end of stream",
        "did not find expected ',' or '}'",
        "did not find expected ',' or ']'",
    )
)
