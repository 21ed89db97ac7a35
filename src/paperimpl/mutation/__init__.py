"""Small changes to a model's code, and whether the paper's tests notice.

Why not an existing tool: mutmut 3.8 leaves decorated functions (`Adam.step`, `RTRL.step`) and module-level code
unchanged and has no changes of axes, argument order or operand order; cosmic-ray 8.7 starts Python and torch anew for
each change (8 s), edits the source in place, and two thirds of its changes are bit operators that no float has.
"""
