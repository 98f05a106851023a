"""Recurrent nets, BPTT, itemized gradients, training and recordings."""

from ..arrays import keep_freed_memory, tf32
from ..optimizers import DivergedError
from ..progress import Progress
from ..store import FileFormatError, StoreError
from .connectivity import connectivity
from .corpus import Corpus
from .flow import Flow, itemize, mean_lag, parameters_of
from .flow_folder import open_flow
from .items import LagMatrices
from .many import itemize_corpus, summarize_corpus
from .net import RecurrentNet
from .recorded import RecordedBatch
from .recording import Recording
from .replay import Replay
from .sample import sample
from .summary import FlowSummary
from .torch_recorder import TorchRecorder
from .trainer import Trainer
from .unroll import bptt
from .weights import from_state_dict

__all__ = [
    "Corpus",
    "DivergedError",
    "FileFormatError",
    "Flow",
    "FlowSummary",
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
    "itemize_corpus",
    "mean_lag",
    "open_flow",
    "parameters_of",
    "sample",
    "summarize_corpus",
    "tf32",
]

keep_freed_memory()
