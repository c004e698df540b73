"""`make run` and `make smoke`: the whole product on this machine, with invented people, and one renewal to watch.

Nothing of this is loaded by an installation. The orchestration starts processes and knows no Django; what works on the
register runs in commands of `manage.py`; the card client is started as the program that it is.
"""
