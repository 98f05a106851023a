"""Cards of the step in which models are chosen: the set, who else might be in it, and whether its models differ."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat import chosen_models as chosen
from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.chosen_models import by_problem, key, mark_of, picked
from learnviews.apps.snowcat.compare_findings import aside
from learnviews.apps.snowcat.pane import asks, button, does, model_mark, quiet, select, text
from learnviews.apps.snowcat.train_words import better, judged_on, metric_title, question
from learnviews.grammar.streams import unsubscribe
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    import pandas as pd

    from learnviews.apps.snowcat.chosen_models import Picked
    from learnviews.apps.snowcat.studies import LiveStudy

EVENTS = ("data", "study", "studies", "models", "chosen")
SHOWN = 15  # models of a problem in the list of candidates, unless more are asked for
MORE = 35
NONE = "No model is chosen yet: tick some among the candidates below, or take those you kept or compared."


class Chosen(Card):
    """The set of models worth keeping."""

    name, title = "chosen", "Chosen models"
    help = (
        "The models worth keeping, the most preferred first: they go into the export, the report and the "
        "predictions of new "
        "rows. Drag a line by its handle, or use the arrows, to rank it; a note says why it is there. All is "
        "kept at once."
    )
    steps = ("select", "export")
    at_first = ("select",)
    size = (12, 6)
    hears = (*EVENTS, "compared")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._open, self._kept = True, room.marked.kept
        room.marked.add_subscriber(self._marked)

    def show(self) -> None:
        found = picked(self.room.project)
        adding = self._adding()
        if not found:
            self.slot.html(f'{quiet(NONE)}<div class="row">{adding}</div>')
            return
        lines = "".join(self._line(at, each, len(found)) for at, each in enumerate(found))
        head = (
            '<th></th><th class="n">rank</th><th></th><th>model</th><th class="n">score</th><th class="n">95% '
            "interval</th>"
            '<th class="n" title="The predictor that knows nothing of the features">trivial</th><th>study</th>'
            "<th>note</th><th></th>"
        )
        self.slot.html(
            f'<div class="row">{adding}{button("Rank by score", "sort") if len(found) > 1 else ""}</div>'
            f'<table class="wide chosen"><thead><tr>{head}</tr></thead><tbody data-order="move">{lines}</tbody></table>'
        )

    def _adding(self) -> str:
        there = {key(choice) for choice in self.room.project.chosen}
        kept = [each for each in chosen.kept_keys(self.room) if each not in there]
        compared = [each for each in self.room.compared if each not in there and not each.endswith("/-1")]
        parts = [button(f"Add those kept ({len(kept)})", "add", kept)] if kept else []
        parts += [button(f"Add those compared ({len(compared)})", "add", compared)] if compared else []
        return " ".join(parts)

    def _line(self, at: int, each: Picked, count: int) -> str:
        which = each.key
        arrows = "".join(
            f'<button type="button" class="icon" {does("rank", [which, to])} data-moves="{way}" '
            f'aria-label="{text(words)}"'
            f' title="{text(words)}"{" disabled" if not 0 <= to < count else ""}>{sign}</button>'
            for way, to, sign, words in (("up", at - 1, "▲", "Rank higher"), ("down", at + 1, "▼", "Rank lower"))
        )
        note = (
            f'<input type="text" id="note {text(which)}" class="note" {asks("note", which)} '
            f'value="{text(each.choice.note)}"'
            f' placeholder="why it is here" aria-label="Note on model {text(which)}">'
        )
        mark = model_mark(mark_of(self.room, which)) if each.model is not None else ""
        return (
            f'<tr data-at="{at}" data-key="{text(which)}" {mark}><td class="handle" title="Drag to rank">⠿</td>'
            f'<td class="n"><b>{at + 1}</b></td><td class="arrows">{arrows}</td>{self._model(each)}<td>{note}</td>'
            f'<td><button type="button" class="icon" {does("drop", which)} title="Remove" aria-label="Remove '
            f'model {text(which)}">✕</button></td></tr>'
        )

    def _model(self, each: Picked) -> str:
        if each.live is None or each.model is None:
            return f'<td colspan="5" class="quiet">model {text(each.key)}: its study is gone; remove it</td>'
        problem, score = each.live.problem, self._score(each)
        cells = '<td class="n">…</td><td class="n quiet">…</td><td class="n quiet">…</td>'
        if score is not None:
            own, trivial = score
            words = f"{metric_title(problem)}, {better(problem)}; on {len_text(own['rows'])} {judged_on(own['split'])}"
            cells = (
                f'<td class="n" title="{text(words)}"><b>{figure(own["value"])}</b> <small>'
                f"{text(metric_title(problem))}</small></td>"
                f'<td class="n quiet">{figure(own["low"], 3)} – {figure(own["high"], 3)}</td>'
                f'<td class="n quiet" title="{text(trivial["name"])}">{figure(trivial["value"])}</td>'
            )
        return (
            f"<td>{each.model.number}: {text(each.model.name)}</td>{cells}"
            f'<td class="quiet">{text(each.live.title)} · {text(question(problem))}</td>'
        )

    def _score(self, each: Picked) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Score of a model and of the trivial predictor; None while they are looked for."""
        assert each.live is not None
        live, model = each.live, each.model
        metric, split = str(live.problem.metric), model.split
        numbers = -1, int(each.key.rpartition("/")[2])
        futures = [aside().task(live.study, number, "scored", split, (metric,)) for number in numbers]
        if all(future.done() for future in futures):
            trivial, own = (future.result() for future in futures)
            return _row(own, model, split), _row(trivial, live.study.baseline, split)
        last = [future for future in futures if not future.done()][-1:]
        for future in last:
            future.add_done_callback(lambda _: self.room.session.soon(self._came))
        return None

    def _came(self) -> None:
        if self._open:
            with self.room.session.together():
                self.show()

    def _marked(self, **selected: Any) -> None:
        if self._open and self.room.project is not None and self.room.marked.kept is not self._kept:
            self._kept = self.room.marked.kept
            self.show()

    # -- what is done

    def do_add(self, keys: list[str]) -> None:
        """Choose these models, too."""
        chosen.add(self.room.project, keys)

    def do_drop(self, which: str) -> None:
        """Choose a model no longer."""
        chosen.drop(self.room.project, which)

    def do_rank(self, told: list[Any]) -> None:
        """Give a model another rank."""
        chosen.move(self.room.project, told[0], int(told[1]))

    do_move = do_rank

    def do_note(self, told: list[Any]) -> None:
        """Write a note to a model."""
        chosen.note(self.room.project, told[0], str(told[1]))

    def do_sort(self, _: Any) -> None:
        """Rank by what the searches minimized."""
        found = [each for each in picked(self.room.project) if each.model is not None]
        costs = {each.key: each.model.cost for each in found if each.model.cost is not None}
        chosen.sort(self.room.project, costs)

    def close(self) -> None:
        self._open = False
        unsubscribe(self.room.marked, self._marked)


