"""The base of every method over arrays: a scikit-learn estimator that knows its paper and its rules."""

from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from codomain.core.claims import Claim, NoClaim
from codomain.core.paper import Paper
from codomain.core.rules import Rule


class Method(BaseEstimator):
    """A scikit-learn estimator with a paper, rules for its parameters and a claim.

    Attributes
    ----------
    paper : Paper
        Where it comes from.
    rules : dict of str to Rule
        What each parameter of `__init__` may be; the whole of parameter validation.
    small : dict of str to object
        Parameters that suit the common tests' 20 rows of 3 features.
    needs_y : bool
        Whether `fit` refuses to do without y.
    excused : dict of str to str
        scikit-learn's checks that do not apply, each with the reason, which the docs print.
    claim : Claim or NoClaim
        What it promises and how that is measured; set by `@claim`, or `no_claim("why")`.
    """

    paper: ClassVar[Paper]
    rules: ClassVar[dict[str, Rule]] = {}
    small: ClassVar[dict[str, Any]] = {}
    needs_y: ClassVar[bool] = False
    excused: ClassVar[dict[str, str]] = {}
    claim: ClassVar[Claim | NoClaim]

    def __sklearn_tags__(self) -> Any:
        """Declare whether `fit` needs y; a base class of scikit-learn may declare it too."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required |= self.needs_y
        return tags

    def _check_params(self) -> None:
        """Check every parameter by its rule; `fit` calls this first."""
        for name, rule in self.rules.items():
            rule.check(type(self).__name__, name, getattr(self, name))
