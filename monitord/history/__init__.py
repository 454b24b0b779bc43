"""Results as history: packed by key into files of a day, with roll-ups; written by one thread.

`Writer` takes results and never holds anybody up; `Reader` answers charts and state runs from the
files, in any process. Nothing here judges a result.
"""

from monitord.history.reader import Known, Reader
from monitord.history.rollup import Point, Run
from monitord.history.writer import Stats, Writer

HISTORY = "history"
"""The folder of a history, in the state folder."""

__all__ = ["HISTORY", "Known", "Point", "Reader", "Run", "Stats", "Writer"]
