"""The pictures of a fit under one method: `fit.plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = ("coefficients", "profile", "residual_map", "moran")


class FitPictures:
    """`plot` for results with parameters and residuals."""

    __slots__ = ()

    def plot(self, kind: str = "coefficients", *, lang: str = "en", ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the fit.

        Parameters
        ----------
        kind : {"coefficients", "profile", "residual_map", "moran"}
            ``"coefficients"``: estimates with intervals (``terms=``, ``alpha=``). ``"profile"``: the likelihood over rho with both
            of its intervals (``alpha=``, ``points=``; numbers: ``fit.profile()``). ``"residual_map"``: residuals of one period in
            colours (``year=``, ``geometry=`` for units that are no provinces). ``"moran"``: residuals against those of the
            neighbours (``year=``, ``w=``).
        lang : {"en", "zh"}
        ax : matplotlib Axes, optional
            Drawn into; a new figure otherwise.
        **options
            As named above.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ValueError
            An unknown kind, or a picture that this fit does not have; the message says why.

        Examples
        --------
        >>> import nqpf_spatial as nq
        >>> w = nq.weights.contiguity()
        >>> data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
        >>> ax = nq.sdm("y ~ x | unit + period", data, w).plot()
        >>> [text.get_text() for text in ax.get_yticklabels()]
        ['x', 'W×x', 'ρ']
        """
        from nqpf_spatial.models.naming import check_lang
        from nqpf_spatial.models.pictures.coefficients import coefficient_plot
        from nqpf_spatial.models.pictures.residuals import residual_map, residual_scatter

        check_lang(lang)
        if kind == "profile":
            return _profile(self, options).plot(lang=lang, ax=ax)
        draw = {"coefficients": coefficient_plot, "residual_map": residual_map, "moran": residual_scatter}
        if kind not in draw:
            raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(map(repr, KINDS))}")
        return draw[kind](self, lang=lang, ax=ax, **options)


def _profile(fit: Any, options: dict[str, Any]) -> Any:
    if not hasattr(fit, "profile"):
        raise ValueError("the fit has no likelihood to profile: nq.fit maximises one")
    return fit.profile(**options)
