#!/usr/bin/env python3
"""Compares out/FILE.predictions.csv with the species in FILE.csv; writes out/FILE.evaluation.json.

A penguin that was not measured got no prediction (NA) and does not count.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path


def read_species(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [row["species"] for row in csv.DictReader(file)]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: evaluate_inference.py FILE.csv")
    source = Path(sys.argv[1])
    actual = read_species(source)
    predicted = read_species(Path("out", f"{source.stem}.predictions.csv"))

    pairs = [(a, p) for a, p in zip(actual, predicted) if p != "NA"]
    mistakes = [f"{a} taken for {p}" for a, p in pairs if a != p]
    evaluation = {"penguins": len(pairs), "mistakes": mistakes}
    Path("out", f"{source.stem}.evaluation.json").write_text(json.dumps(evaluation, indent=2) + "\n")
    print(f"{source}: {len(pairs) - len(mistakes)} of {len(pairs)} right")


if __name__ == "__main__":
    main()
