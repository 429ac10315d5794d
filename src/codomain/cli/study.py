"""The command that studies a table, a folder or vectors."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from codomain.cli.options import AsRecord, DropEmpty, ReportPath
from codomain.cli.printing import print_study


def study(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="csv, tsv, parquet, jsonl, npy, npz, safetensors, fvecs, a folder, or a space."
        ),
    ],
    text: Annotated[
        str | None, typer.Option(help="Column with the text, or several with commas between; guessed, and said.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Column with labels, to be checked against the neighbours.")] = None,
    id: Annotated[str | None, typer.Option(help="Column that names each row.")] = None,
    vector: Annotated[str | None, typer.Option(help="Column (or array) with vectors that you already have.")] = None,
    vectors: Annotated[Path | None, typer.Option(help="File of vectors in the same order as the rows.")] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="builtin:minilm, static:wordllama, model2vec:DIR, onnx:DIR, st:DIR or openai:URL#MODEL."),
    ] = None,
    space: Annotated[Path | None, typer.Option(help="Where to write the space (default: FILE.space here).")] = None,
    report: ReportPath = None,
    recall: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.999, help="Share of the true nearest rows that the smallest form keeps (0.95)."),
    ] = None,
    sample: Annotated[int | None, typer.Option(min=3, help="Study only this many rows, drawn evenly.")] = None,
    layout: Annotated[
        Literal["forces", "umap"] | None,
        typer.Option(help="How to draw the map (forces); umap needs the extra 'map'."),
    ] = None,
    drop_empty: DropEmpty = False,
    as_json: AsRecord = False,
) -> None:
    """From a table, a folder or bare vectors to a sealed space and one HTML report.

    Run it again after Ctrl-C or a crash: it goes on where it was. Run it again on a changed file: only new texts are
    encoded. What is left out then stays as it was asked for before.
    """
    from codomain.workbench import study as run

    asked = {"recall": recall, "layout": layout}
    done = run(
        source,
        text=text,
        label=label,
        id=id,
        vector=vector,
        vectors=vectors,
        encoder=encoder,
        space=space,
        report=report,
        sample=sample,
        drop_empty=drop_empty,
        settings={name: value for name, value in asked.items() if value is not None},
    )
    print_study(done, as_json=as_json)
