"""What Pico or espeak-ng reads wrongly in English, and what is to be said instead.

Both read numbers, ordinals, percentages and titles well, so those are left to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from services.tts.reading import Rule

_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    # Pico says nothing for "yen" after a number.
    "¥": ("Japanese yen", "Japanese yen", "", ""),
}
_UNITS = {
    "KB": ("kilobyte", "kilobytes"),
    "kB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "mm": ("millimeter", "millimeters"),
    "cm": ("centimeter", "centimeters"),
    "m": ("meter", "meters"),
    "km": ("kilometer", "kilometers"),
    "m²": ("square meter", "square meters"),
    "km²": ("square kilometer", "square kilometers"),
    "m³": ("cubic meter", "cubic meters"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "m/s": ("meter per second", "meters per second"),
    "ft": ("foot", "feet"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "kg": ("kilogram", "kilograms"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ml": ("milliliter", "milliliters"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "ms": ("millisecond", "milliseconds"),
    "min": ("minute", "minutes"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
}
_FRACTIONS = {
    "1/2": "one half",
    "1/3": "one third",
    "2/3": "two thirds",
    "1/4": "one quarter",
    "3/4": "three quarters",
    "½": "one half",
    "⅓": "one third",
    "⅔": "two thirds",
    "¼": "one quarter",
    "¾": "three quarters",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DECADES = ("", "tens", "twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties")
_ABBREVIATED = {"Fig.": "figure", "Vol.": "volume", "Ch.": "chapter", "p.": "page", "pp.": "pages"}
_CODES = {"USD": "US dollars", "EUR": "euros", "GBP": "pounds", "JPY": "yen", "CNY": "yuan", "RMB": "yuan"}
_SPELLED_OUT = ("HTML", "HTTPS", "HTTP", "GPT", "CO2", "VIP", "RSVP", "UCLA")


def _money(match: re.Match[str]) -> str:
    whole, part, scale = match["whole"], match["part"], match["scale"]
    one, many, small_one, small_many = _CURRENCIES[match["sign"]]
    if scale:
        return f"{whole}{'.' + part if part else ''} {scale} {many}"
    name = one if whole == "1" else many
    if not part or part == "00":
        return f"{whole} {name}"
    if not small_many or len(part) != 2:
        return f"{whole}.{part} {many}"
    rest = f"{int(part)} {small_one if part == '01' else small_many}"
    return rest if whole == "0" else f"{whole} {name} and {rest}"


def _measure(match: re.Match[str]) -> str:
    one, many = _UNITS[match["unit"]]
    return f"{match['number']} {one if match['number'] == '1' else many}"


def _date(match: re.Match[str]) -> str | None:
    month = int(match["month"])
    return f"{_MONTHS[month - 1]} {int(match['day'])}, {match['year']}" if 1 <= month <= 12 else None


def _slashed_date(match: re.Match[str]) -> str | None:
    """Month first, as the default voice's country writes it, unless that is no month."""
    one, other, year = int(match[1]), int(match[2]), match[3]
    month, day = (one, other) if one <= 12 else (other, one)
    return f"{_MONTHS[month - 1]} {day}, {year}" if 1 <= month <= 12 and 1 <= day <= 31 else None


def _money_range(match: re.Match[str]) -> str:
    return f"{match[2]} to {match[3]} {_CURRENCIES[match[1]][1]}"


def _month(match: re.Match[str]) -> str:
    return next(month for month in _MONTHS if month.startswith(match[1][:3]))


def _decade(match: re.Match[str]) -> str | None:
    ten = int(match[2])
    name = "nineties" if ten == 9 else _DECADES[ten]
    return f"{match[1]} {name}" if name else None


def _clock(match: re.Match[str]) -> str:
    hour, minute, half = match["hour"], match["minute"], match["half"] or ""
    if minute == "00":
        return f"{hour}{half}" if half else f"{hour} o'clock"
    return f"{hour} oh {minute[1]}{half}"


