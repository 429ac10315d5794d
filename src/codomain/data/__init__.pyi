from .debian import debian_descriptions as debian_descriptions
from .docstrings import frozen_docstrings as frozen_docstrings
from .fashion import fashion_mnist as fashion_mnist
from .functions import frozen_functions as frozen_functions
from .newsgroups import newsgroups20 as newsgroups20
from .reuters_news import reuters as reuters
from .stdlib import stdlib_docstrings as stdlib_docstrings
from .wordnet import wordnet_glosses as wordnet_glosses
