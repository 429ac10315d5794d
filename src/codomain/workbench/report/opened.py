"""What the report of a space shows, from its sealed parts alone."""

from codomain.space import Space
from codomain.workbench.first_look import text_column
from codomain.workbench.report import ReportData
from codomain.workbench.report.gather import gather
from codomain.workbench.stages import Inputs, Settings


def report_of(space: Space) -> ReportData:
    """Return what the report of an opened, studied space shows.

    Parameters
    ----------
    space : Space
        With every part that a study makes.

    Returns
    -------
    ReportData
        The same as the study's own report, but for the date.
    """
    texts, labels = text_column(space, space.roles.text), text_column(space, space.roles.label)
    inputs = Inputs(
        X=space.vectors, texts=texts, labels=labels, settings=Settings.of(space), encoder=None, scratch=space.path,
        parts=space.parts,
    )  # fmt: skip
    return gather(inputs, space.rows(), space.roles, space.encoder, space.path.stem, space=space.path)
