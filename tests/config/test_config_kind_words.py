"""A mistyped kind, or another monitor's word for one, is told where it stands, with ours."""

from pathlib import Path

import pytest

from monitord.actions import ACTIONS
from monitord.config import assemble, read
from monitord.errors import ConfigError
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.tickets import BACKENDS

KINDS = Kinds(PROBES, ACTIONS, BACKENDS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "hosts: {h: {checks: {a: {ping: }}}}\n",
            ":1:26: a: unknown key ping (did you mean icmp?)",
        ),
        (
            "hosts: {h: {checks: {a: }}}\nchecks: {a: {ssl: {port: 443}}}\n",
            ":2:14: a: unknown key ssl (did you mean tls?)",
        ),
        (
            "hosts: {h: {checks: {a: }}}\nchecks: {a: {htp: {url: x}}}\n",
            ":2:14: a: unknown key htp (did you mean http?)",
        ),
        (
            "hosts: {h: {checks: {a: {tcp: {port: 1}, needs: reach}}}}\n",
            ":1:49: a.needs: h has no check reach, for no host is behind it (remove needs,",
        ),
    ],
)
def test_what_was_meant_is_told_at_its_place(text: str, told: str, tmp_path: Path) -> None:
    main = tmp_path / "monitord.yaml"
    main.write_text(text)
    with pytest.raises(ConfigError) as caught:
        assemble(read(main, shipped=tmp_path / "none", system=tmp_path / "etc"), KINDS)
    (problem,) = caught.value.problems
    assert told in str(problem)
