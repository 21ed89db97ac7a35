"""Devices that a claim can run on: which there are, and what a record calls them."""

from __future__ import annotations

import re

import torch

from paperimpl.vault.problem import Problem

__all__ = ["named", "unusable"]

_NAME = re.compile(r"cpu|mps|cuda(?::(?P<number>\d+))?")


def unusable(device: str, *, here: bool = True) -> Problem | None:
    """Say why nothing can run on a device; None where it can.

    Args:
        here: whether it must be one of this machine; a cluster's workers have their own.
    """
    place = f"--device {device}"
    if not (name := _NAME.fullmatch(device)):
        return Problem(place, 0, "is no device", "say cpu, cuda, cuda:1 for a second card, or mps")
    if device == "cpu" or not here:
        return None
    there = int(torch.backends.mps.is_available()) if device == "mps" else torch.cuda.device_count()
    if int(name["number"] or 0) < there:
        return None
    if there:
        return Problem(place, 0, f"this machine has {there} of that kind", f"cuda:{there - 1} is the last")
    built = (torch.backends.mps if device == "mps" else torch.backends.cuda).is_built()
    why = "finds none" if built else "is built without it"
    message = f"there is none on this machine: torch {torch.__version__} {why}"
    return Problem(place, 0, message, "run it where there is one, or leave --device out")


def named(device: str) -> str:
    """Name a device for a record: its kind, and a card's model."""
    return f"cuda, {torch.cuda.get_device_name(device)}" if device.startswith("cuda") else device
