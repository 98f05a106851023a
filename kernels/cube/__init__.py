"""Cubes of counts, sums and means: exact ones, learned ones that answer every brush, and the way back from answers."""

from ..arrays import keep_freed_memory
from ..optimizers import DivergedError
from ..progress import Progress
from ..store import FileFormatError, StoreError
from .attributes import Attribute
from .categories import Categorical
from .errors import Error
from .exact import ExactCube
from .fit import fit
from .flights import flights
from .integer import Integer
from .invert import Suggestion
from .model import Model
from .modelfile import load
from .numeric import Numeric
from .project import differences
from .queries import random_masks, random_queries
from .query import Query
from .schema import Schema
from .spatial import Spatial
from .suggest import Surprise
from .temporal import Temporal

__all__ = [
    "Attribute",
    "Categorical",
    "DivergedError",
    "Error",
    "ExactCube",
    "FileFormatError",
    "Integer",
    "Model",
    "Numeric",
    "Progress",
    "Query",
    "Schema",
    "Spatial",
    "StoreError",
    "Suggestion",
    "Surprise",
    "Temporal",
    "differences",
    "fit",
    "flights",
    "load",
    "random_masks",
    "random_queries",
]

keep_freed_memory()
