"""References of papers, methods and software; only what was read in a source is printed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata


@dataclass(frozen=True)
class Reference:
    """One published work; an empty field is not known to us and is left out.

    Attributes
    ----------
    key, kind
        Of its BibTeX entry.
    authors
        As BibTeX wants them, joined by ``and``.
    used_for
        What this workflow takes from it.
    """

    key: str
    kind: str
    authors: str
    year: int
    used_for: str
    title: str = ""
    journal: str = ""
    volume: str = ""
    pages: str = ""
    arxiv: str = ""

    def text(self) -> str:
        """Return the reference as one line."""
        place = " ".join(part for part in (self.journal, self.volume) if part)
        authors = self.authors.replace(" and others", " et al.").replace(" and ", ", ")
        parts = [
            f"{authors} {self.year}",
            f"“{self.title}”" if self.title else "",
            f"{place}, {self.pages}" if place and self.pages else place,
            f"arXiv:{self.arxiv}" if self.arxiv else "",
        ]
        return ", ".join(part for part in parts if part)

    def bibtex(self) -> str:
        """Return its BibTeX entry."""
        fields = {
            "author": self.authors, "title": f"{{{self.title}}}" if self.title else "",
            "year": str(self.year), "journal": self.journal, "volume": self.volume,
            "pages": self.pages, "eprint": self.arxiv,
            "archiveprefix": "arXiv" if self.arxiv else "",
        }  # fmt: skip
        return bibtex_entry(self.kind, self.key, fields)


# {name of a study's paper: its works}
PAPERS = {
    "hayat2021": (
        Reference("hayat2021", "article", "Hayat and Stein and Harrington and Lukic and Mustafa",
                  2021, "the studies of this paper",
                  "Self-Supervised Representation Learning for Astronomical Images",
                  "ApJL", "911", "L33", "2012.13083"),
        Reference("hayat2021b", "misc", "Hayat and Stein and Harrington and Lukic and Mustafa",
                  2021, "the studies of this paper",
                  "Estimating Galactic Distances From Images Using Self-supervised Representation "
                  "Learning", arxiv="2101.04293"),
    ),
    "lin2022": (
        Reference("lin2022", "article", "Lin and others", 2022, "the studies of this paper", "",
                  "A\\&A", "662", "A36", "2202.09964"),
    ),
    "soriano2024": (
        Reference("soriano2024", "misc", "Soriano, J. and Saikrishnan, S. and Seenivasan, V. and "
                  "Boscoe, B. and Singal, J. and Do, T.", 2024, "the studies of this paper",
                  "Using different sources of ground truths and transfer learning to improve the "
                  "generalization of photometric redshift estimation", arxiv="2411.18054"),
        Reference("soriano2026", "misc", "Soriano, J. and Do, T. and Saikrishnan, S. and others",
                  2026, "claims held beside ours",
                  "Improving Generalization and Uncertainty Quantification of Photometric Redshift "
                  "Models", arxiv="2601.17222"),
    ),
}  # fmt: skip

METHODS = (
    Reference("tanaka2018", "article", "Tanaka and others", 2018,
              "loss_tanaka, and the convention hsc", "", "PASJ", "70", "S9"),
    Reference("schmidt2020", "article", "Schmidt and Malz and others", 2020,
              "fout_dc1, and the convention dc1", "", "MNRAS", "499", "1587"),
    Reference("pasquet2019", "article", "Pasquet and others", 2019,
              "the convention sdss_cnn", "", "A\\&A", "621", "A26", "1806.06607"),
    Reference("lin2022", "article", "Lin and others", 2022,
              "residual curves in both spaces", "", "A\\&A", "662", "A36", "2202.09964"),
)  # fmt: skip

# What a result of the shipped studies can depend on.
SOFTWARE = ("snakemake", "torch", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "astropy",
            "astropy-healpix", "galsim", "speclite", "dust_extinction", "safetensors",
            "matplotlib")  # fmt: skip


def bibtex_entry(kind: str, key: str, fields: dict[str, str]) -> str:
    """Return a BibTeX entry; empty fields are left out."""
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def installed_software() -> list[tuple[str, str, str]]:
    """Return (name, version, licence) of the installed packages, as they say themselves."""
    found = []
    for name in SOFTWARE:
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        found.append((name, metadata.version(name), _licence(about)))
    return found


def _licence(about: metadata.PackageMetadata) -> str:
    """Return the licence in one line: the expression, else the classifier, else the free text."""
    fields = about.json
    expression = str(fields.get("license_expression", ""))
    classified = [str(entry).rsplit(" :: ", 1)[-1] for entry in fields.get("classifier", [])
                  if str(entry).startswith("License ::")]  # fmt: skip
    free = str(fields.get("license", "")).strip().split("\n")[0]
    return expression or ", ".join(classified) or free[:60] or "not stated"
