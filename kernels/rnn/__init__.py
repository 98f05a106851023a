"""Recurrent nets, BPTT, itemized gradients, training and recordings."""

from ..arrays import keep_freed_memory, tf32
from ..optimizers import DivergedError
from ..progress import Progress
from ..store import FileFormatError, StoreError
from .connectivity import connectivity
from .corpus import Corpus
from .flow import Flow, itemize, mean_lag, parameters_of
from .items import LagMatrices
from .net import RecurrentNet
from .recorded import RecordedBatch
from .recording import Recording
from .replay import Replay
from .sample import sample
from .torch_recorder import TorchRecorder
from .trainer import Trainer
from .unroll import bptt
from .weights import from_state_dict

__all__ = [
    "Corpus",
    "DivergedError",
    "FileFormatError",
    "Flow",
    "LagMatrices",
    "Progress",
    "RecordedBatch",
    "Recording",
    "RecurrentNet",
    "Replay",
    "StoreError",
    "TorchRecorder",
    "Trainer",
    "bptt",
    "connectivity",
    "from_state_dict",
    "itemize",
    "mean_lag",
    "parameters_of",
    "sample",
    "tf32",
]

keep_freed_memory()
