"""What espeak-ng reads wrongly in Mandarin, and what is to be said instead."""

from __future__ import annotations

import re

from services.tts.reading import Rule

_DIGITS = "零一二三四五六七八九"
_GROUPS = ("", "万", "亿", "万亿")
_CURRENCIES = {"$": "美元", "＄": "美元", "¥": "元", "￥": "元", "€": "欧元", "£": "英镑"}
_UNITS = {
    "km/h": "公里每小时",
    "km²": "平方公里",
    "m²": "平方米",
    "㎡": "平方米",
    "km": "公里",
    "㎞": "公里",
    "㎝": "厘米",
    "㎜": "毫米",
    "㎏": "公斤",
    "cm": "厘米",
    "mm": "毫米",
    "kg": "公斤",
    "mg": "毫克",
    "ml": "毫升",
    "kWh": "千瓦时",
    "kW": "千瓦",
    "MHz": "兆赫",
    "Hz": "赫兹",
    "min": "分钟",
    "ms": "毫秒",
    "h": "小时",
    "°C": "摄氏度",
    "℃": "摄氏度",
    "°F": "华氏度",
    "m": "米",
    "g": "克",
}
_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
# Before these, two is liang.
_COUNTED = "个天年周次位本只条张块岁斤件家台部种倍层小秒公米元美名杯瓶双套门句段页千万亿"


def _digit_by_digit(match: re.Match[str]) -> str:
    return "".join(_DIGITS[int(digit)] for digit in match[0] if digit.isdecimal())


def _decimal(match: re.Match[str]) -> str:
    return f"{match[1]}点{''.join(_DIGITS[int(digit)] for digit in match[2])}"


def _date(match: re.Match[str]) -> str | None:
    month, day = int(match[3]), int(match[4])
    return f"{match[1]}年{month}月{day}日" if 1 <= month <= 12 and 1 <= day <= 31 else None


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    said = "两" if hour == 2 else hour
    if minute == 0:
        return f"{said}点"
    return f"{said}点{'零' if minute < 10 else ''}{minute}分"


def _measure(match: re.Match[str]) -> str:
    return match[1] + _UNITS[match[2]]


def _number(match: re.Match[str]) -> str | None:
    """A number in groups of four digits, as it is said."""
    digits = match[0].replace(",", "")
    if digits.startswith("0"):
        return _digit_by_digit(match)
    if len(digits) > 4 * len(_GROUPS):
        return None
    said, gap = "", False
    for place in reversed(range((len(digits) + 3) // 4)):
        end = len(digits) - 4 * place
        group = int(digits[max(0, end - 4) : end])
        if group:
            said += ("零" if said and (gap or group < 1_000) else "") + _below_ten_thousand(group, bool(said))
            said += _GROUPS[place]
        gap = not group
    return said


def _below_ten_thousand(number: int, inside: bool) -> str:
    said, gap = "", False
    for power, name in ((1_000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // power % 10
        if digit:
            said += ("零" if said and gap else "") + _DIGITS[digit] + name
        gap = not digit
    return said if inside or not said.startswith("一十") else said[1:]


MANDARIN: tuple[Rule, ...] = (
    # espeak-ng passes over the dots of an address.
    (re.compile(r"(?<=[A-Za-z0-9])\.(?=[A-Za-z])"), "点"),
    (re.compile(r"(?<![A-Za-z])[Nn][Oo]\.\s?(?=\d)"), "第"),
    (re.compile(r"(?<!\d)(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?!\d)"), _date),
    (re.compile(r"(?<!\d)(\d{1,2})[:：](\d\d)(?!\d)"), _clock),
    (re.compile(r"(?<!\d)(\d{1,3})[:：](\d{1,3})(?!\d)"), r"\1比\2"),
    (
        re.compile(rf"([{''.join(_CURRENCIES)}])({_NUMBER})\s?[-–~～—]\s?({_NUMBER})"),
        lambda m: f"{m[2]}到{m[3]}{_CURRENCIES[m[1]]}",
    ),
    (re.compile(rf"([{''.join(_CURRENCIES)}])({_NUMBER}[万亿]?)"), lambda m: m[2] + _CURRENCIES[m[1]]),
    (re.compile(rf"({_NUMBER})[%％]"), r"百分之\1"),
    (re.compile(r"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])"), r"\2分之\1"),
    (re.compile(rf"({_NUMBER})\s?({'|'.join(_UNITS)})(?![A-Za-z])"), _measure),
    (re.compile(r"(?<=[里米克元])/(?=[小分秒公])"), "每"),
    (re.compile(r"(?<!\d)0\d{2,3}[-–]\d{7,8}(?!\d)"), _digit_by_digit),
    (re.compile(r"(?<=\d)\s?\+\s?(?=\d)"), "加"),
    (re.compile(r"(?<=\d)\s?×\s?(?=\d)"), "乘"),
    (re.compile(r"(?<=\d)\s?[-–~～—]\s?(?=\d{1,4}(?!\d|[-–]))(?<![-–]\d{4}-)"), "到"),
    (re.compile(r"(?<![A-Za-z0-9.])[-−](?=\d)"), "负"),
    (re.compile(r"(?<=[\d\s])=(?=[\d\s])"), "等于"),
    (re.compile(rf"(?<![\d.,第])2(?=[{_COUNTED}]|分钟)"), "两"),
    (re.compile(r"(?<!\d)[12]\d{3}(?=年)"), _digit_by_digit),
    # Telephone numbers.
    (re.compile(r"(?<![\d.,])(?:1\d{10}|0\d{9,11}|\d{7,8}(?=转))(?![\d.,])"), _digit_by_digit),
    (re.compile(r"(?<![\d.])(\d[\d,]*)\.(\d+)(?![\d.])"), _decimal),
    (re.compile(r"(?<![\d.,])(?:\d{1,16}|\d{1,3}(?:,\d{3}){1,4})(?![\d,])"), _number),
)
