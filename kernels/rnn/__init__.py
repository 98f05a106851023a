"""Recurrent nets, BPTT, itemized gradients, training and recordings."""

from ..arrays import keep_freed_memory
from ..optimizers import DivergedError
from ..progress import Progress
from ..store import FileFormatError, StoreError
from .corpus import Corpus
from .flow import Flow, itemize, mean_lag
from .net import RecurrentNet, from_state_dict
from .recording import RecordedBatch, Recording
from .sample import sample
from .trainer import Trainer
from .unroll import bptt

__all__ = [
    "Corpus",
    "DivergedError",
    "FileFormatError",
    "Flow",
    "Progress",
    "RecordedBatch",
    "Recording",
    "RecurrentNet",
    "StoreError",
    "Trainer",
    "bptt",
    "from_state_dict",
    "itemize",
    "mean_lag",
    "sample",
]

keep_freed_memory()
