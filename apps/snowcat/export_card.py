"""The card that makes a folder and a zip of the chosen models."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.chosen_models import picked
from learnviews.apps.snowcat.export_files import FILES, Ranked, earlier, size_text, write_export
from learnviews.apps.snowcat.making import EVENT, EXPORTS, Making
from learnviews.apps.snowcat.pane import alert, button, does, quiet, text
from learnviews.kernels.search.exports import folder_name

if TYPE_CHECKING:
    from learnviews.apps.snowcat.chosen_models import Picked

LISTED = 6  # earlier files that are offered


class MakingCard(Card):
    """Base of the cards that make a file: a button, progress, and then the file and earlier ones to load."""

    steps = at_first = ("export",)
    hears = ("data", "chosen", "studies", EVENT)
    kind = ""
    ending = ""
    media = "application/octet-stream"

    @property
    def making(self) -> Making:
        """What goes on for this project, whoever began it."""
        return Making.of(self.room.project, self.kind)

    @property
    def folder(self) -> Path:
        """Where the files are put."""
        return self.room.project.folder / EXPORTS

    @property
    def there(self) -> list[Picked]:
        """The chosen models, without those whose study is gone."""
        return [each for each in picked(self.room.project) if each.model is not None]

    def state_html(self, label: str) -> str:
        """The button; or how far it is; and what was made."""
        making = self.making
        progress = making.progress
        if progress is not None:
            share = progress.done / progress.total if progress.total else 0
            words = progress.text or "beginning"
            return (
                f'<div class="bar" role="progressbar" aria-valuenow="{share:.0%}"><i '
                f'style="width:{100 * share:.0f}%"></i></div>'
                f'<div class="row"><span class="quiet grow" role="status">{text(words)}…</span>'
                f"{button('Cancel', 'cancel')}</div>"
            )
        notes = "".join(alert(each) for each in making.notes)
        return (
            f'<div class="row">{button(label, "make", main=True, disabled=not self.there)}{self.options()}</div>'
            f"{alert(making.problem)}{notes}{self._files_html()}"
        )

    def options(self) -> str:
        """What can be chosen beside the button."""
        return ""

    def _files_html(self) -> str:
        lines = "".join(self._file_html(each) for each in earlier(self.folder, self.ending)[:LISTED])
        return f'<table class="wide files"><tbody>{lines}</tbody></table>' if lines else ""

    def _file_html(self, path: Path) -> str:
        new = path == self.making.made
        load = (
            f'<button type="button" class="plain{" main" if new else ""}" {does("load", path.name)}>Download '
            f"({size_text(path.stat().st_size)})</button>"
        )
        where = path.with_suffix("") if path.with_suffix("").is_dir() else path
        gone = (
            f'<button type="button" class="icon" {does("delete", path.name)} title="Delete" aria-label="Delete '
            f'{text(path.name)}">✕</button>'
        )
        return (
            '<tr><td class="stay-whole">'
            f"{load}</td><td>{'<b>new</b> ' if new else ''}{text(path.name.removesuffix(self.ending))}"
            f'<br><small title="On the computer that runs the server">on the server: {text(where)}</small></td>'
            f"<td>{gone}</td></tr>"
        )

    # -- what is done

    def do_cancel(self, _: Any) -> None:
        """Stop making it."""
        self.making.cancel()

    def do_load(self, name: str) -> None:
        """Have the page save a file."""
        path = self._file(name)
        self.room.transfers.send(path, f"{self.room.project.key}-{path.name}", self.media)

    def do_delete(self, name: str) -> None:
        """Delete a file, and the folder that goes with it."""
        path = self._file(name)
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        path.unlink(missing_ok=True)
        self.room.project.tell(EVENT)

    def _file(self, name: str) -> Path:
        path = self.folder / Path(str(name)).name
        if not (path.name.endswith(self.ending) and path.is_file()):
            raise FileNotFoundError(f"{path.name}: it is not there any more")
        return path


class Export(MakingCard):
    """The chosen models as a folder and a zip."""

    name, title = "export", "Export"
    help = (
        "Makes a folder of the chosen models, ranked, with scripts that predict new rows and train again; it is "
        "packed as a "
        "zip to download, and stays on the server, too. A model that cannot be exported is named; the others are."
    )
    size = (6, 7)
    kind, ending, media = "export", ".zip", "application/zip"

    def show(self) -> None:
        found = self.there
        if not found:
            self.slot.html(quiet("Choose the models to export first, in the step Select.") + self._files_html())
            return
        self.slot.html(self.state_html("Make the zip") + self._tree(found))

    def _tree(self, found: list[Picked]) -> str:
        names = [folder_name(rank, each.model) for rank, each in enumerate(found, 1)]
        inside = "".join(
            f'<div><span class="in">{text(name)}</span><small class="quiet">{text(words)}</small></div>'
            for name, words in FILES.items()
        )
        folders = "".join(
            f"<div><span>{text(name)}/</span><small>{text(each.model.name)}</small></div>{inside if at == 0 else ''}"
            for at, (name, each) in enumerate(zip(names, found, strict=True))
        )
        return (
            f'<h3>What will be in it</h3><div class="tree"><div><span>{text(self._name)}/</span></div>'
            '<div><span>README.txt</span><small class="quiet">the models, your notes, how to predict</small></div>'
            '<div><span>ranking.csv</span><small class="quiet">rank, score and interval of each, and of the '
            "predictor that knows nothing</small></div>"
            f"{folders}</div>"
        )

    @property
    def _name(self) -> str:
        return f"{self.room.project.key}-models"

    def do_make(self, _: Any) -> None:
        """Make the folder and the zip."""
        ranked = [
            Ranked(each.model, each.choice.note, f"{each.live.title}, model {each.model.number}") for each in self.there
        ]
        if not ranked:
            raise ValueError("Choose the models to export first, in the step Select.")
        folder, name = self.folder, self._name
        self.making.start(lambda progress, notes: write_export(ranked, folder, name, progress, notes))


CARDS = (Export,)
