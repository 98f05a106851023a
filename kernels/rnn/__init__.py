"""Recurrent nets, BPTT, itemized gradients, training and recordings."""

from .flow import Flow, itemize
from .net import RecurrentNet, from_state_dict
from .unroll import bptt

__all__ = ["Flow", "RecurrentNet", "bptt", "from_state_dict", "itemize"]
