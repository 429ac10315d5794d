from .bootstrap import bootstrap_error as bootstrap_error
from .digit_nets import Twins as Twins
from .digit_nets import twin_digit_nets as twin_digit_nets
