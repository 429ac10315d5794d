"""A small net, and the linear head that ridge regression puts on its features in closed form."""

from typing import TYPE_CHECKING, Any

from codomain.core import need

if TYPE_CHECKING:
    from torch import Tensor

RIDGE = 1e-6  # in units of the sum of the kernel's diagonal


def predict_from_few(few: "Tensor", targets: "Tensor", many: "Tensor", ridge: float = RIDGE) -> "Tensor":
    """Predict targets of many rows by kernel ridge regression on a few, all given as a net's features and a constant.

    Parameters
    ----------
    few : torch.Tensor of shape (n_synthetic, n_hidden)
        Features of the rows to learn from.
    targets : torch.Tensor of shape (n_synthetic, n_targets)
        Their targets.
    many : torch.Tensor of shape (n_samples, n_hidden)
        Features of the rows to predict.
    ridge : float
        Ridge, in units of the sum of the kernel's diagonal.

    Returns
    -------
    torch.Tensor of shape (n_samples, n_targets)
        Predictions, differentiable in the first two.
    """
    torch = need("torch", "torch")
    kernel = few @ few.T + 1
    size = (ridge * kernel.diagonal().sum()).detach()
    weights = torch.linalg.solve(kernel + size * torch.eye(len(few), dtype=few.dtype), targets)
    prediction: Tensor = many @ (few.T @ weights) + weights.sum(dim=0)
    return prediction


class Net:
    """One hidden layer of ReLU units and a linear head, trained a step at a time by mean squared error."""

    def __init__(self, sizes: tuple[int, int, int], generator: Any, dtype: Any, born: int = 0) -> None:
        torch = need("torch", "torch")
        d, h, k = sizes
        # He's variance for weights; without biases a longer row would only have longer features.
        spreads = [((d, h), 2 / d), ((1, h), 1 / d), ((h, k), 2 / h), ((1, k), 0.0)]
        self.parameters = [
            torch.nn.Parameter(torch.randn(shape, generator=generator, dtype=dtype) * spread**0.5)
            for shape, spread in spreads
        ]
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3)
        self.steps = born

    def features(self, X: "Tensor") -> "Tensor":
        """Hidden layer, without gradients into the net itself."""
        weights, bias = (part.detach() for part in self.parameters[:2])
        return (X @ weights + bias).relu()

    def train(self, X: "Tensor", targets: "Tensor") -> None:
        """Take one step on rows and targets."""
        weights, bias, head, shift = self.parameters
        self.optimizer.zero_grad()
        loss: Any = (((X @ weights + bias).relu() @ head + shift - targets) ** 2).mean()
        loss.backward()
        self.optimizer.step()
        self.steps += 1
