"""A query as code to copy: SQL (as DuckDB and most others read it) and pandas."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from learnviews.apps.nncubes.conditions import Alternatives, Missing, Span, Test, Values, conditions
from learnviews.kernels.cube import Query, Schema

SQL_PARTS = {"weekday": "ISODOW"}  # Monday is 1 there
PANDAS_PARTS = {"weekday": "day_of_week"}
SQL_AGGREGATES = {"sum": "SUM", "mean": "AVG", "var": "VAR_POP"}
PANDAS_AGGREGATES = {"sum": "sum()", "mean": "mean()", "var": "var(ddof=0)"}
RESERVED = re.compile(
    "all|and|any|array|as|asc|both|by|case|cast|check|column|constraint|create|cross|default|desc|distinct|do|else|end|"
    "except|false|fetch|for|foreign|from|full|grant|group|having|in|initially|inner|intersect|into|is|join|lateral|"
    "leading|left|like|limit|natural|not|null|offset|on|only|or|order|outer|placing|primary|qualify|references|"
    "returning|right|select|some|summarize|table|then|to|trailing|true|union|unique|user|using|when|where|window|with"
)
WIDE = 100  # characters of a line


def sql(schema: Schema, query: Query, aggregate: Any = "count", table: str = "rows") -> str:
    """A SELECT of the aggregate under all filters."""
    wanted = "COUNT(*)" if aggregate == "count" else f"{SQL_AGGREGATES[aggregate[0]]}({_name(aggregate[1])})"
    tests = [_joined(conditions(schema[name], held), _sql, " AND ", " OR ") for name, held in query.filters.items()]
    where = "\nWHERE " + "\n  AND ".join(tests) if tests else ""
    return f"SELECT {wanted}\nFROM {_name(table)}{where};"


def pandas(schema: Schema, query: Query, aggregate: Any = "count", table: str = "rows", origin: str = "") -> str:
    """An expression for the aggregate under all filters; `origin` says where the table comes from."""
    names = list(query.filters.items())
    tests = [_joined(conditions(schema[name], held), _python(table), " & ", " | ") for name, held in names]
    joined = " &\n    ".join(tests)
    found = f"{table}[\n    {joined}\n]" if tests else table
    shown = f"len({found})" if aggregate == "count" else f"{found}[{aggregate[1]!r}].{PANDAS_AGGREGATES[aggregate[0]]}"
    return f"{origin}\n{shown}" if origin else shown


def _joined(alternatives: Alternatives, write: Callable[[Test], str], both: str, either: str) -> str:
    """All alternatives of one filter, in brackets where there are several."""
    if not alternatives:
        return "1 = 0" if both == " AND " else "False"
    parts = [both.join(write(test) for test in tests) for tests in alternatives]
    if len(parts) == 1:
        return parts[0]
    inner = either.join(f"({part})" for part in parts)
    return "(" + (inner if len(inner) <= WIDE else inner.replace(f"){either}(", f")\n     {either.strip()} (")) + ")"


# -- SQL


def _sql(test: Test) -> str:
    if isinstance(test, Missing):
        return f"{_name(test.column)} IS NULL"
    if isinstance(test, Values):
        if not test.values:
            return f"{_name(test.column)} IS NOT NULL"
        listed = ", ".join(map(_literal, test.values))
        return f"{_name(test.column)} {'NOT ' * test.negated}IN ({listed})"
    column = _name(test.column)
    shift = int(test.part in SQL_PARTS)
    if test.part:
        column = f"EXTRACT({SQL_PARTS.get(test.part, test.part.upper())} FROM {column})"
    low, high = (end if end is None else end + shift if shift else end for end in (test.low, test.high))
    if low is not None and low == high:
        return f"{column} = {_literal(low)}"
    if low is not None and high is not None and test.closed:
        return f"{column} BETWEEN {_literal(low)} AND {_literal(high)}"
    ends = [f"{column} >= {_literal(low)}"] if low is not None else []
    ends += [f"{column} {'<=' if test.closed else '<'} {_literal(high)}"] if high is not None else []
    return " AND ".join(ends) or f"{column} IS NOT NULL"


def _name(text: str) -> str:
    """A name as it is where it is a plain one, else in quotes."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", text) and not RESERVED.fullmatch(text)
    return text if plain else '"' + text.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return _number(value)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


# -- pandas


def _python(table: str) -> Callable[[Test], str]:
    def write(test: Test) -> str:
        column = f"{table}[{test.column!r}]"
        if isinstance(test, Missing):
            return f"{column}.isna()"
        if isinstance(test, Values):
            listed = f"{column}.isin({list(test.values)!r})"
            return f"({column}.notna() & ~{listed})" if test.negated else listed
        return _python_span(column, test)

    return write


def _python_span(column: str, test: Span) -> str:
    if test.part:
        column += f".dt.{PANDAS_PARTS.get(test.part, test.part)}"
    low, high = (repr(end) if isinstance(end, str) else end if end is None else _number(end) for end in _ends(test))
    if low is not None and low == high:
        return f"({column} == {low})"
    ends = [f"({column} >= {low})"] if low is not None else []
    ends += [f"({column} {'<=' if test.closed else '<'} {high})"] if high is not None else []
    return " & ".join(ends) or f"{column}.notna()"


def _ends(test: Span) -> tuple[Any, Any]:
    return test.low, test.high