class Candidates(Card):
    """The best models of all studies of the data."""

    name, title = "candidates", "Candidates"
    help = (
        "The best models of all studies of this data set, the best first: tick those to keep. Point at one to "
        "find it in other "
        "cards. Models of the same kind often err alike: see “Diversity”."
    )
    steps = at_first = ("select",)
    size = (7, 9)
    hears = (*EVENTS, "progress")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._most, self._question = SHOWN, ""

    def show(self) -> None:
        boards = candidates(list(self.room.project.studies.values()))
        if boards is None:
            self.slot.html(quiet("Looking at the studies…"))
        elif not boards:
            self.slot.empty("No study of this data has a model yet: go to Train.")
        else:
            if self._question not in boards:
                own = self.room.study
                self._question = (
                    question(own.problem) if own and question(own.problem) in boards else next(iter(boards))
                )
            self.slot.html(self._html(boards))

    def _html(self, boards: dict[str, list[dict[str, Any]]]) -> str:
        lines = boards[self._question]
        there = {key(choice) for choice in self.room.project.chosen}
        live = self.room.project.studies[lines[0]["study"]]
        which = (
            select("question", {each: each for each in boards}, self._question, "Problem") if len(boards) > 1 else ""
        )
        title = metric_title(live.problem)
        body = "".join(self._line(line, there) for line in lines[: self._most])
        more = len(lines) - self._most
        order = f"{title}: {better(live.problem)}. In the order of cross-validated costs."
        return (
            f'<div class="row">{which}{quiet(order)}</div>'
            '<table class="wide"><thead><tr><th></th><th>model</th>'
            f'<th class="n">{text(title)}</th><th class="n">95% interval</th><th>study</th></tr></thead><tbody>'
            f"{body}</tbody></table>" + (button(f"{min(more, MORE)} more of {more:,}", "more") if more > 0 else "")
        )

    def _line(self, line: dict[str, Any], there: set[str]) -> str:
        if line["number"] is None:
            return (
                f'<tr class="quiet"><td></td><td>{text(line["name"])}, knows nothing of the features</td>'
                f'<td class="n">{figure(line["value"])}</td><td class="n"></td><td></td></tr>'
            )
        which = f"{line['study']}/{line['number']}"
        words = f"Choose model {which}, {line['name']}"
        return (
            f'<tr {model_mark(mark_of(self.room, which))}><td><input type="checkbox" {asks("tick", which)}'
            f' aria-label="{text(words)}"{" checked" if which in there else ""}></td>'
            f'<td>{line["number"]}: {text(line["name"])}</td><td class="n">{figure(line["value"])}</td>'
            f'<td class="n quiet">{figure(line["low"], 3)} – {figure(line["high"], 3)}</td><td class="quiet">'
            f"{text(line['title'])}</td></tr>"
        )

    def do_tick(self, told: list[Any]) -> None:
        """Choose a model, or no longer."""
        which, on = told
        if on:
            chosen.add(self.room.project, [which])
        else:
            chosen.drop(self.room.project, which)

    def do_more(self, _: Any) -> None:
        """List more models."""
        self._most += MORE
        for live in self.room.project.studies.values():
            live.want(self._most)
        self.show()

    def do_question(self, told: list[Any]) -> None:
        """List the models of another problem."""
        self._question, self._most = told[-1], SHOWN
        self.show()


