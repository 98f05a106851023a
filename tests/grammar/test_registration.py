import subprocess
import sys

import pytest

DRAW = """
flow = lv.GradientFlow({"step": [0, 1], "lag": [0, 0], "gradient": [1.0, 2.0]}).opts(transform="log", line_width=2)
plot = hv.renderer("bokeh").get_plot(flow)
assert type(plot).__name__ == "GradientFlowPlot", plot
assert plot.transform == "log" and plot.state.height == 260
hv.opts.GradientFlow(bar_width=0.5)
"""


def run(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    "start",
    [
        "import learnviews as lv, holoviews as hv; lv.extension('bokeh')",
        "import learnviews as lv, holoviews as hv; hv.extension('bokeh')",
        "import holoviews as hv; hv.extension('bokeh'); import learnviews as lv",
        "import holoviews as hv; hv.extension('bokeh'); import learnviews as lv; lv.extension('bokeh')",
    ],
)
def test_order_of_imports(start):
    run(start + DRAW)


def test_loading_twice_keeps_the_users_defaults():
    run(
        "import learnviews as lv, holoviews as hv; lv.extension('bokeh'); "
        "hv.opts.defaults(hv.opts.GradientFlow(height=333)); hv.extension('bokeh')" + DRAW.replace("== 260", "== 333")
    )


def test_import_is_light():
    heavy = ["datashader", "sklearn", "smac", "numba", "holoviews.plotting", "bokeh", "panel"]
    loaded = run(f"import learnviews, sys; print([name for name in {heavy} if name in sys.modules])")
    assert loaded.strip() == "[]"


def test_unknown_names():
    import learnviews as lv

    assert lv.LossLink.__name__ == "LossLink"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = lv.Nothing
