from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.spec import format_duration, parse_duration, parse_size

TEN_YEARS = 10 * 366 * 86_400_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(minutes=90)),
        ("500ms", timedelta(milliseconds=500)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(days=7)),
        ("1.5h", timedelta(minutes=90)),
        ("0s", timedelta(0)),
        ("1m1ms", timedelta(minutes=1, milliseconds=1)),
    ],
)
def test_a_duration_is_read(text: str, value: timedelta) -> None:
    assert parse_duration(text) == value
    assert parse_duration(value) == value


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("5 minutes", "write 30s, 5m or 1h"),
        ("", "write 30s, 5m or 1h"),
        ("30", "write 30s"),
        (30, "write 30s"),
        ("-5m", "write 30s, 5m or 1h"),
        ("5m ", "write 30s, 5m or 1h"),
        ("5M", "write 30s, 5m or 1h"),
        ("m5", "write 30s, 5m or 1h"),
        (".5s", "write 30s, 5m or 1h"),
        (None, "write 30s, 5m or 1h"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_cure(value: object, hint: str) -> None:
    with pytest.raises(ValueError, match="duration") as caught:
        parse_duration(value)
    assert str(caught.value) == f"{value!r} is not a duration ({hint})"


def test_a_duration_longer_than_time_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than any calendar"):
        parse_duration("9" * 400 + "w")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (90, "1m30s"), (3600, "1h"), (86_400, "1d"), (0.5, "500ms"), (604_800, "7d")],
)
def test_a_duration_is_written_short(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.integers(0, TEN_YEARS))
def test_what_is_written_is_read_back(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(value)) == value


@given(st.one_of(st.text(), st.text(alphabet="0123456789.msdhw", max_size=12)))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        value = parse_duration(text)
    except ValueError:
        return
    assert value >= timedelta(0)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (512, 512),
        ("512", 512),
        ("64k", 65_536),
        ("64K", 65_536),
        ("10M", 10_485_760),
        ("2GiB", 2_147_483_648),
        ("1.5G", 1_610_612_736),
        ("1T", 1_099_511_627_776),
        ("100B", 100),
        ("1 MB", 1_048_576),
    ],
)
def test_a_size_is_read_in_powers_of_1024(value: object, size: int) -> None:
    assert parse_size(value) == size


@given(st.one_of(st.text(), st.text(alphabet="0123456789.kKMGTiB ", max_size=12)))
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    try:
        size = parse_size(text)
    except ValueError:
        return
    assert size >= 0
