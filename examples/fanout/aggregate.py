#!/usr/bin/env python3
"""Adds up out/FILE.json of every FILE.csv here: prints the mean body mass by species and season."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path


def main() -> None:
    files = sorted(Path(".").glob("*.csv"))
    counts: Counter[str] = Counter()
    grams: Counter[str] = Counter()
    for file in files:
        for key, entry in json.loads(Path("out", f"{file.stem}.json").read_text()).items():
            species = key.split()[0]
            for group in (key, f"{species} all"):
                counts[group] += entry["count"]
                grams[group] += entry["grams"]

    all_species = sorted({group.split()[0] for group in counts})
    columns = sorted({group.split()[1] for group in counts})
    print("mean body mass in grams (penguins weighed)")
    print(" " * 11 + "".join(f"{column:>14}" for column in columns))
    for species in all_species:
        groups = [f"{species} {column}" for column in columns]
        cells = [f"{grams[group] / counts[group]:.0f} ({counts[group]})" for group in groups]
        print(f"{species:<11}" + "".join(f"{cell:>14}" for cell in cells))
    total = sum(counts[f"{species} all"] for species in all_species)
    print(f"{total} penguins in {len(files)} files")


if __name__ == "__main__":
    main()
