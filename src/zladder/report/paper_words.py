"""What each paper asks, as its abstract and public code say, and where we go our own way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PaperWords:
    """The fixed words of a paper's page.

    Attributes
    ----------
    name, title
        How it is called, and what it is about in a few words of ours.
    asks
        What it asks and does, one paragraph.
    says
        What it claims, only as it was read in a source.
    departures
        What is built here and does not come from the paper, or leaves something of it out.
    """

    name: str
    title: str
    asks: str
    says: list[str]
    departures: list[str]


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text block, each in one line."""
    return [" ".join(part.split()) for part in text.strip().split("\n\n")]


PAPER_WORDS = {
    "hayat2021": PaperWords(
        name="Hayat et al. 2021",
        title="Learning from images before there are labels",
        asks=_paragraphs("""
            Redshifts are expensive, images are not. An encoder is trained on galaxy images
            without redshifts (MoCo v2): it learns to recognise the same galaxy in two views
            that were turned, shifted, made noisier and reddened by dust. Then few labelled
            galaxies are enough to teach it redshifts.
        """)[0],
        says=_paragraphs("""
            Pretraining followed by fine-tuning reaches the accuracy of a fully supervised
            model that needs two to four times more labels (abstract).

            With all labels of the SDSS main sample it does better than the best supervised
            method of its time (abstract).

            The representations are semantically useful: similar galaxies lie close together
            (abstract).

            In fine-tuning, the convolutions learn at a tenth of the rate of the last layer
            (the authors' poster).
        """),
        departures=_paragraphs("""
            Below the scale `paper`, stamps are smaller and the encoder is a narrow residual
            network with a cheap first layer; the paper trains a ResNet-50 on 64 × 64 pixels.

            Length of the queue, momentum, size of the embedding and schedule of the
            pretraining could not be established from a source: they are ours, and at the
            scale `paper` those of MoCo itself, with an optimiser of ours.

            "Two to four times fewer labels" is tested by less than it says: whether the
            fine-tuned network is the better one at equal labels.

            Each seed draws its own labels, in strata of redshift; intervals are over galaxies
            and seeds, not over fields. Training and test fields may share a frame, though no pixel.

            The dust that an encoder should ignore reddens a whole stamp, noise included.

            Scaling in size and smoothing by the point-spread function, which a review
            mentions, are left out; the law of the added noise is ours.

            Pixels are stretched by a signed square root, as in the code of Lin et al. 2022;
            the paper's code feeds fluxes as they are.

            Splits are by sky cell, with test galaxies that no choice was made on; the paper's
            code chooses and reports on one validation set. The label fractions are ours.

            Not from the paper, but there to tell what helps: an untrained encoder, a
            pretraining without dust, one on catalogue colours alone, and one on both (these
            two use photometry), and a network that sees five magnitudes and no image.
        """),
    ),
    "lin2022": PaperWords(
        name="Lin et al. 2022",
        title="Classes that collapse",
        asks=_paragraphs("""
            A network that sorts galaxies into redshift classes has two faults: its mean
            residual depends on the class (rare redshifts are pulled towards common ones), and
            its estimates pile up on some classes and leave others empty (mode collapse). The
            paper trains once on everything, then only the last layers again: on a balanced
            sample, with labels that are softened and shifted.
        """)[0],
        says=_paragraphs("""
            Estimates suffer from class-dependent residuals, seen against z_true or z_phot,
            and from mode collapse (abstract).

            Residuals against z_true and against z_phot cannot both vanish: they must be
            treated one by one, those against z_true first (abstract).

            Step 2 corrects what over-populated classes do; Step 3 corrects mode collapse and
            what under-populated classes do (description of the authors' code).
        """),
        departures=_paragraphs("""
            Baseline, Step 2 and Step 3 stand here in their simplest form, on features of the
            baseline's encoder that are computed once. The outputs by magnitude of Step 1, and
            Step 4, are left out.

            The network is a narrow residual network; the paper's main network is a modified
            one of Pasquet et al. 2019.

            Step 2 starts from a new head, and E(B-V) is no input of the network: stamps are
            de-reddened.

            The number of galaxies that a class and magnitude may keep (Step 2) follows the
            size of the sample.

            A total variation stands beside its floor, what sampling alone gives at the same
            number of galaxies; few test galaxies hide a collapse.
        """),
    ),
    "soriano2024": PaperWords(
        name="Soriano et al. 2024, 2026",
        title="Two kinds of ground truth",
        asks=_paragraphs("""
            Many-band photometric redshifts exist for all kinds of galaxies, but are less
            accurate; spectroscopic ones are exact, but exist for few kinds. A network is
            trained on the first (base) and refined on the second (transfer), or trained on
            both at once (combined).
        """)[0],
        says=_paragraphs("""
            On galaxies with spectroscopic redshifts, transfer and combined training lower the
            bias about 5, the RMS error about 1.5 and the rate of catastrophic outliers about
            1.3 times against the network that saw many-band redshifts only (abstract 2024).

            On galaxies with many-band redshifts, both raise RMS error and bias (abstract
            2024).

            Against training on spectroscopic redshifts alone, training on both is 4.5 times
            less biased within a range of redshift, scatters 1.1 times less and has a 1.4
            times lower rate of outliers (abstract 2026).
        """),
        departures=_paragraphs("""
            The network is that of the group's public GalaxiesML code; the papers' own is not
            published.

            Which layers learn in the transfer (first and last), their learning rate, and the
            radius of the match are our choice.

            The abstracts define none of their metrics: every id is our reading of a word.

            Images, Bayesian networks, low-rank adaptation and conformal intervals are not
            built yet.
        """),
    ),
}
