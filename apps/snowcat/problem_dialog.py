"""Card in which a problem is phrased: a sentence whose words open what can stand there."""

from __future__ import annotations

from functools import partial
from typing import Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import alert, button, does, quiet, text
from learnviews.apps.snowcat.problem_draft import FORECASTING, Draft, Phrase, use
from learnviews.apps.snowcat.problem_fields import COLUMNS, NUMBERS, TEXTS, fields_html
from learnviews.apps.snowcat.problem_options import panel_html
from learnviews.apps.snowcat.problem_words import limits_of, listed, metric_of, task_of

WORDS = ("target", "features", "time", "group", "task", "metric")


class ProblemDialog(Card):
    """The sentence."""

    name, title = "problem", "Problem"
    help = (
        "Say what is to be learned, as a sentence: click its words to choose others. The target limits the tasks, the "
        "task the metrics; what cannot be chosen is grey and says why. No model uses a column that is not ticked. "
        "“Use this problem” puts it into the list and chooses it."
    )
    steps = at_first = ("specify",)
    size = (8, 15)
    hears = ("data", "problem", "draft", "step")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self.open, self.search, self.said = "", "", ""

    @property
    def draft(self) -> Draft:
        return draft_of(self.room)

    def show(self) -> None:
        draft = self.draft
        if draft.phrase is None or draft.of is not self.room.data:
            draft.fit(self.room.data)
            self._look(settle=draft.phrase is not None)
            if draft.phrase is None:  # what was there stays for the moment it takes
                return None if self.slot.pane.html else self.slot.empty("Looking at what can be learned …")
        panel = "" if not self.open else panel_html(self.open, draft, self.room.data, self.search)
        self.slot.html(
            self._sentence(draft, draft.phrase)
            + panel
            + fields_html(draft, self.room.data)
            + self._message(draft)
            + (quiet(limits_of(draft.told)) if not draft.empty else "")
            + self._buttons(draft)
        )

    # -- its HTML

    def _sentence(self, draft: Draft, phrase: Phrase) -> str:
        told = draft.told
        if draft.empty:
            target, task = self._word("target", "", "choose a column"), self._word("task", "", "choose a task")
            return f'<p class="sentence">Predict {target}, or {task}</p>'
        task = self._word("task", task_of(told), "choose a task")
        metric = self._word("metric", metric_of(told), "choose a metric")
        ends = f"with {'an' if task_of(told)[:1] in 'aeiou' else 'a'} {task} model by the best {metric}."
        if not told.targets:
            return f'<p class="sentence">Group the rows by {self._features(draft)} {ends}</p>'
        target = self._word("target", listed(told.targets), "choose a column")
        if told.task == FORECASTING:
            series = self._word("group", listed(told.groups), "one series", kind="unsaid")
            series = f"one series per {series}" if told.groups else f"as {series}"
            time = self._word("time", told.time or "", "choose a time")
            known = self._word("features", listed(told.known or ()), "nothing else", kind="unsaid")
            ahead = f"{told.horizon} steps ahead" if told.horizon else "ahead"
            words = f"Predict {target} {ahead} from its past and {known}, in order of {time}, {series}, {ends}"
            return f'<p class="sentence">{words}</p>'
        return f'<p class="sentence">Predict {target} from {self._features(draft)} {ends}</p>'

    def _features(self, draft: Draft) -> str:
        used, every = len(draft.used), [offer for offer in draft.phrase.features if offer.legal]
        words = f"all {used} columns" if used == len(every) > 1 else f"{used} of {len(every)} columns"
        return self._word("features", listed(draft.used) if used < 4 else words if used else "", "choose columns")

    def _word(self, name: str, said: str, unsaid: str, kind: str = "none") -> str:
        unfolded = str(self.open == name).lower()
        return (
            f'<button type="button" id="word-{name}" class="word{"" if said else f" {kind}"}" {does("open", name)} '
            f'aria-expanded="{unfolded}">{text(said or unsaid)}</button>'
        )

    def _message(self, draft: Draft) -> str:
        phrase = draft.phrase
        if draft.empty:
            return quiet(phrase.why)
        if phrase.problem is None:
            return alert(phrase.why)
        if self.said:
            return quiet(self.said)
        if draft.id is None:
            return quiet("It can be learned. It is not in the list of problems yet.")
        return quiet("Changed: not in the list of problems yet." if draft.changed else "It can be learned.")

    def _buttons(self, draft: Draft) -> str:
        legal, new = draft.phrase.problem is not None, draft.changed
        return (
            '<div class="row">'
            f"{button('Use this problem', 'use', main=new, disabled=not legal or not new)}"
            f"{button('Train models', 'train', main=not new, disabled=not legal)}"
            f"{button('Copy', 'copy', disabled=draft.id is None)}"
            f"{button('Revert', 'revert', disabled=not new or draft.chosen is None)}"
            f"{button('New', 'new', disabled=draft.empty)}</div>"
        )

    # -- what is done in it

    def _look(self, settle: bool = False, then: Any = None) -> None:
        """Have a thread see what there is to say of the sentence as it is now."""
        draft, data = self.draft, self.room.data
        wanted = draft.wanted

        def told(phrase: Phrase, version: int) -> None:
            if draft is self.room.draft and wanted is draft.wanted:
                draft.become(phrase, data)
                self.room.changed("draft")
                if then is not None:
                    then()

        self.room.jobs.start("phrase", partial(draft.look, data, wanted, settle), told)

    def _say(self, settle: bool = False, **parts: Any) -> None:
        self.said = ""
        self.draft.say(**parts)
        self._look(settle)

    def do_open(self, name: str) -> None:
        """Show what can stand at a place of the sentence, or fold it."""
        self.open, self.search = ("" if self.open == name else name if name in WORDS else ""), ""
        self.show()

    def do_search(self, words: str) -> None:
        """Show those options whose name has these words."""
        self.search = str(words)
        self.show()

    def do_target(self, name: str | None) -> None:
        """Predict this column only, or none: group the rows."""
        self.said = ""
        if name is None:
            self.draft.take("clustering")
        self.draft.aim(() if name is None else (name,))
        self.open = ""
        self._look(settle=True)

    def do_also(self, name: str) -> None:
        """Predict this column, too, or no longer."""
        self.said = ""
        targets = self.draft.wanted.targets
        self.draft.aim(tuple(each for each in targets if each != name) if name in targets else (*targets, name))
        self._look(settle=True)

    def do_task(self, name: str) -> None:
        """Another task."""
        self.said, self.open = "", ""
        self.draft.take(name)
        self._look(settle=True)

    def do_metric(self, name: str) -> None:
        """Another metric."""
        self.open = ""
        self._say(metric=name)

    def do_time(self, name: str) -> None:
        """What orders the rows."""
        self.open = ""
        group = tuple(each for each in self.draft.told.groups if each != name)
        self._say(settle=True, time=name, group=group or None)

    def do_group(self, told: list[Any]) -> None:
        """What tells series apart: a column more or less."""
        self._say(settle=True, group=_with(self.draft.told.groups, *told) or None)

    def do_feature(self, told: list[Any]) -> None:
        """Learn from a column, or not."""
        self._use(_with(self.draft.used, *told))

    def do_features(self, which: str) -> None:
        """Learn from all columns that are shown, none of them, or those that are usual."""
        from learnviews.apps.snowcat.problem_options import matching

        shown = [offer.name for offer in matching(self.draft.phrase.features, self.search) if offer.legal]
        rest = [name for name in self.draft.used if name not in shown]
        usual = [] if self.draft.forecasts else list(self.draft.phrase.usual)
        self._use({"all": [*rest, *shown], "none": rest, "usual": usual}[which])

    def _use(self, names: Any) -> None:
        order = {name: at for at, name in enumerate(self.room.data.columns)}
        self.said = ""
        self.draft.use_features(sorted(names, key=lambda name: order.get(name, 0)))
        self._look()

    def do_field(self, told: list[Any]) -> None:
        """One of the fields below the sentence."""
        name, value = told
        words = str(value).strip()
        if name in NUMBERS and words:
            try:
                value = int(float(words))
            except ValueError:
                raise ValueError(f"{NUMBERS[name]}: {words!r} is no whole number") from None
            if value < 1:
                raise ValueError(f"{NUMBERS[name]}: {words}; expected 1 or more")
        elif name not in (*NUMBERS, *TEXTS, *COLUMNS, "positive"):
            raise ValueError(f"{name}: no part of a problem")
        self._say(**{name: (value if name in NUMBERS else words) if words else None})

    def do_copy(self, _: Any) -> None:
        """Go on with a copy."""
        self.room.draft = self.draft.copy()
        self.said = "A copy, not in the list of problems yet: change it and use it."
        self._look()

    def do_new(self, _: Any) -> None:
        """Begin with an empty sentence."""
        self.room.draft, self.said, self.open = Draft(chosen=self.room.problem_id), "", "target"
        self._look()

    def do_revert(self, _: Any) -> None:
        """As it was before it was changed."""
        self.room.draft, self.said, self.open = None, "", ""
        self.show()

    def do_use(self, _: Any) -> None:
        """Put it into the list, and choose it."""
        self._used(lambda: None)

    def do_train(self, _: Any) -> None:
        """Use it, and on to the models."""
        self._used(lambda: self.room.go("train"))

    def _used(self, then: Any) -> None:
        """The sentence as it stands, which what was typed last may have changed."""

        def used() -> None:
            draft, project = self.room.draft, self.room.project
            if draft.phrase.problem is None:
                return
            entry = use(project, draft, draft.phrase.problem)
            self.room.draft = fresh = Draft(entry, entry.id)
            fresh.become(draft.phrase, self.room.data)
            self.said = "It is in the list of problems, and chosen."
            self.room.choose_problem(entry.id)
            self.room.changed("draft")
            then()

        self._look(then=used)


def draft_of(room: Any) -> Draft:
    """The sentence of a page: the chosen problem's, unless another one was begun."""
    draft, project = room.draft, room.project
    if draft is None or draft.chosen != room.problem_id:
        entry = None if project is None else project.problem(room.problem_id)
        room.draft = draft = Draft(entry, room.problem_id)
    elif draft.id is not None:
        draft = room.draft = draft.kept_up(project.problem(draft.id))
    return draft


def _with(names: Any, name: str, there: bool) -> tuple[str, ...]:
    rest = tuple(each for each in names if each != name)
    return (*rest, name) if there else rest
