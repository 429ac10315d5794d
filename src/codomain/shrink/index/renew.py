"""Keep the recipe of a space whose rows have changed, when it still meets its target."""

from typing import Any

import numpy as np

from codomain.core import UserError
from codomain.shrink.index.certificate import QUERIES, Certificate, certify
from codomain.shrink.index.front import Front
from codomain.shrink.index.recipe import TRAIN_ROWS, Recipe

_GROWN = 2  # a space this many times as large as when the recipe was chosen needs a new choice


def renew(record: dict[str, Any], X: Any, *, random_state: int = 0) -> Front | None:
    """Learn and prove again the recipe that a record names, instead of trying all of them.

    Parameters
    ----------
    record : dict
        From `Front.to_dict`, when the recipe was chosen or last renewed.
    X : array-like of shape (n_samples, n_features)
        The rows as they are now.
    random_state : int, default=0
        Seed of every draw.

    Returns
    -------
    Front or None
        With the recipe as its winner; None when a recipe must be chosen again, because there was none, the rows are
        more than twice or less than half of those at the choice, or the proof now misses the target.
    """
    n, chosen = X.shape[0], record.get("chosen_among", 0)
    if record.get("winner") is None or not chosen <= _GROWN * n <= _GROWN**2 * chosen or record["k"] > n - 1:
        return None
    recipe = Recipe.from_dict(record["rows"][record["winner"]]["made"])
    order = np.random.default_rng(random_state).permutation(n)
    queries, rest = np.split(order, [min(QUERIES, n // 3)])
    try:
        fitted = recipe.fit(X, train=np.sort(rest[:TRAIN_ROWS]), random_state=random_state).encode(X)
    except UserError:  # too few rows are left to learn it from
        return None
    proof = certify(fitted, X, k=record["k"], queries=queries, random_state=random_state)
    if proof.lower < record["target"]:
        return None
    front = Front(record["target"], record["k"], winner=proof, chosen_among=chosen, _fitted=fitted)
    front.fewest = record.get("fewest", front.fewest)
    front.certificates = [proof, Certificate.whole(X.shape[1], record["k"])]
    others = f"tried when the recipe was chosen, among {chosen:,} rows"
    front.skipped = [(row["recipe"], others) for row in record["rows"][:-1] if row["recipe"] != recipe.name]
    return front
