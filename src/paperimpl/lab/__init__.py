"""What claims share. Drawing and running live in `lab.figure` and `lab.run`, so that restyling re-runs nothing."""

from paperimpl.lab.fit import fit
from paperimpl.lab.result import Effect, Panel, Result

__all__ = ["Effect", "Panel", "Result", "fit"]
