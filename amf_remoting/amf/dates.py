"""Date values: milliseconds since 1970 in UTC (AMF 0 §2.13, AMF 3 §3.10)."""

from datetime import UTC, datetime, timedelta

from amf_remoting.amf.values import Date

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def from_milliseconds(milliseconds: float) -> datetime | Date:
    """An aware datetime in UTC, or a Date where Python has no such moment (NaN, year 10,000)."""
    try:
        return _EPOCH + round(milliseconds) * _MILLISECOND
    except (OverflowError, ValueError):
        return Date(milliseconds)


def to_milliseconds(moment: datetime) -> float:
    """Whole milliseconds; a naive datetime is read as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return float(round((moment - _EPOCH) / _MILLISECOND))
