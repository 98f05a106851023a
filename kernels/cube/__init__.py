"""Cubes of counts: exact, learned, invertible."""

from .attributes import Attribute
from .categories import Categorical
from .errors import Error
from .exact import ExactCube
from .fit import fit
from .flights import flights
from .integer import Integer
from .model import Model
from .modelfile import load
from .numeric import Numeric
from .queries import random_masks, random_queries
from .query import Query
from .schema import Schema
from .spatial import Spatial
from .temporal import Temporal

__all__ = [
    "Attribute",
    "Categorical",
    "Error",
    "ExactCube",
    "Integer",
    "Model",
    "Numeric",
    "Query",
    "Schema",
    "Spatial",
    "Temporal",
    "fit",
    "flights",
    "load",
    "random_masks",
    "random_queries",
]
