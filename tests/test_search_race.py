"""The logic of the benchmark's race: ranks, going on where it was, and the picture. No system is run here."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import search_curve
import search_race


def line(table, system, score, seed=0, larger=True, **more):
    about = {"metric": "accuracy", "larger": larger, "trivial": 0.0, "single": score, "wall": 1.0, "trials": 1}
    curve = [[1.0, score / 2, None], [2.0, score, None]]
    return (
        {"table": table, "system": system, "seed": seed, "seconds": 4.0, "score": score, "curve": curve} | about | more
    )


@pytest.fixture
def lines():
    return [
        line("a", "LearnViews", 0.9),
        line("a", "FLAML", 0.8),
        line("a", "random forest", 0.9),
        line("b", "LearnViews", 2.0, larger=False, trivial=5.0),
        line("b", "FLAML", 3.0, larger=False, trivial=5.0),
        {"table": "b", "system": "random forest", "seed": 0, "seconds": 4.0, "error": "took too long"},
        line("c", "LearnViews", 0.1),
    ]


def test_ranks_share_places_and_know_the_direction(lines):
    places = search_race.ranks(search_race.scores(lines))
    assert places.loc[("a", 0)].to_dict() == {"LearnViews": 1.5, "FLAML": 3.0, "random forest": 1.5}
    assert places.loc[("b", 0)].to_dict() == {"LearnViews": 1.0, "FLAML": 2.0, "random forest": 3.0}  # it failed
    assert ("c", 0) not in places.index  # not run by all


def test_summary(lines):
    found = search_race.summary(search_race.scores(lines))
    assert found["mean rank"].to_dict() == {"LearnViews": 1.25, "random forest": 2.25, "FLAML": 2.5}
    assert found["alone best"].to_dict() == {"LearnViews": 1, "random forest": 0, "FLAML": 0}
    assert found["best"].to_dict() == {"LearnViews": 2, "random forest": 1, "FLAML": 0}


def test_a_race_goes_on_where_it_was(tmp_path, monkeypatch):
    path, ran = tmp_path / "results.jsonl", []
    done = line("a", "FLAML", 0.5)
    path.write_text(json.dumps(done) + "\n" + json.dumps(line("a", "LearnViews", 0.9))[:40], encoding="utf-8")

    def apart(run, seconds):
        ran.append(run)
        return {"score": 0.7}

    monkeypatch.setattr(search_race, "apart", apart)
    runs = [("a", "LearnViews", 0), ("a", "FLAML", 0), ("a", "FLAML", 1)]
    search_race.race(runs, 4.0, path)
    assert ran == [("a", "LearnViews", 0), ("a", "FLAML", 1)]  # the line that was cut off counts for nothing
    assert len(search_race.results(path)) == 3
    search_race.race(runs, 4.0, path)
    assert len(ran) == 2
    search_race.race(runs[:1], 8.0, path)  # another budget is another race
    assert len(ran) == 3


def test_a_run_that_fails_says_why():
    found = search_race.apart(("no such table", "LearnViews", 0), 1.0)
    assert "no such table" in found["error"]


def test_report_writes_tables_and_a_picture(lines, tmp_path, capsys):
    search_race.report(lines, tmp_path)
    assert "failed: b random forest 0 4.0: took too long" in capsys.readouterr().out
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "| a | accuracy (more is better) | 0.9 (1.5) | 0.8 (3) | 0.9 (1.5) |" in text
    picture = ElementTree.fromstring((tmp_path / "curve.svg").read_text(encoding="utf-8"))
    named = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert named == ["LearnViews", "FLAML", "random forest"]  # on the holdout; no search here told its own score


def test_nothing_to_compare_is_said(tmp_path, capsys):
    search_race.report([line("a", "FLAML", 1.0), line("b", "LearnViews", 1.0)], tmp_path)
    assert "nothing to compare yet" in capsys.readouterr().out


def test_a_curve_holds_its_last_value_and_begins_at_a_guess():
    curve, times = [[1.0, 6.0], [2.0, 3.0], [3.0, 9.0]], np.array([0.5, 1.0, 1.9, 2.5, 4.0])
    found = search_curve.steps(curve, times, 1, worst=5.0, best=1.0)
    naive = []
    for now in times:
        seen = [value for at, value in curve if at <= now]
        naive.append(max(-0.5, (5.0 - seen[-1]) / 4.0) if seen else 0.0)
    np.testing.assert_allclose(found, naive)


def test_only_what_all_have_run_is_drawn(lines):
    assert {each["table"] for each in search_curve.complete([x for x in lines if not x.get("error")])} == {"a"}