class Diversity(Card):
    """Whether the chosen models differ."""

    name, title = "diversity", "Diversity"
    help = (
        "Do the chosen models err on the same rows? Near 1 they do, and one of them is as good as both; near 0 "
        "or below they "
        "make up for each other. Point at a cell to find its models in other cards."
    )
    steps = at_first = ("select",)
    size = (5, 9)
    hears = EVENTS

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._drawn: Any = None

    def show(self) -> None:
        groups = by_problem(picked(self.room.project))
        name = max(groups, key=lambda each: len(groups[each]), default="")
        found = groups.get(name, [])
        if len(found) < 2 or not found[0].live.problem.targets:
            self._drawn = None
            self.slot.empty(
                "Choose at least two models of one problem that has a target to see whether they err on the same rows."
            )
            return
        shown = [each.key for each in found], name if len(groups) > 1 else "", self.room.study_name
        if shown != self._drawn:
            self._drawn = shown
            self.slot.html(quiet("…"))
            self.room.jobs.start(self.name, partial(self._tried, found, shown), self._came)

    def _tried(self, found: list[Picked], shown: Any) -> Any:
        try:
            return shown, self._element(found)
        except (ValueError, OSError, LookupError) as error:
            return shown, error

    def _element(self, found: list[Picked]) -> tuple[Any, str]:
        from learnviews.grammar import ErrorCorrelation
        from learnviews.kernels.search import error_correlation

        models = [each.model for each in found]
        split = "holdout" if all(model.split == "holdout" for model in models) else "train"
        table = error_correlation(models, split)
        names = [f"{each.model.number}: {each.model.name}" for each in found]
        numbers = [mark_of(self.room, each.key) for each in found]
        return ErrorCorrelation.from_matrix(table, names, numbers, selection=self.room.marked), closest(
            table.to_numpy()
        )

    def _came(self, told: Any, version: int) -> None:
        shown, found = told
        if shown != self._drawn:
            return
        with self.room.session.together():
            if isinstance(found, Exception):
                self.slot.problem(str(found))
                return
            element, words = found
            self.slot.html(quiet(f"{shown[1]}. {words}" if shown[1] else words))
            self.slot.plot(element)


# -- what is shown


def _row(table: Any, model: Any, split: str) -> dict[str, Any]:
    """A model's score: value, low, high, split, rows, name."""
    nothing = float("nan")
    found = table.iloc[0].to_dict() if len(table) else {"value": nothing, "low": nothing, "high": nothing}
    rows = int((model.predictions["split"] == split).sum())
    return {**found, "split": split, "rows": rows, "name": model.name}


def candidates(studies: list[LiveStudy]) -> dict[str, list[dict[str, Any]]] | None:
    """Lines of the leaderboards of studies by what they predict, best first; None while none was looked at yet."""
    boards: dict[str, list[dict[str, Any]]] = {}
    seen = [(live, live.seen) for live in studies]
    if seen and not any(each for _, each in seen):
        return None
    for live, found in seen:
        if found is not None and found.board["number"].notna().any():
            boards.setdefault(question(live.problem), []).extend(_lines(live, found.board))
    return {name: _ordered(lines) for name, lines in boards.items()}


def _lines(live: LiveStudy, board: pd.DataFrame) -> list[dict[str, Any]]:
    metric = str(live.problem.metric)
    found = []
    for line in board.to_dict("records"):
        number = None if line["number"] != line["number"] or line["number"] is None else int(line["number"])
        told = {"study": live.name, "title": live.title, "number": number, "metric": metric, "value": line[metric]}
        found.append(told | {name: line[name] for name in ("name", "low", "high", "cost")})
    return found


def _ordered(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By what the searches minimized; the trivial predictor, once, where it comes."""
    models = [line for line in lines if line["number"] is not None]
    trivial = [line for line in lines if line["number"] is None][:1]
    return sorted(
        [*models, *trivial], key=lambda line: (line["cost"] is None or line["cost"] != line["cost"], line["cost"])
    )


def closest(table: Any) -> str:
    """What a table of error correlations says of a set of models, in words."""
    import numpy as np

    off = table[~np.eye(len(table), dtype=bool)]
    if not np.isfinite(off).any():
        return "On these rows their errors cannot be compared."
    most, mean = float(np.nanmax(off)), float(np.nanmean(off))
    words = "some models are nearly copies of each other" if most > 0.95 else "no two models are alike"
    return f"Correlation of errors {mean:.2f} on average, {most:.2f} at most: {words}."


def len_text(count: int) -> str:
    """A number of rows."""
    return f"{count:,}"


CARDS = (Chosen, Candidates, Diversity)