def _one_of(names: Mapping[str, object]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _spelled(match: re.Match[str]) -> str:
    return " ".join(match[0])


def _named(names: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    return lambda match: names[match[0]]


_NUMBER = r"(?<![\d.,])(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)"

ENGLISH: tuple[Rule, ...] = (
    (re.compile(r"\bhttps?://(?:www\.)?"), " "),
    (re.compile(r"(?<=\w)@(?=\w)"), " at "),
    (re.compile(r"\bi\.e\.,?"), "that is,"),
    (re.compile(r"\bvs\."), "versus"),
    (re.compile(r"\bProf\.(?=\s[A-Z])"), "Professor"),
    (re.compile(r"\bapprox\."), "approximately"),
    (re.compile(r"(?:\bNo\.\s|#)(?=\d)"), "number "),
    (re.compile(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?=\s\d)"), _month),
    (re.compile(r"\bMt\.(?=\s[A-Z])"), "Mount"),
    (re.compile(rf"\b(?:{_one_of(_ABBREVIATED)})(?=\s?\d)"), _named(_ABBREVIATED)),
    (re.compile(rf"(?<=\d)\s?({'|'.join(_CODES)})\b"), lambda m: f" {_CODES[m[1]]}"),
    (re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\d/])"), _slashed_date),
    (re.compile(r"([$€£])(\d+)\s?[-–]\s?[$€£]?(\d+)(?![.,]?\d)"), _money_range),
    (re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b"), _date),
    (
        re.compile(
            r"(?P<sign>[$€£¥])(?P<whole>\d+(?:,\d{3})*)(?:\.(?P<part>\d+))?"
            r"(?:\s?(?P<scale>thousand|million|billion|trillion)\b)?"
        ),
        _money,
    ),
    (re.compile(rf"{_NUMBER}\s?(?P<unit>{_one_of(_UNITS)})(?![\w²³/])"), _measure),
    (re.compile(r"(?<=\d)k\b"), " thousand"),
    (re.compile(r"(?<=\d)x\b"), " times"),
    (re.compile(rf"(?<![\d/])(?:{_one_of(_FRACTIONS)})(?![\d/])"), _named(_FRACTIONS)),
    (re.compile(r"\b24/7\b"), "24 7"),
    (re.compile(r"(?<=[A-Za-z])/(?=[A-Za-z])"), " "),
    (re.compile(r"\b(1[1-9]|20)(\d)0s\b"), _decade),
    (re.compile(r"(?<=\b[Ii]n )(1[1-9])00\b(?![,.]?\d)"), r"\1 hundred"),
    (re.compile(r"(?<=\b[Ii]n )(1[1-9])([1-9]\d)\b(?![,.]?\d)"), r"\1 \2"),
    (re.compile(r"\b(?P<hour>\d{1,2}):(?P<minute>0\d)\b(?P<half>\s?[ap]\.?m\b)?"), _clock),
    (re.compile(r"(?<![\d:])(\d{1,3}):(\d)(?![\d:])"), r"\1 to \2"),
    (re.compile(r"(?<=\d{3})\s?[x×]\s?(?=\d{3})"), " by "),
    (re.compile(r"(?<=\d)\^(?=\d)"), " to the power of "),
    (re.compile(r"(?<=\w)\s=\s(?=\w)"), " equals "),
    (re.compile(r"(?<![\d-])(\d{1,3})[-–](\d{1,3})(?![\d-])"), r"\1 to \2"),
    (re.compile(r"(?<=\d)\s[-–−]\s(?=\d)"), " minus "),
    (re.compile(r"\s?×\s?"), " times "),
    (re.compile(r"(?<!\w)~\s?(?=\d)"), "about "),
    (re.compile(r"(?<!\w)>\s?(?=\d)"), "more than "),
    (re.compile(r"(?<!\w)<\s?(?=\d)"), "less than "),
    (re.compile(r"\bv(?=\d)"), "version "),
    (re.compile("₂"), "2"),
    (re.compile(rf"\b(?:{'|'.join(_SPELLED_OUT)})(?![a-z])"), _spelled),
)
