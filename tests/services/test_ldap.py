"""A real OpenLDAP server: logins, searches, a copy that is behind; and the `tls` probe on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.result import Cause, Result, Status
from monitord.probes.service.ldap import LdapSpec, _ask, judge
from tests.probes_network.authority import Chain
from tests.probes_network.clean import is_clean
from tests.probes_service.asking import ask
from tests.services.slapd import ADMIN, PASSWORD, SUFFIX, Slapd
from tests.world.process import free_port

pytestmark = pytest.mark.filterwarnings(
    # ldap3 2.9 asks pyasn1 by names that it still has.
    "ignore:(tagMap|typeMap) is deprecated:DeprecationWarning"
)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def directory(chain: Chain) -> Iterator[Slapd]:
    with Slapd(chain) as peer:
        yield peer


def look(peer: Slapd, chain: Chain | None = None, **given: Any) -> Result:
    tls = {"tls": {"ca": str(chain.root)}} if chain else {}
    return ask("ldap", port=given.pop("port", peer.port), **tls, **given)


ME = {"user": ADMIN, "password": PASSWORD}


def test_anybody_is_let_in(directory: Slapd) -> None:
    result = look(directory)
    assert result.status is Status.OK, result.summary
    assert "lets anybody in in" in result.summary


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_login_over_tls_finds_people(directory: Slapd, chain: Chain, way: str) -> None:
    given = {"starttls": True} if way == "starttls" else {"port": directory.secure}
    result = look(directory, chain, base=SUFFIX, filter="(objectClass=person)",
                  entries={"critical": "1:1"}, **ME, **given)  # fmt: skip
    assert result.status is Status.OK, result.summary
    assert result.summary.endswith(", 1 entries found")
    assert [one.name for one in result.measurements] == ["time", "entries"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"filter": "(cn=nobody)"}, "finds 0 entries of (cn=nobody) (at least 1)"),
        ({"base": "ou=gone,dc=shop,dc=test"}, "has no entry ou=gone,dc=shop,dc=test"),
        ({"critical": "0.000001"}, "took"),
    ],
)
def test_what_it_does_not_have_is_critical(
    directory: Slapd, given: dict[str, Any], said: str
) -> None:
    result = look(directory, **{"base": SUFFIX, "in_clear": True, **ME, **given})
    assert result.status is Status.CRITICAL, result.summary
    assert said in result.summary


def test_a_wrong_password_is_ours(directory: Slapd, chain: Chain) -> None:
    result = look(directory, chain, starttls=True, user=ADMIN, password="falsch-77")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN)
    assert "invalidCredentials" in result.summary
    assert "falsch" not in result.summary


def test_an_untrusted_certificate_is_refused_before_any_password(directory: Slapd) -> None:
    result = look(directory, starttls=True, **ME)
    assert result.status is Status.CRITICAL
    assert "certificate verify failed" in result.summary


def test_a_server_that_is_gone_and_one_that_is_none(directory: Slapd) -> None:
    gone = look(directory, port=free_port())
    assert gone.status is Status.CRITICAL
    assert "refused" in gone.summary
    other = look(directory, port=directory.secure)  # TLS, spoken to in clear text
    assert other.status is not Status.OK
    assert is_clean(other.summary)


def test_a_copy_that_is_behind_is_told(directory: Slapd, chain: Chain) -> None:
    with Slapd(chain, changed="20200101000000") as copy:
        given = {"base": SUFFIX, "in_clear": True, **ME}
        # Both are on this machine, where one port serves one of them: ask the newer as the copy.
        spec = LdapSpec.model_validate({**given, "port": copy.port, "provider": "127.0.0.1"})
        level = look(copy, provider="127.0.0.1", **given)
        assert level.status is Status.OK, level.summary
        old = _ask(spec, "127.0.0.1", PASSWORD, None, 3.0)
        newer = spec.model_copy(update={"port": directory.port})
        new = _ask(newer, "127.0.0.1", PASSWORD, None, 3.0, search=False).changes
        result = judge(spec, "copy:389", old, new)
    assert result.status is Status.CRITICAL
    assert "behind its provider 127.0.0.1: replication stands" in result.summary


def test_a_provider_that_does_not_answer_is_not_the_copys_fault(directory: Slapd) -> None:
    result = look(directory, base=SUFFIX, provider="127.0.0.9", in_clear=True, **ME)
    assert result.status is Status.UNKNOWN, result.summary
    assert "its provider 127.0.0.9 cannot be asked" in result.summary


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"user": "cn=x", "password": "y"}, "user and password without TLS"),
        ({"user": "cn=x", "starttls": True}, "user without a password"),
        ({"provider": "x"}, "provider needs base"),
    ],
)
def test_what_is_unsafe_is_refused_at_loading(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LdapSpec.model_validate(given)


def test_the_tls_probe_reads_the_certificate_behind_starttls(
    directory: Slapd, chain: Chain
) -> None:
    given = {"port": directory.port, "starttls": "ldap", "ca": str(chain.root)}
    result = ask("tls", **given)
    assert result.status is Status.OK, result.summary
    untrusted = ask("tls", **{**given, "ca": ""})
    assert untrusted.status is Status.CRITICAL
