"""Small D3M data sets with graphs, and graphs with known structure, for tests."""

import json

import networkx as nx
import numpy as np
import pandas as pd

from learnviews.kernels import search


def column(at, name, kind, role, refers=None):
    found = {"colIndex": at, "colName": name, "colType": kind, "role": [role]}
    return {**found, **({"refersTo": refers} if refers else {})}


def d3m(folder, table, columns, resources, version="3.3.1", splits=None, problem=None):
    """A whole data set: its table, the described columns, and further resources as the document has them."""
    data = folder / "toy_dataset"
    (data / "tables").mkdir(parents=True)
    (data / "graphs").mkdir()
    table.to_csv(data / "tables" / "learningData.csv", index=False)
    learning = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table"}
    learning |= {"resFormat": {"text/csv": ["csv"]}, "isCollection": False, "columns": columns}
    about = {"datasetID": "toy_dataset", "datasetSchemaVersion": version}
    doc = {"about": about, "dataResources": [*resources, learning]}
    (data / "datasetDoc.json").write_text(json.dumps(doc))
    if splits is not None or problem is not None:
        (folder / "toy_problem").mkdir()
    if splits is not None:
        frame = pd.DataFrame({"d3mIndex": table["d3mIndex"], "type": splits})
        frame.to_csv(folder / "toy_problem" / "dataSplits.csv", index=False)
    if problem is not None:
        (folder / "toy_problem" / "problemDoc.json").write_text(json.dumps(problem))
    return data


def resource(name, file, kind="graph", columns=None):
    found = {"resID": name, "resPath": f"graphs/{file}", "resType": kind, "resFormat": ["text/gml"]}
    return {**found, "isCollection": False, **({"columns": columns} if columns else {})}


def groups(count=3, size=20, inside=0.35, between=0.02, seed=0, noise=1.0):
    """Nodes of a planted partition, their group, and one attribute that tells a little of it."""
    planted = nx.planted_partition_graph(count, size, inside, between, seed=seed)
    graph = nx.empty_graph(len(planted))  # without the attribute that tells the truth
    graph.add_edges_from(planted.edges)
    truth = np.repeat([f"g{at}" for at in range(count)], size)
    rng = np.random.default_rng(seed)
    told = np.repeat(np.arange(count), size) + rng.normal(scale=noise, size=count * size)
    return graph, pd.DataFrame({"node": list(graph), "hint": told, "group": truth})


def group_data(**options):
    graph, table = groups(**options)
    data = search.load(table, roles={"group": "suggestedTarget"})
    return data.with_graph(graph, "node", name="friends")


def pairs_of_twins(nodes=80, seed=0, wrong=80):
    """Pairs of nodes of a graph and of its renamed copy: true ones, and wrong ones."""
    rng = np.random.default_rng(seed)
    one = nx.gnp_random_graph(nodes, 0.1, seed=seed)
    order = rng.permutation(nodes)
    other = nx.relabel_nodes(one, {at: f"n{order[at]}" for at in one})
    right = [(at, f"n{order[at]}", 1) for at in range(nodes)]
    others = [(int(u), f"n{v}", 0) for u, v in rng.integers(nodes, size=(wrong, 2)) if order[u] != v]
    table = pd.DataFrame(right + others, columns=["left", "right", "match"]).sample(frac=1, random_state=seed)
    data = search.load(table.reset_index(drop=True), roles={"match": "suggestedTarget"})
    return data.with_graph(one, "left", name="one").with_graph(other, "right", name="other")
