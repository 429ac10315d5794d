"""Hidden layers of scikit-learn's nets."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from codomain.tasks.hidden_layers import hidden_layers


def test_the_head_on_the_last_layer_gives_the_predictions_of_the_net():
    X, y = load_digits(return_X_y=True)
    net = MLPClassifier((20, 12), random_state=0)
    net.partial_fit(X, y, classes=range(10))
    first, last = hidden_layers(net, X)
    assert first.shape == (len(X), 20)
    np.testing.assert_array_equal((last @ net.coefs_[-1] + net.intercepts_[-1]).argmax(axis=1), net.predict(X))
