"""The rules of the house: who may import whom, what is packaged, what an import costs."""

import ast
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = {"kernels": 0, "grammar": 1, "apps": 2}
SIBLINGS = {"rnn", "cube", "search"}
HEAVY = ["datashader", "sklearn", "smac", "numba", "torch", "cupy", "playwright", "learnviews.kernels.rnn"]


def modules():
    return [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]


def imported(path: Path):
    """Dotted names inside the package that a module imports, relative ones resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - (node.level - 1)]
                name = ".".join([*base, *([node.module] if node.module else [])])
                yield from (f"{name}.{alias.name}".lstrip(".") for alias in node.names)
            elif node.module and node.module.split(".")[0] == "learnviews":
                yield from (f"{node.module}.{alias.name}".removeprefix("learnviews.") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("learnviews.") for a in node.names if a.name.startswith("learnviews."))


def breaches(path: Path, names) -> list[str]:
    parts = path.relative_to(ROOT).parts
    found = []
    for name in names:
        target = name.split(".")
        if target[0] in LAYERS and LAYERS[target[0]] > LAYERS[parts[0]]:
            found.append(name)
        own = SIBLINGS & set(parts[1:2])
        if own and target[0] == "kernels" and target[1:2] and target[1] in SIBLINGS - own:
            found.append(name)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path):
    assert not breaches(path, imported(path))


def test_a_breach_would_be_seen():
    assert breaches(ROOT / "kernels/rnn/net.py", ["apps.cli.main", "kernels.cube.schema"]) == [
        "apps.cli.main",
        "kernels.cube.schema",
    ]
    assert not breaches(ROOT / "apps/cli.py", ["kernels.rnn.bptt", "grammar.serve.Session"])


def test_every_package_is_listed_and_its_files_are_taken_along(monkeypatch):
    captured = {}
    recorder = types.SimpleNamespace(setup=lambda **settings: captured.update(settings))
    monkeypatch.setitem(sys.modules, "setuptools", recorder)  # not in every environment
    exec(
        compile((ROOT / "setup.py").read_text(encoding="utf-8"), str(ROOT / "setup.py"), "exec"),
        {"__file__": str(ROOT / "setup.py"), "__name__": "setup"},
    )
    found = {"learnviews"} | {
        "learnviews." + ".".join(path.parent.relative_to(ROOT).parts)
        for layer in LAYERS
        for path in (ROOT / layer).rglob("__init__.py")
    }
    assert set(captured["packages"]) == found
    for layer in LAYERS:
        for path in (ROOT / layer).rglob("*"):
            if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
                package = max(
                    (
                        p
                        for p in found
                        if str(path.relative_to(ROOT)).startswith(
                            p.removeprefix("learnviews").lstrip(".").replace(".", "/")
                        )
                    ),
                    key=len,
                )
                folder = ROOT / package.removeprefix("learnviews").lstrip(".").replace(".", "/")
                patterns = captured["package_data"].get(package, [])
                assert any(path in folder.glob(pattern) for pattern in patterns), f"{path} is not packaged"


def test_import_is_light_and_silent():
    script = (
        "import json, sys, warnings; warnings.simplefilter('error'); import learnviews; "
        f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/")
    assert json.loads(out.stdout) == []
    assert out.stderr == ""
