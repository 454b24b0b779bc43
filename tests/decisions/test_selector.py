import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.selector import Selector, matches, parse
from monitord.model.catalog import Host
from monitord.model.ticket import BadSelectorError

WEB02 = Host("web02", "10.1.1.12", groups=("linux", "web"), site="ulm", customer="acme")


@pytest.mark.parametrize(
    ("text", "host_alone", "with_check"),
    [
        ("*", True, True),
        ("web02", True, True),
        ("web01", False, False),
        ("web0*", True, True),
        ("*02", True, True),
        ("w?b02", True, True),
        ("web?", False, False),
        ("WEB02", False, False),
        ("host=web*", True, True),
        ("group=web", True, True),
        ("group=we*", True, True),
        ("group=postgres", False, False),
        ("site=ulm", True, True),
        ("customer=acme", True, True),
        ("customer=*", True, True),
        ("group=web & site=ulm & web0*", True, True),
        ("group=web&site=ulm&web0*", True, True),
        ("group=web & site=bonn", False, False),
        ("* & group=web", True, True),
        ("* & group=db", False, False),
        ("web02/site", False, True),
        ("web02/*", False, True),
        ("*/si*", False, True),
        ("web02/disk", False, False),
        ("check=site", False, True),
        ("check=*", False, True),
        ("service=shop", False, True),
        ("service=s*", False, True),
        ("service=blog", False, False),
        ("group=db, web02", True, True),
        ("group=db | web02", True, True),
        ("group=web & site=bonn | web02/site", False, True),
        ("web[1-12]", False, False),  # 02 is not 2
        ("web[01-12]", True, True),
        ("web[03-12]", False, False),
        ("web[0-9][0-9]", True, True),
    ],
)
def test_a_selector_names_hosts_and_checks(text: str, host_alone: bool, with_check: bool) -> None:
    selector = parse(text)
    assert matches(selector, host=WEB02) is host_alone
    assert matches(selector, host=WEB02, check="site", services=("shop", "search")) is with_check


def test_a_range_means_what_it_means_in_host_names() -> None:
    named = [n for n in range(1, 14) if matches(parse("web[1-12]"), host=Host(f"web{n}", "::1"))]
    assert named == list(range(1, 13))


@pytest.mark.parametrize("text", ["runbook=restart-nginx", "runbook=restart-*", "*"])
def test_a_selector_can_name_a_runbook(text: str) -> None:
    assert matches(parse(text), host=WEB02, runbook="restart-nginx")


def test_a_runbook_and_a_place_can_be_named_together() -> None:
    text = "runbook=restart-nginx & group=web"
    assert matches(parse(text), host=WEB02, runbook="restart-nginx")
    assert not matches(parse(text), host=Host("db1", "::1"), runbook="restart-nginx")


@pytest.mark.parametrize("text", ["runbook=*", "check=*", "service=*", "site=*", "group=*"])
def test_a_term_about_what_is_not_there_does_not_match(text: str) -> None:
    assert not matches(parse(text), host=Host("db1", "::1"))


@pytest.mark.parametrize(
    ("text", "everything"),
    [("*", True), ("web1, *", True), ("* & *", True), ("host=*", False), ("web1", False)],
)
def test_a_selector_knows_that_it_means_everything(text: str, everything: bool) -> None:
    assert parse(text).everything is everything


EXAMPLE = 'write "group=web & site=ulm & web0*", "web1/disk-space", or "*" for everything'


RANGES = "[1-999]" * 20


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("web1 &", "has an empty part beside a `&`, `,` or `|`"),
        (",web1", "has an empty part beside a `&`, `,` or `|`"),
        ("grup=web", "has the unknown field 'grup' (did you mean group=?)"),
        ("group=", "has '' where one name or pattern belongs"),
        ("group=a=b", "has 'a=b' where one name or pattern belongs"),
        ("web1 web2", "has 'web1 web2' where one name or pattern belongs"),
        ("web1/", "has '' where one name or pattern belongs"),
        ("w/d//v", "names an item in 'w/d//v'; the smallest thing to name is host/check"),
        ("web[ab]", "has a `[` that begins no range (write web[1-12] or db[01-04])"),
        ("web[1-2", "has a `[` that begins no range (write web[1-12] or db[01-04])"),
        ("web[9-1]", "has the range [9-1], which is empty or wider than 1000"),
        ("web[1-9999]", "has the range [1-9999], which is empty or wider than 1000"),
        ("web\n1", "is longer than 2000 characters, or has characters that do not print"),
        (RANGES, f"has a pattern that means too many names: {RANGES[:60]!r}"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_cure(text: str, why: str) -> None:
    with pytest.raises(BadSelectorError) as caught:
        parse(text)
    assert str(caught.value) == f"selector {text!r} {why}: {EXAMPLE}"


def test_an_unknown_field_that_is_near_none_lists_them_all() -> None:
    known = "host, group, tag, site, customer, check, service, runbook"
    with pytest.raises(BadSelectorError, match=re.escape(f"field 'zzz' (known: {known})")):
        parse("zzz=web")


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_selector_is_refused_and_never_everything(text: str) -> None:
    with pytest.raises(BadSelectorError) as caught:
        parse(text)
    assert str(caught.value) == f"an empty selector selects nothing: {EXAMPLE}"


def read(text: str) -> Selector | None:
    try:
        return parse(text)
    except BadSelectorError:
        return None


pieces = st.sampled_from(
    ["web", "*", "?", "[1-9]", "[", "]", "-", "&", ",", "|", "=", "/", " ", "group", "é", "0", "("]
)


@given(st.one_of(st.text(), st.lists(pieces, max_size=30).map("".join)))
def test_any_text_is_a_selector_or_a_bad_selector(text: str) -> None:
    selector = read(text)
    if selector is not None:
        assert selector.alternatives
        assert matches(selector, host=WEB02, check="site") in (True, False)


@given(st.text(alphabet="abcxyz019.-_", min_size=1, max_size=40))
def test_a_plain_name_selects_itself_and_nothing_else(name: str) -> None:
    assert matches(parse(name), host=Host(name, "::1"))
    assert not matches(parse(name), host=Host(name + "x", "::1"))


@given(st.text())
def test_only_an_asterisk_alone_selects_everything(text: str) -> None:
    selector = read(text)
    if selector is not None and selector.everything:
        parts = text.replace("|", ",").split(",")
        assert any(set(part.replace("&", "").split()) == {"*"} for part in parts)
