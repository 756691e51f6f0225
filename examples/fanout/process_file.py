#!/usr/bin/env python3
"""Sums up the body mass in each CSV file named on the command line.

For FILE.csv it writes out/FILE.json: for each species and season the number of penguins weighed
and the sum of their masses in grams. Numbers and sums, unlike means, can be added up over files.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path


def sum_up(path: Path) -> dict[str, dict[str, int]]:
    """Returns {"count", "grams"} for each "SPECIES YEAR" in the file."""
    sums: dict[str, dict[str, int]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["body_mass_g"] == "NA":
                continue
            entry = sums.setdefault(f"{row['species']} {row['year']}", {"count": 0, "grams": 0})
            entry["count"] += 1
            entry["grams"] += int(row["body_mass_g"])
    return sums


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit("usage: process_file.py FILE.csv...")
    out = Path("out")
    out.mkdir(exist_ok=True)
    for argument in sys.argv[1:]:
        path = Path(argument)
        sums = sum_up(path)
        (out / f"{path.stem}.json").write_text(json.dumps(sums, indent=2) + "\n")
        print(f"{path}: {sum(entry['count'] for entry in sums.values())} penguins weighed")


if __name__ == "__main__":
    main()
