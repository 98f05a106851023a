"""The command `learnviews report`: a study's best models as one file, or one line on what to mend."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from search_studies import real_study

from learnviews.apps.cli import main


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished study's folder, and one that never ran."""
    folder = tmp_path_factory.mktemp("studies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(folder / "home"))
        made = real_study(folder / "patients", slow=False, trials=2)
        assert list(made.run())
        made.close()
        real_study(folder / "fresh", slow=False).close()
    return folder / "patients"


def run(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_a_report_of_the_best_models(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(study, "--models", 2, "--title", "Progress of the disease", "--no-features")
    assert result.exit_code == 0, result.output
    page = Path("patients-report.html").read_text(encoding="utf-8")
    assert "<h1>Progress of the disease</h1>" in page and "Study patients, model 1" in page and "seed 0" in page
    assert "2 models in patients-report.html" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere: no such study"),
        (["{study}", "--out", "no/such/report.html"], "no such folder to put the report in"),
        (["{fresh}"], "this study has no model yet"),
        (["{study}", "--models", "0"], "0 is not in the range"),
    ],
)
def test_what_is_wrong_is_one_line(study, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = run(*(each.format(study=study, fresh=study.with_name("fresh")) for each in arguments))
    assert result.exit_code in (1, 2) and words in " ".join(result.output.split()) and "Traceback" not in result.output
    assert list(Path().iterdir()) == []
