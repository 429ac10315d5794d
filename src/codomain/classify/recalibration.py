"""Moment probing that also corrects branches of the backbone that its tokens come from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import check_random_state

from codomain.classify.moment_probing import MomentProbing
from codomain.core import UserError, need, one_thread

_BLOCK = 256  # rows that go through the net at once


class RecalibratedProbing:
    r"""Moment probing of a torch net that stays frozen, but for a learned scale and shift of some of its branches.

    A branch :math:`f`, such as the feed-forward part of a block, takes :math:`x` and now gives

    .. math:: (1 + S^\top r) \cdot f(x) + T^\top r, \qquad r = \mathrm{ReLU}(D^\top x)

    so scale and shift depend on the input of the branch, and share :math:`D`. They are learned together with the head;
    :math:`S` and :math:`T` start at 0, where they change nothing. The net itself is never changed: the corrections are
    only in place while this object runs it.

    In the paper (MP+) the corrections read the state of the block, which in most nets the branch normalises first; here
    they read the branch's own input at length 1, so that any module can be a branch. Not in the paper: start and
    length.

    Parameters
    ----------
    backbone : torch.nn.Module
        Maps inputs, a float tensor of shape (n, ...), to tokens of shape (n, n_tokens, n_features).
    branches : sequence of str
        Names of the modules to correct, as in `backbone.named_modules()`; each takes and returns one tensor whose last
        axis is that of the features.
    head : MomentProbing, default=None
        The head to train. None takes one with defaults.
    n_hidden : int, default=16
        Columns of D.

    Attributes
    ----------
    head_ : MomentProbing
        Fitted on the corrected tokens.
    weights_ : dict of str to tuple of ndarray
        D, S and T of each branch, of shapes (width in, n_hidden) and twice (n_hidden, width out), without unit.

    Raises
    ------
    UserError
        In `fit`, when a branch is not in the net or no tensor comes out of it, or the net gives no tokens.

    References
    ----------
    Gao et al. (2023), arXiv:2307.11342.

    Examples
    --------
    >>> import torch
    >>> X = np.random.default_rng(0).normal(size=(20, 3, 2))
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh())
    >>> probe = RecalibratedProbing(net, ["0"]).fit(X, X[:, 0, 0] > 0)
    >>> probe.predict(X[:5]).shape
    (5,)
    """

    def __init__(
        self, backbone: Any, branches: Sequence[str], *, head: MomentProbing | None = None, n_hidden: int = 16
    ) -> None:
        self.backbone, self.branches, self.head, self.n_hidden = backbone, branches, head, n_hidden

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from inputs X, of shape (n_samples, ...), and labels y, of shape (n_samples,)."""
        torch = need("torch", "torch")
        self._find_branches()
        self.weights_: dict[str, tuple[NDArray[Any], ...]] = {}
        seen: dict[str, tuple[int, int]] = {}
        with self._correct_branches({}, seen):
            tokens = self._run_backbone(X)
        if missing := [name for name in self.branches if name not in seen]:
            raise UserError(f"The net does not use {', '.join(missing)}.", needed="branches that see every input")
        self.head_ = clone(self.head or MomentProbing())
        random = check_random_state(self.head_.random_state)
        live = {}
        for name, (wide, out) in seen.items():
            down = random.standard_normal((wide, self.n_hidden))  # for inputs of length 1: entries of about 1
            parts = (down, np.zeros((self.n_hidden, out)), np.zeros((self.n_hidden, out)))
            live[name] = tuple(torch.nn.Parameter(torch.tensor(part, dtype=torch.float32)) for part in parts)
        inputs = torch.from_numpy(np.array(X, np.float32, order="C"))
        with self._correct_branches(live):
            self.head_._fit(
                tokens, y, lambda some: self.backbone(inputs[some]), [w for each in live.values() for w in each]
            )
        self.weights_ = {name: tuple(part.detach().numpy() for part in each) for name, each in live.items()}
        return self

    def tokens(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the corrected net's tokens, (n_samples, n_tokens, n_features), of inputs (n_samples, ...)."""
        torch = need("torch", "torch")
        live = {name: tuple(map(torch.from_numpy, each)) for name, each in self.weights_.items()}
        with self._correct_branches(live):
            return self._run_backbone(X)

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Probabilities from 0 to 1, of shape (n_samples, n_classes)."""
        return self.head_.predict_proba(self.tokens(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Likeliest class of each input, of shape (n_samples,)."""
        return self.head_.predict(self.tokens(X))

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Share of inputs whose class is right, 0 to 1."""
        return float(np.mean(self.predict(X) == np.asarray(y)))

    def _find_branches(self) -> dict[str, Any]:
        """Return the branches by name, or say which are not there."""
        known = dict(self.backbone.named_modules())
        if isinstance(self.branches, str) or not len(self.branches):
            raise UserError(f"branches={self.branches!r}.", needed="a list of names of modules")
        if unknown := [name for name in self.branches if name not in known]:
            names = ", ".join(name for name in known if name)
            raise UserError(f"The net has no {', '.join(map(repr, unknown))}.", needed=f"some of {names}")
        return {name: known[name] for name in self.branches}

    def _run_backbone(self, X: ArrayLike) -> NDArray[np.float32]:
        """Run the net as it is now, block by block."""
        torch = need("torch", "torch")
        inputs = torch.from_numpy(np.array(X, np.float32, order="C"))
        with torch.no_grad(), one_thread():
            parts = [self.backbone(inputs[at : at + _BLOCK]) for at in range(0, len(inputs), _BLOCK)]
        if not parts or not isinstance(parts[0], torch.Tensor) or parts[0].ndim != 3:
            came = tuple(parts[0].shape) if parts and isinstance(parts[0], torch.Tensor) else type(parts[:1]).__name__
            raise UserError(f"The net gave {came}.", needed="a tensor of shape (n_inputs, n_tokens, n_features)")
        return np.asarray(torch.cat(parts).numpy(), np.float32)

    @contextmanager
    def _correct_branches(self, live: dict[str, Any], seen: dict[str, tuple[int, int]] | None = None) -> Iterator[None]:
        """Correct the branches by `live` while the net itself is frozen; put their widths into `seen`."""
        torch = need("torch", "torch")
        net, training = self.backbone, {module: module.training for module in self.backbone.modules()}
        learns = {part: part.requires_grad for part in net.parameters()}

        def make_hook(name: str) -> Any:
            def hook(module: Any, given: tuple[Any, ...], out: Any) -> Any:
                if seen is not None:
                    if not (given and isinstance(out, torch.Tensor)):
                        raise UserError(f"{name} does not take and give one tensor.", needed="another branch")
                    seen[name] = given[0].shape[-1], out.shape[-1]
                if name not in live:
                    return out
                down, scale, shift = live[name]
                r = torch.relu(torch.nn.functional.normalize(given[0], dim=-1) @ down)
                return (1 + r @ scale) * out + r @ shift

            return hook

        hooks = [module.register_forward_hook(make_hook(name)) for name, module in self._find_branches().items()]
        try:
            net.eval().requires_grad_(False)
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for module, was in training.items():
                module.training = was
            for part, did in learns.items():
                part.requires_grad_(did)
