"""Dates as Moment.js writes them, in English: `date.format("dddd, D MMMM")` and `date.relative()`."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

__all__ = ["ago", "formatted"]

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_TOKEN = re.compile(
    r"\[[^\[\]]*\]|LTS|LT|LL?L?L?|ll?l?l?|YYYYYY|YYYY|YY|Y|GGGG|GG|gggg|gg|MMMM|MMM|Mo|MM|M|Qo|Q|DDDo|DDDD|DDD|Do|DD|D"
    r"|dddd|ddd|dd|do|d|E|e|Wo|WW|W|wo|ww|w|HH|H|hh|h|kk|k|A|a|mm|m|ss|s|S{1,9}|ZZ|Z|X|x|."
)
_LONG = {
    "LTS": "h:mm:ss A",
    "LT": "h:mm A",
    "L": "MM/DD/YYYY",
    "LL": "MMMM D, YYYY",
    "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "l": "M/D/YYYY",
    "ll": "MMM D, YYYY",
    "lll": "MMM D, YYYY h:mm A",
    "llll": "ddd, MMM D, YYYY h:mm A",
}
_EPOCH = datetime.datetime(1970, 1, 1)


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _weekday(at: datetime.datetime) -> int:
    """Count from Sunday, 0."""
    return (at.weekday() + 1) % 7


def _local_week(at: datetime.datetime) -> tuple[int, int]:
    """Find the year and the week as English Moment counts them: from Sunday, the week of 1 January is the first."""
    start = at.date() - datetime.timedelta(days=_weekday(at)) if at.date().toordinal() > 7 else at.date()
    end = start.toordinal() + 6
    year = datetime.date.fromordinal(min(end, datetime.date.max.toordinal())).year
    first = datetime.date(year, 1, 1)
    sunday = first.toordinal() - first.isoweekday() % 7
    return year, (start.toordinal() - sunday) // 7 + 1


_PARTS: dict[str, Callable[[datetime.datetime], str]] = {
    "YYYYYY": lambda at: f"+{at.year:06}",
    "YYYY": lambda at: f"{at.year:04}",
    "YY": lambda at: f"{at.year % 100:02}",
    "Y": lambda at: str(at.year),
    "GGGG": lambda at: f"{at.isocalendar().year:04}",
    "GG": lambda at: f"{at.isocalendar().year % 100:02}",
    "gggg": lambda at: f"{_local_week(at)[0]:04}",
    "gg": lambda at: f"{_local_week(at)[0] % 100:02}",
    "MMMM": lambda at: _MONTHS[at.month - 1],
    "MMM": lambda at: _MONTHS[at.month - 1][:3],
    "Mo": lambda at: _ordinal(at.month),
    "MM": lambda at: f"{at.month:02}",
    "M": lambda at: str(at.month),
    "Qo": lambda at: _ordinal((at.month + 2) // 3),
    "Q": lambda at: str((at.month + 2) // 3),
    "DDDo": lambda at: _ordinal(at.timetuple().tm_yday),
    "DDDD": lambda at: f"{at.timetuple().tm_yday:03}",
    "DDD": lambda at: str(at.timetuple().tm_yday),
    "Do": lambda at: _ordinal(at.day),
    "DD": lambda at: f"{at.day:02}",
    "D": lambda at: str(at.day),
    "dddd": lambda at: _DAYS[_weekday(at)],
    "ddd": lambda at: _DAYS[_weekday(at)][:3],
    "dd": lambda at: _DAYS[_weekday(at)][:2],
    "do": lambda at: _ordinal(_weekday(at)),
    "d": lambda at: str(_weekday(at)),
    "e": lambda at: str(_weekday(at)),
    "E": lambda at: str(at.isoweekday()),
    "Wo": lambda at: _ordinal(at.isocalendar().week),
    "WW": lambda at: f"{at.isocalendar().week:02}",
    "W": lambda at: str(at.isocalendar().week),
    "wo": lambda at: _ordinal(_local_week(at)[1]),
    "ww": lambda at: f"{_local_week(at)[1]:02}",
    "w": lambda at: str(_local_week(at)[1]),
    "HH": lambda at: f"{at.hour:02}",
    "H": lambda at: str(at.hour),
    "hh": lambda at: f"{at.hour % 12 or 12:02}",
    "h": lambda at: str(at.hour % 12 or 12),
    "kk": lambda at: f"{at.hour or 24:02}",
    "k": lambda at: str(at.hour or 24),
    "A": lambda at: "AM" if at.hour < 12 else "PM",
    "a": lambda at: "am" if at.hour < 12 else "pm",
    "mm": lambda at: f"{at.minute:02}",
    "m": lambda at: str(at.minute),
    "ss": lambda at: f"{at.second:02}",
    "s": lambda at: str(at.second),
    "Z": lambda at: "+00:00",
    "ZZ": lambda at: "+0000",
    "X": lambda at: str((at - _EPOCH) // datetime.timedelta(seconds=1)),
    "x": lambda at: str((at - _EPOCH) // datetime.timedelta(milliseconds=1)),
}


def formatted(at: datetime.datetime, pattern: str) -> str:
    """Write a date by a pattern of Moment's."""
    return _TOKEN.sub(lambda found: _written(at, found[0]), pattern)


def _written(at: datetime.datetime, token: str) -> str:
    if token[0] == "[" and len(token) > 1:
        return token[1:-1]
    if token in _LONG:
        return formatted(at, _LONG[token])
    if set(token) == {"S"}:
        return f"{at.microsecond:06}".ljust(9, "0")[: len(token)]
    part = _PARTS.get(token)
    return part(at) if part else token


# Up to how many seconds, what is said, and what one of it is.
_AGO = [
    (45, "a few seconds", 0),
    (90, "a minute", 0),
    (45 * 60, "{} minutes", 60),
    (90 * 60, "an hour", 0),
    (22 * 3600, "{} hours", 3600),
    (36 * 3600, "a day", 0),
    (26 * 86400, "{} days", 86400),
    (45 * 86400, "a month", 0),
    (320 * 86400, "{} months", 86400 * 30.4368),
    (548 * 86400, "a year", 0),
]


def ago(seconds: float) -> str:
    """Say how far a moment is from now: `3 days ago`, `in 2 months`."""
    distance = abs(seconds)
    said, unit = next(((said, unit) for limit, said, unit in _AGO if distance < limit), ("{} years", 86400 * 365.25))
    told = said.format(int(distance / unit + 0.5)) if unit else said
    return f"in {told}" if seconds > 0 else f"{told} ago"
