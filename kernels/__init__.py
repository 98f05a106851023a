"""Arrays in, arrays out: the compute kernels of LearnViews. Nothing here knows of HoloViews or Bokeh."""
