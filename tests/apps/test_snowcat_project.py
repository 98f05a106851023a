"""Projects: kept across restarts, shared by pages and processes, and safe from damaged, deleted and foreign files."""

import json
import os
import shutil
import threading

import numpy as np
import pandas as pd
import pytest
from search_studies import MAKER

from learnviews.apps.snowcat.project import Changes, Choice, Project
from learnviews.apps.snowcat.project_file import FILE, ProjectFile, merged
from learnviews.apps.snowcat.project_parts import HASHED, found_id, identity
from learnviews.kernels import search

OPTIONS = {"maker": MAKER, "trials": 3}


def table(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    kind = np.where(x > 0, "a", "b")
    return pd.DataFrame({"x": x, "y": 1.5 * x + rng.normal(scale=0.1, size=rows), "kind": kind, "one": 1})


@pytest.fixture(scope="module")
def data():
    return search.load(table())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "snowcat" / "some"


@pytest.fixture
def project(folder, data):
    return Project(folder, "some", data)


def again(project):
    """The same project in another process, or after a restart."""
    return Project(project.folder, project.title, project.raw)


def listening(project):
    heard = []
    project.watch(heard.append)
    return heard


def own(name="mine", **parts):
    return search.Problem(**{"target": "y", "task": "regression", "name": name, **parts})


# -- kept


def test_all_of_it_is_there_after_a_restart(project):
    project.find_problems()
    added = project.add_problem(own(features=("x",)))
    found = next(entry for entry in project.entries if entry.origin == "found")
    project.edit_problem(found.id, mark="no")
    project.change(Changes(types={"y": "real"}, excluded=["kind"]))
    project.choose([Choice("1", 3, "good")])
    other = again(project)
    assert [(entry.id, entry.problem, entry.mark) for entry in other.entries] == [
        (entry.id, entry.problem, entry.mark) for entry in project.entries
    ]
    assert other.problem(added.id).problem.features == ("x",)
    assert other.chosen == [Choice("1", 3, "good")]
    assert list(other.data.columns) == ["x", "y", "one"]
    assert other.note == ""


def test_scores_and_reasons_are_kept(project):
    project.find_problems()
    first = next(entry.problem for entry in again(project).entries)
    assert first.score == project.entries[0].problem.score > 0
    assert first.reason == project.entries[0].problem.reason
    assert again(project).left_out == project.left_out
    assert "constant" in project.left_out["one"]


def test_problems_found_again_have_the_same_ids_and_marks(project):
    project.find_problems()
    ids = [entry.id for entry in project.entries]
    project.edit_problem(ids[1], mark="yes")
    project.find_problems()
    assert [entry.id for entry in project.entries] == ids
    assert project.problem(ids[1]).mark == "yes"
    assert found_id(project.entries[0].problem) == ids[0]


def test_marks_outlive_a_change_of_the_data(project):
    project.find_problems()
    entry = next(entry for entry in project.entries if entry.problem.targets == ("y",))
    project.edit_problem(entry.id, mark="yes")
    project.change(Changes(excluded=["kind"]))
    assert project.problem(entry.id).problem.features == tuple(
        name for name in entry.problem.features if name != "kind"
    )
    project.find_problems()
    assert project.problem(entry.id).mark == "yes"
    assert not any("kind" in entry.problem.targets for entry in project.entries)


def test_a_change_that_cannot_be_made_changes_nothing(project):
    with pytest.raises(ValueError, match="kind"):
        project.change(Changes(types={"kind": "integer"}))
    assert project.changes == Changes()
    assert project.data is project.raw


def test_what_is_deleted_stays_so_until_it_is_asked_for(project):
    project.find_problems()
    first = project.entries[0]
    place, dropped = project.drop_problem(first.id)
    project.find_problems()
    assert project.problem(first.id) is None
    assert again(project).problem(first.id) is None
    project.restore_problem(place, dropped)
    assert project.entries[0] == first
    assert project.drop_problem("nothing") is None
    project.drop_problem(first.id)
    project.look_for_problems(again=True)
    until(lambda: project.looking is None)
    assert project.problem(first.id) is not None


def test_what_cannot_be_learned_is_not_taken(project):
    with pytest.raises(ValueError, match="no column 'z'"):
        project.add_problem(own(target="z"))
    entry = project.add_problem(own())
    with pytest.raises(ValueError, match="one value only"):
        project.edit_problem(entry.id, own(target="one"))
    with pytest.raises(ValueError, match="perhaps"):
        project.edit_problem(entry.id, mark="perhaps")
    assert project.problem(entry.id) == entry


# -- several pages


def until(condition, seconds=30.0):
    """Wait for a thread."""
    import time

    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_two_pages_look_for_problems_once(project, monkeypatch):
    looked, go_on = [], threading.Event()
    real = search.discover

    def slow(data, **options):
        looked.append(data)
        assert go_on.wait(30)
        return real(data, **options)

    monkeypatch.setattr("learnviews.apps.snowcat.project.search.discover", slow, raising=False)
    heard = listening(project)
    project.look_for_problems()
    project.look_for_problems()
    assert project.looking is not None
    go_on.set()
    until(lambda: project.looking is None and project.looked)
    project.look_for_problems()
    assert project.looking is None
    assert len(looked) == 1
    assert heard.count("problems") >= 2


def test_a_search_that_fails_is_told_and_not_repeated_by_itself(project, monkeypatch):
    def broken(data, **options):
        raise ValueError("nothing can be seen")

    with monkeypatch.context() as patch:
        patch.setattr("learnviews.apps.snowcat.project.search.discover", broken, raising=False)
        project.look_for_problems()
        until(lambda: project.looking is None)
    assert project.not_found == "nothing can be seen"
    project.look_for_problems()
    assert project.looking is None
    project.look_for_problems(again=True)
    until(lambda: project.looking is None)
    assert project.entries
    assert project.not_found == ""


def test_what_was_found_in_data_that_changed_meanwhile_is_not_taken(project, monkeypatch):
    real = search.discover

    def changed_meanwhile(data, **options):
        found = real(data, **options)
        project.change(Changes(excluded=["kind"]))
        return found

    monkeypatch.setattr("learnviews.apps.snowcat.project.search.discover", changed_meanwhile, raising=False)
    project.find_problems()
    assert not project.looked
    assert project.entries == []


def test_a_page_that_is_closed_is_told_no_more(project):
    heard = listening(project)
    project.unwatch(heard.append)
    project.add_problem(own())
    assert heard == []
    project.watch(lambda event: (_ for _ in ()).throw(RuntimeError("closed")))
    project.add_problem(own("other"))


# -- several processes


def test_changes_of_two_processes_are_merged(project):
    project.find_problems()
    other = again(project)
    heard = listening(other)
    ids = [entry.id for entry in project.entries]
    mine = project.add_problem(own("mine"))
    project.edit_problem(ids[0], mark="yes")
    theirs = other.add_problem(own("theirs"))
    assert {"note", "problems"} <= set(heard)
    assert "another server" in other.note
    assert {mine.id, theirs.id} <= {entry.id for entry in other.entries}
    assert other.problem(ids[0]).mark == "yes"
    other.drop_problem(ids[1])
    project.choose([Choice("1", 2)])
    assert project.problem(ids[1]) is None
    assert project.problem(theirs.id).problem.name == "theirs"
    assert again(project).problem(mine.id).problem.name == "mine"


def test_changes_of_another_process_are_seen_at_the_next_look(project):
    project.add_problem(own("mine"))
    other = again(project)
    added = other.add_problem(own("theirs"))
    other.change(Changes(excluded=["one"]))
    heard = listening(project)
    project.refresh()
    assert project.problem(added.id) is not None
    assert "one" not in project.data.columns
    assert {"data", "problems", "note"} <= set(heard)
    heard.clear()
    project.refresh()
    assert heard == []


def test_many_who_write_at_once_lose_nothing(folder, data):
    projects = [Project(folder, "some", data) for _ in range(4)]
    start = threading.Barrier(len(projects))

    def add(number):
        start.wait()
        for each in range(5):
            projects[number].add_problem(own(f"{number}-{each}"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(len(projects))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {entry.problem.name for entry in Project(folder, "some", data).entries}
    assert names == {f"{number}-{each}" for number in range(4) for each in range(5)}


def test_merged_by_part():
    base = {"title": "a", "problems": [{"id": "1", "mark": "no"}, {"id": "2"}], "studies": {"1": {}}, "dropped": []}
    mine = {**base, "problems": [{"id": "1", "mark": "yes"}, {"id": "2"}, {"id": "3"}], "studies": {"1": {}, "2": {}}}
    theirs = {**base, "title": "b", "problems": [{"id": "4"}, {"id": "1", "mark": "no"}], "studies": {}}
    found = merged(base, mine, theirs)
    assert found["title"] == "b"
    assert found["problems"] == [{"id": "4"}, {"id": "1", "mark": "yes"}, {"id": "3"}]
    assert found["studies"] == {"2": {}}
    assert merged(base, base, theirs) == theirs
    assert merged(base, mine, base) == mine
    assert merged({}, {"dropped": ["a"]}, {"dropped": ["b"]}) == {"dropped": ["a", "b"]}
    chosen = [{"study": "1", "number": 1, "note": ""}]
    both = merged({"chosen": []}, {"chosen": chosen}, {"chosen": [{"study": "1", "number": 2, "note": "n"}]})
    assert [each["number"] for each in both["chosen"]] == [1, 2]


# -- files that are not as they should be


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "null", '{"version": 99}', '{"version": 1, "data": "DATA"}', '{"version": 1, "data": "DATA", "x": 1}'],
)
def test_a_damaged_file_is_kept_aside_and_told(folder, data, content):
    folder.mkdir(parents=True)
    content = content.replace("DATA", identity(data))
    (folder / FILE).write_text(content)
    project = Project(folder, "some", data)
    assert (folder / f"{FILE}.damaged").read_text() == content
    assert f"{FILE}.damaged" in project.note
    project.add_problem(own())
    assert len(again(project).entries) == 1
    (folder / FILE).write_bytes(b"\xff\xfe")
    again(project)
    assert (folder / f"{FILE}.damaged-1").exists()


def test_a_file_damaged_meanwhile_is_kept_aside_and_written_anew(project):
    project.add_problem(own("one"))
    (project.folder / FILE).write_text("no JSON")
    project.add_problem(own("two"))
    assert f"{FILE}.damaged" in project.note
    assert len(again(project).entries) == 2


def test_a_folder_deleted_under_the_app_is_made_anew(project):
    project.add_problem(own("one"))
    shutil.rmtree(project.folder)
    project.refresh()
    assert "deleted" in project.note
    project.add_problem(own("two"))
    assert len(again(project).entries) == 2


def test_where_nothing_can_be_written_the_project_lives_on_and_says_so(folder, data):
    folder.parent.parent.mkdir(exist_ok=True)
    folder.parent.write_text("a file where the folder should be")
    project = Project(folder, "some", data)
    heard = listening(project)
    entry = project.add_problem(own())
    assert project.problem(entry.id) is not None
    assert "cannot be written to" in project.note
    assert heard.count("note") == 1
    project.add_problem(own("two"))
    assert heard.count("note") == 1
    with pytest.raises(OSError, match="snowcat"):
        project.begin_study(entry, **OPTIONS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_to_read_only(project, data):
    project.add_problem(own())
    for path in (project.folder, project.folder.parent):
        path.chmod(0o555)
    try:
        other = again(project)
        assert len(other.entries) == 1
        other.add_problem(own("two"))
        assert "cannot be written to" in other.note
    finally:
        for path in (project.folder, project.folder.parent):
            path.chmod(0o755)


def test_a_project_of_other_data_is_left_alone(project, folder):
    mine = project.add_problem(own())
    other = Project(folder, "some", search.load(table(seed=1)))
    assert other.entries == []
    assert other.key == project.key
    assert other.folder.name == "some~2"
    assert "not those of the project" in other.note
    theirs = other.add_problem(own("theirs"))
    assert [entry.id for entry in again(project).entries] == [mine.id]
    third = Project(folder, "some", search.load(table(seed=1)))
    assert [entry.id for entry in third.entries] == [theirs.id]
    assert third.note == ""


def test_the_identity_of_data_is_that_of_their_values(data):
    assert identity(data) == identity(search.load(table()))
    assert identity(data) != identity(search.load(table(seed=1)))
    assert identity(data) != identity(search.load(table().iloc[:-1]))
    large = pd.DataFrame({"x": np.arange(3 * HASHED)})
    assert identity(search.load(large)) == identity(search.load(large.copy()))
    assert identity(search.load(large)) != identity(search.load(large + 1))


def test_a_joined_table_that_is_gone_is_told(project, tmp_path):
    pd.DataFrame({"kind": ["a", "b"], "size": [1.5, 2.5]}).to_csv(tmp_path / "kinds.csv", index=False)
    join = {"path": str(tmp_path / "kinds.csv"), "on": [("kind", "kind")], "columns": None}
    project.change(Changes(joins=[join]))
    assert "size" in again(project).data.columns
    project.add_problem(own(features=("x",)))
    (tmp_path / "kinds.csv").unlink()
    other = again(project)
    assert "kinds.csv" in other.note
    assert "size" not in other.data.columns
    assert len(other.entries) == 1
    assert not (project.folder / f"{FILE}.damaged").exists()


def test_a_file_that_nobody_changed_is_read_once(tmp_path):
    file = ProjectFile(tmp_path)
    assert file.read() is None
    assert not file.changed()
    file.write({"title": "a"})
    assert not file.changed()
    assert not file.gone()
    assert json.loads((tmp_path / FILE).read_text()) == {"version": 1, "title": "a"}
    other = ProjectFile(tmp_path)
    other.read()
    other.write({"title": "b"})
    assert file.changed()
    assert file.write({"title": "a", "left": 1}) == {"version": 1, "title": "b", "left": 1}
    assert not list(tmp_path.glob("*.part"))


# -- studies


def ended(study):
    until(lambda: study.state in ("ended", "failed"))
    return study


@pytest.fixture(scope="module")
def made(tmp_path_factory, data):
    """A study that has ended."""
    path = tmp_path_factory.mktemp("studies") / "1"
    study = search.Study(data, own(metric="meanSquaredError"), path, **OPTIONS)
    list(study.run())
    study.close()
    return path


@pytest.fixture
def studied(project, made):
    """A project with a study."""
    project.add_problem(own(metric="meanSquaredError"))
    shutil.copytree(made, project.folder / "studies" / "1")
    project.refresh()
    yield project, project.studies["1"]
    for each in project.studies.values():
        each.close()


def test_studies_are_there_after_a_restart_with_their_problem(studied):
    project, study = studied
    assert study.name == "1"
    other = again(project)
    assert list(other.studies) == ["1"]
    assert other.studies["1"].problem_id == study.problem_id
    assert other.studies["1"].models
    other.studies["1"].close()


def test_a_study_whose_problem_is_not_in_the_list_brings_it(studied):
    project, study = studied
    project.drop_problem(study.problem_id)
    other = again(project)
    entry = other.problem(other.studies["1"].problem_id)
    assert entry.origin == "study"
    assert entry.problem == study.problem
    other.studies["1"].close()


def test_a_study_from_elsewhere(studied, tmp_path):
    project, study = studied
    elsewhere = search.Study(project.raw, own(metric="meanSquaredError"), tmp_path / "1", **OPTIONS)
    elsewhere.close()
    added = project.add_study(tmp_path / "1")
    assert added.name == "1~2"
    assert added.problem_id == study.problem_id  # they say the same
    assert project.add_study(tmp_path / "1") is added
    project.choose([Choice("1~2", 1)])
    other = again(project)
    assert set(other.studies) == {"1", "1~2"}
    assert other.studies["1~2"].path == (tmp_path / "1").resolve()
    shutil.move(tmp_path / "1", tmp_path / "away")
    missing = again(project)
    assert list(missing.studies) == ["1"]
    missing.choose([])
    shutil.move(tmp_path / "away", tmp_path / "1")
    back = again(project)  # it was not forgotten while it was away
    assert set(back.studies) == {"1", "1~2"}
    for made in (other, missing, back):
        for each in made.studies.values():
            each.close()


def test_a_study_of_other_data_is_refused(project, tmp_path):
    problem = search.Problem("z", "regression", "meanSquaredError")
    search.Study(table().rename(columns={"y": "z"}), problem, tmp_path / "s", **OPTIONS).close()
    with pytest.raises(ValueError, match="has no column 'z'"):
        project.add_study(tmp_path / "s")
    search.Study(table(90), own(metric="meanSquaredError"), tmp_path / "t", **OPTIONS).close()
    with pytest.raises(ValueError, match="has no row 60"):
        project.add_study(tmp_path / "t")
    with pytest.raises(FileNotFoundError):
        project.add_study(tmp_path / "nothing")
    assert project.studies == {}


def test_a_study_of_another_process_is_seen_at_the_next_look(studied):
    project, _ = studied
    other = again(project)
    second = project.begin_study(project.entries[0], **OPTIONS)
    heard = listening(other)
    other.refresh()
    assert list(other.studies) == ["1", "2"]
    assert second.name == "2"
    assert "studies" in heard
    ended(second)
    assert other.studies["2"].problem_id == second.problem_id
    for each in other.studies.values():
        each.close()


def test_a_study_that_is_forgotten_does_not_come_back(studied):
    project, study = studied
    project.choose([Choice("1", 1)])
    project.forget_study("1")
    assert (study.path / "study.sqlite").exists()
    assert project.chosen == []
    assert again(project).studies == {}
    project.refresh()
    assert project.studies == {}


def test_a_study_that_cannot_be_begun_leaves_nothing(project):
    entry = project.add_problem(own())
    with pytest.raises(ValueError, match="trials"):
        project.begin_study(entry, maker=MAKER, trials=-1)
    assert project.studies == {}
    assert list((project.folder / "studies").iterdir()) == []


def test_a_folder_with_half_a_study_is_passed_over(studied):
    project, _ = studied
    half = project.folder / "studies" / "2"
    half.mkdir()
    (half / "study.sqlite").write_bytes(b"")
    other = again(project)
    assert list(other.studies) == ["1"]
    other.studies["1"].close()


def test_columns_that_are_left_out_reach_no_pipeline(folder, data):
    """What the original of this app got wrong."""
    project = Project(folder, "some", search.load(table().assign(noise=0.5)))
    entry = project.add_problem(own(features=("x",)))
    study = ended(project.begin_study(entry, trials=1, rng=0))
    model = study.models[0]
    assert study.problem.features == model.problem.features == ("x",)
    assert columns_of(model.pipeline) == {"x"}
    rows = project.data.frame.iloc[:5]
    other = rows.assign(kind="b", noise=9.0, one=7)
    np.testing.assert_array_equal(np.asarray(model.predict(other)), np.asarray(model.predict(rows[["x"]])))
    study.close()


def columns_of(pipeline):
    """Columns that the steps of a pipeline are given."""
    from sklearn.compose import ColumnTransformer

    steps = [step for step in dict(pipeline.get_params(deep=True)).values() if isinstance(step, ColumnTransformer)]
    assert steps
    return {name for step in steps for _, _, names in step.transformers for name in names}
