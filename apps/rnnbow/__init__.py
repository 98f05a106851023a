"""The RNNbow app: `bokeh serve apps/rnnbow --args RECORDING ...`."""
