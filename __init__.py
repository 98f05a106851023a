"""LearnViews: views of learning for HoloViews, with the kernels that compute them.

import learnviews as lv
lv.extension("bokeh")
"""

__version__ = "0.1.0"
