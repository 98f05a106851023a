"""Odd tables, files and descriptions: each is read as documented, or refused with words that say why."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels import search
from learnviews.kernels.search.cleaning import seconds
from learnviews.kernels.search.splits import plan
from learnviews.kernels.search.trial import run_trial
from learnviews.kernels.search.written import as_plain


def table(rows=60, **columns):
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, rows))
    return pd.DataFrame({"x": x, "z": z, "y": np.where(x > 0, "a", "b"), **columns})


def written(folder, text, name="odd.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


# -- numbers as people write them


@pytest.mark.parametrize(
    ("values", "commas", "plain", "how"),
    [
        (["1,5", "2,75"], False, ["1.5", "2.75"], "decimal commas"),
        (["1,500", "2,75"], False, ["1.500", "2.75"], "decimal commas"),
        (["1,234", "12,345,678", "7"], False, ["1234", "12345678", "7"], "commas between thousands"),
        (["1,234.5", None, "-7"], False, ["1234.5", None, "-7"], "commas between thousands"),
        (["1,234", "2,345"], True, ["1.234", "2.345"], "decimal commas"),
        (["1.234,5", "12.345,6"], True, ["1234.5", "12345.6"], "decimal commas"),
        (["12%", "NA", "3.5 %"], False, ["12", "NA", "3.5"], "percent"),
        (["12,5%", "3,25%"], False, ["12.5", "3.25"], "percent, decimal commas"),
        (["$12", "$1,200.50"], False, ["12", "1200.50"], "amounts of money, commas between thousands"),
        (["3 €", "4,50 €"], True, ["3", "4.50"], "amounts of money, decimal commas"),
        (["12%", "3"], False, ["12%", "3"], ""),
        (["$1", "€1"], False, ["$1", "€1"], ""),
        (["1.2.3%", "1.2.4%"], False, ["1.2.3%", "1.2.4%"], ""),
        (["a, b", "c"], False, ["a, b", "c"], ""),
        (["1,2,3", "4,5"], False, ["1,2,3", "4,5"], ""),
        ([None, "?"], False, [None, "?"], ""),
    ],
)
def test_written_numbers(values, commas, plain, how):
    found = as_plain(np.array(values, dtype=object), commas)
    assert (list(found[0]), found[1]) == (plain, how)


def test_written_numbers_of_a_file_are_noted(tmp_path):
    data = search.load(written(tmp_path, 'share,price,y\n12%,"1,200",a\n3.5%,"12,300",b\n'))
    assert data.columns["share"].type == "real"
    assert data.frame["price"].tolist() == [1200, 12300]
    assert data.notes == ("odd.csv: percent in share", "odd.csv: commas between thousands in price")


# -- dates


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%d-%m-%Y",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%m/%d/%Y %I:%M %p",
        "%d %b %Y",
        "%d-%b-%Y",
        "%b %d, %Y",
        "%A, %d %B %Y",
        "%Y/%m/%d",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%SZ",
    ],
)
def test_forms_of_dates(tmp_path, form):
    days = pd.date_range("2019-01-05", periods=40, freq="9D")
    path = tmp_path / "dates.csv"
    table(40, when=days.strftime(form)).to_csv(path, index=False)
    data = search.load(path)
    assert data.columns["when"].type == "dateTime"
    assert data.frame["when"].tolist() == days.tolist()


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ("2019-02-31", 'most values are dates, "2019-02-31" (5th value) is none'),
        ("soon", 'most values are dates, "soon" (5th value) is none'),
        ("25/01/2019", "dates of several forms"),
    ],
)
def test_one_value_that_is_no_date_is_named(odd, said):
    days = pd.date_range("2019-01-05", periods=40).strftime("%Y-%m-%d").tolist()
    days[4] = odd
    column = search.load(table(40, when=days)).columns["when"]
    assert column.type == "categorical"
    assert said in column.why


def test_days_and_months_of_both_orders_are_no_dates():
    data = search.load(table(20, when=["01/25/2019", "25/01/2019"] * 10))
    assert data.columns["when"].type == "categorical"
    assert "several forms" in data.columns["when"].why


def test_dates_of_any_century_are_learned_from():
    days = np.array(["0001-01-01", "1066-10-14", "9999-12-31", "NaT"] * 15, dtype="datetime64[us]")
    found = seconds(pd.Series(days))
    assert np.isnan(found[3::4]).all()
    assert found[0] == (datetime.datetime(1, 1, 1) - datetime.datetime(1970, 1, 1)).total_seconds()
    data = search.load(table(when=days))
    problem = search.Problem("y").check(data)
    config = {"model": "tree", "tree:depth": 3, "tree:leaf": 2, "encode": "onehot", "encode:limit": 9, "select": "all"}
    result = run_trial(data, problem, plan(data, problem), {**config, "balance": "none"}, 0, 0.2, final=False)
    assert (result.status, result.reason) == ("ok", "")


# -- files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,1\n3,4,5\n", "the first row holds numbers only"),
        ("a,b\n1,2\n3,4,5\n", "row 1, line 3: 3 values; expected 2"),
        ('a,y\n1,p\n"2,q\n3,p\n', "a quotation mark is opened and never closed"),
        ("a,b,a\n1,2,3\n", "named twice: a"),
        ("a,b,c\n", "no rows"),
        ("\n \n", "it is empty"),
    ],
)
def test_files_that_are_refused(tmp_path, text, said):
    with pytest.raises(ValueError, match=r"odd\.csv") as caught:
        search.load(written(tmp_path, text))
    assert said in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_encodings(tmp_path, encoding):
    data = search.load(written(tmp_path, "stadt,y\nKöln,1\nZürich,2\n", encoding=encoding))
    assert data.frame["stadt"].tolist() == ["Köln", "Zürich"]


def test_the_separator_cuts_all_rows_alike(tmp_path):
    data = search.load(written(tmp_path, "a;b, and c;y\n" + "1,5;2;p\n2,5;3;q\n" * 4))
    assert list(data.columns) == ["a", "b, and c", "y"]
    assert data.frame["a"].tolist()[:2] == [1.5, 2.5]


def test_a_first_row_of_numbers_is_noted(tmp_path):
    assert "holds numbers only" in search.load(written(tmp_path, "1,2\n3,4\n5,6\n")).notes[0]


def test_the_row_numbers_that_pandas_writes_are_no_feature(tmp_path):
    path = tmp_path / "numbered.csv"
    table().to_csv(path)
    data = search.load(path)
    assert data.columns["column 1"].role == "index"
    assert "column 1" not in search.Problem("y").check(data).features


# -- frames


@pytest.mark.parametrize("name", ["", " ", None])
def test_columns_without_a_name_get_one(name):
    assert list(search.load(table().rename(columns={"z": name})).columns) == ["x", "column 2", "y"]


def test_dates_of_arrow():
    pa = pytest.importorskip("pyarrow")
    days = pd.array([datetime.date(2020, 1, day + 1) for day in range(30)] * 2, dtype=pd.ArrowDtype(pa.date32()))
    assert search.load(table(when=days)).columns["when"].type == "dateTime"


def test_objects_that_say_nothing_are_no_labels():
    data = search.load(table(thing=[object() for _ in range(60)]))
    assert data.columns["thing"].type == "other"
    assert "thing" not in search.Problem("y").check(data).features
    assert search.discover(data).left_out["thing"] == "values that are neither numbers nor text"


# -- targets


def test_a_target_whose_squares_are_infinite_is_refused():
    data = search.load(table(v=np.linspace(-1, 1, 60) * 1e300))
    with pytest.raises(ValueError, match=r"'v' is -1×10³⁰⁰ in row 0.*scale it"):
        search.Problem("v").check(data)


def test_few_rows_say_how_many_are_needed():
    assert "at least 10 are needed" in search.discover(search.load(table(6))).left_out["x"]


def test_many_classes_warn_of_nothing():
    found = search.discover(search.load(table(name=[f"n{at // 2}" for at in range(60)])))
    assert any(problem.target == "x" for problem in found)  # warnings are errors here


def test_problems_of_thousands_of_columns_are_no_flood(monkeypatch):
    rng = np.random.default_rng(0)
    data = search.load(pd.DataFrame(rng.normal(size=(30, 800)), columns=[f"f{at}" for at in range(800)]))
    complete, completed = search.Problem.check, []
    monkeypatch.setattr(search.Problem, "check", lambda self, data: completed.append(self) or complete(self, data))
    found = search.discover(data, n=7, seconds=1e-9)
    assert len(found) == 7
    assert all("time was up" in problem.reason for problem in found[:6])
    assert len(completed) < 20  # to complete each of them takes minutes


# -- joins


def test_keys_that_never_meet_are_shown():
    data = search.load(table(key=[f"k{at % 7}" for at in range(60)]))
    joined = data.join(pd.DataFrame({"key": ["K1", "K2"], "more": [1, 2]}), "key")
    assert list(joined.frame.index) == list(data.frame.index)
    assert "key is k0, k1, k2 here, key is K1, K2 there" in joined.notes[-1]


@pytest.mark.parametrize("on", [None, 3])
def test_a_key_that_is_no_name(on):
    with pytest.raises(ValueError, match="expected the name of a column"):
        search.load(table()).join(table(), on)


def test_a_column_named_twice_is_joined_once():
    data = search.load(table(key=np.arange(60) % 5))
    other = pd.DataFrame({"key": ["0", "1"], "more": [1.0, 2.0]})
    assert list(data.join(other, "key", ["more", "more"]).columns) == [*data.columns, "more"]
    assert data.join(other, "key", "more").frame["more"].count() == 24


# -- D3M


def d3m(folder, change):
    columns = [
        {"colIndex": 0, "colName": "d3mIndex", "colType": "integer", "role": ["index"]},
        {"colIndex": 1, "colName": "x", "colType": "real", "role": ["attribute"]},
    ]
    table = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table", "columns": columns}
    document = {"about": {"datasetID": "small", "datasetSchemaVersion": "4.0.0"}, "dataResources": [table]}
    change(document)
    (folder / "tables").mkdir()
    (folder / "tables" / "learningData.csv").write_text("d3mIndex,x\n0,1.5\n1,2.5\n")
    (folder / "datasetDoc.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda doc: doc["dataResources"].append(None), "a resource that is no object"),
        (lambda doc: doc["dataResources"][0]["columns"].append(None), "a column without colName"),
        (lambda doc: doc["dataResources"][0].pop("resPath"), "a resource without resPath"),
        (lambda doc: doc["about"].update(datasetSchemaVersion="9.1"), '"9.1" is unknown'),
        (lambda doc: doc["dataResources"][0]["columns"][1].update(colName="nope"), "no column nope"),
        (lambda doc: doc["dataResources"][0]["columns"][1].update(refersTo={"resID": "7"}), 'resource "7"'),
    ],
)
def test_damaged_descriptions(tmp_path, change, said):
    with pytest.raises(ValueError, match=r"datasetDoc\.json") as caught:
        search.load(d3m(tmp_path, change))
    assert said in str(caught.value)


@pytest.mark.parametrize("change", [{"role": 5}, {"role": None}, {"role": "attribute"}])
def test_roles_that_are_no_list(tmp_path, change):
    data = search.load(d3m(tmp_path, lambda doc: doc["dataResources"][0]["columns"][1].update(change)))
    assert data.frame["x"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize("text", ["[1]", '{"about": {}, "inputs": {"data": "x"}}', '{"about": 3, "inputs": []}', ""])
def test_problem_documents_of_other_shapes(tmp_path, text):
    path = written(tmp_path, text, "problemDoc.json")
    with pytest.raises(ValueError, match=r"problemDoc\.json: (not a D3M problem: (expected|'taskType')|not a JSON)"):
        search.Problem.from_d3m(path)
