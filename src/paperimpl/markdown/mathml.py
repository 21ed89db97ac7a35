"""Formulas to MathML at build time, where KaTeX is not installed: every browser draws it, without fonts or scripts."""

from __future__ import annotations

import importlib.util
from typing import Any

from paperimpl.markdown.katex import KatexError

__all__ = ["MathML"]


class MathML:
    """Render formulas with `math-core`, which understands most of what KaTeX does."""

    def __init__(self) -> None:
        import math_core

        self._refusal: type[Exception] = math_core.LatexError
        self._engine: Any = math_core.LatexToMathML(fancy_error=False)

    @staticmethod
    def installed() -> bool:
        """Say whether there is what it needs."""
        return importlib.util.find_spec("math_core") is not None

    def render(self, tex: str, display: bool) -> str:
        """Turn one formula into MathML.

        Raises:
            KatexError: it is not understood.
        """
        try:
            return str(self._engine.convert_with_local_state(tex, displaystyle=display))
        except self._refusal as refused:
            raise KatexError(" ".join(str(refused).split())) from refused
