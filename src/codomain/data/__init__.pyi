from .debian import debian_descriptions as debian_descriptions
from .fashion_mnist import fashion_mnist as fashion_mnist
from .newsgroups import newsgroups20 as newsgroups20
from .reuters import reuters as reuters
from .stdlib import stdlib_docstrings as stdlib_docstrings
from .wordnet import wordnet_glosses as wordnet_glosses
