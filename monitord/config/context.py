"""What one assembly carries along: the kinds, and every problem and warning found so far."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from monitord.config.fields import blank_missing, not_a
from monitord.config.sentences import Locate, finder, problems_of
from monitord.config.tree import Map, Place, problem_at
from monitord.errors import Problem
from monitord.model.kinds import Kinds

_FORMS = {
    "hosts": "hosts: {web1: {address: 10.0.0.1}}",
    "checks": "checks: {disk-space: , site: {http: {url: …}}}",
}
MAX_TOLD = 200
Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class Context:
    """Collects instead of raising, so that a person sees all mistakes at once.

    `broken`: a file could not be read, so that a name that is missing proves nothing. `failed` is
    what is there and has mistakes (`runbook/NAME`, `check/NAME`): it is not told as missing too.
    """

    kinds: Kinds
    broken: bool = False
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    _seen: set[Place] = field(default_factory=set)
    _unread: frozenset[Place] = frozenset()

    def __post_init__(self) -> None:
        """Remember where YAML itself is wrong: what is read there instead says nothing more."""
        self._unread = frozenset(Place(p.file, p.line, p.column) for p in self.problems)

    def add(self, place: Place, text: str) -> None:
        """Note a mistake."""
        if place in self._unread and place != Place(place.file):
            return
        self.problems.append(problem_at(place, text))
        self._seen.add(place)

    def add_once(self, place: Place, text: str) -> None:
        """Note a mistake unless this place has one: one line of YAML may stand for many hosts."""
        if place not in self._seen:
            self.add(place, text)

    def add_missing(self, place: Place, text: str) -> None:
        """Note that a name is not there, unless it may stand in a file that could not be read."""
        if not self.broken:
            self.add_once(place, text)

    def add_error(
        self,
        error: ValidationError,
        model: type[BaseModel],
        locate: Locate,
        *,
        prefix: str = "",
        once: bool = False,
    ) -> None:
        """Note what pydantic found."""
        for problem in problems_of(error, model, locate, prefix=prefix):
            place = Place(problem.file, problem.line, problem.column)
            (self.add_once if once else self.add)(place, problem.text)

    def as_map(self, value: object, place: Place, name: str) -> Map | None:
        """Give `value` when it is a map (nothing counts as an empty one), else note the mistake."""
        if isinstance(value, Map):
            return value
        if value is None:
            return Map(place.file)
        form = "key: value"
        if isinstance(value, list) and name in _FORMS:
            form = _FORMS[name]
        told = blank_missing(value) or f"{not_a(value, 'a map')} (write {form})"
        self.add(place, f"{name}: {told}")
        return None

    def try_model(
        self, model: type[Model], value: object, locate: Locate, prefix: str, *, once: bool = False
    ) -> Model | None:
        """Validate a value against a model; None where it has mistakes, which are noted."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self.add_error(error, model, locate, prefix=prefix, once=once)
            return None

    def model_or_rest(
        self,
        model: type[Model],
        tree: Map,
        place: Place,
        prefix: str,
        instead: Mapping[str, object],
    ) -> Model:
        """Validate a map whose keys are all optional; on mistakes, give what is right of it.

        `instead` are values for keys with mistakes, where leaving them out would look like another
        mistake further on.
        """
        try:
            return model.model_validate(tree)
        except ValidationError as error:
            self.add_error(error, model, finder(tree, place), prefix=prefix)
        right = {key: value for key, value in tree.items() if _is_right(model, key, value)}
        wrong = {key: value for key, value in instead.items() if key in tree and key not in right}
        return model.model_validate({**right, **wrong})

    def model(
        self, model: type[Model], tree: Map, place: Place, *, prefix: str = ""
    ) -> Model | None:
        """Validate a map as it stands in a file."""
        return self.try_model(model, tree, finder(tree, place), prefix)


def capped(problems: Iterable[Problem]) -> list[Problem]:
    """Give the problems in order, each once, and at most so many as a person would read."""
    found = sorted(set(problems))
    more = len(found) - MAX_TOLD
    if more <= 0:
        return found
    last = found[MAX_TOLD - 1]
    rest = f"… and {more:,} more (mend these first)"  # sorts after any other text of this place
    return [*found[:MAX_TOLD], Problem(last.file, last.line, last.column, rest)]


def _is_right(model: type[BaseModel], key: str, value: object) -> bool:
    try:
        model.model_validate({key: value})
    except ValidationError:
        return False
    return True
