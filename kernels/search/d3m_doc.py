"""A D3M data set's document, datasetDoc.json of schema 3.x and 4.x, as resources and columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import table_files
from .columns import Column
from .data import Resource

DOC = "datasetDoc.json"
VERSIONS = ("3", "4")
KINDS = {"edgeList": "graph", "speech": "audio", "raw": "other"}  # D3M's types of resources that we call otherwise
TYPES = ("boolean", "integer", "real", "categorical", "dateTime")
TELLING = (
    "multiIndex",
    "index",
    "suggestedTarget",
    "timeIndicator",
    "suggestedGroupingKey",
    "key",
)  # roles, the first one counts


def read_doc(file: Path) -> dict[str, Any]:
    """A datasetDoc.json.

    Raises
    ------
    FileNotFoundError, ValueError
        If it is not there, no JSON, or of a version that is not known.
    """
    text, _ = table_files.read_text(file)
    try:
        doc = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: no JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    if not isinstance(doc, dict) or not isinstance(doc.get("about"), dict) or not doc.get("dataResources"):
        raise ValueError(f"{file}: no datasetDoc; expected an object with about and dataResources")
    version = str(doc["about"].get("datasetSchemaVersion", doc["about"].get("schemaVersion", "")))
    if version.split(".")[0] not in VERSIONS:
        raise ValueError(f'{file}: D3M schema version "{version}" is unknown; expected 3.x or 4.x')
    return doc


def read_resources(folder: Path) -> list[tuple[Resource, dict[str, Any]]]:
    """A data set's resources, each with how the document describes it."""
    file = folder / DOC
    found = []
    for described in read_doc(file)["dataResources"]:
        if not isinstance(described, dict):
            raise ValueError(f"{file}: a resource that is no object: {str(described)[:40]}")
        absent = [key for key in ("resID", "resPath", "resType") if key not in described]
        if absent:
            raise ValueError(f"{file}: a resource without {', '.join(absent)}")
        kind = str(described["resType"])
        columns = tuple(_column(entry, file) for entry in described.get("columns") or ())
        path = folder / str(described["resPath"])
        formats = tuple(map(str, _several(described.get("resFormat"))))
        found.append((Resource(str(described["resID"]), KINDS.get(kind, kind), path, formats, columns), described))
    return found


def _column(described: dict[str, Any], file: Path) -> Column:
    """A column as the document describes it; an unknown type is "", to be found out."""
    if not isinstance(described, dict) or "colName" not in described:
        raise ValueError(f"{file}: a column without colName")
    roles = tuple(map(str, _several(described.get("role")))) or ("attribute",)
    refers, item = _refers(described.get("refersTo"))
    kind = str(described.get("colType"))
    kind = kind if kind in TYPES else ""
    return Column(str(described["colName"]).strip(), kind, _telling(roles), refers, "", roles, item)


def _several(described: Any) -> list[Any]:
    """A list as it is, an object's keys (D3M 4.x describes formats so), and anything else as a list of one."""
    if isinstance(described, (list, tuple, dict)):
        return list(described)
    return [] if described is None else [described]


def _telling(roles: tuple[str, ...]) -> str:
    """The role that says most."""
    first = next((role for role in TELLING if role in roles), None)
    return first or next((role for role in roles if role != "attribute"), "attribute")


def _refers(described: Any) -> tuple[str | None, str | None]:
    if not isinstance(described, dict) or "resID" not in described:
        return None, None
    to = described.get("resObject", "item")
    if isinstance(to, dict):
        keys = ("columnName", "columnIndex", "nodeAttribute", "edgeAttribute")
        return str(described["resID"]), str(next((to[key] for key in keys if key in to), "item"))
    return str(described["resID"]), str(to)
