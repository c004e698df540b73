"""The registers that are compared with the CA: that of cards, which `cms` brings along, and these."""

from cms import registers
from smime.register import MAIL

registers.include(MAIL)
