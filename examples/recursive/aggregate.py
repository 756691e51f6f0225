#!/usr/bin/env python3
"""Adds up out/FILE.evaluation.json of every FILE.csv here: prints the accuracy, each and in all."""

from __future__ import annotations

import json
from pathlib import Path


def main() -> None:
    files = sorted(Path(".").glob("*.csv"))
    penguins = 0
    mistakes = 0
    for file in files:
        evaluation = json.loads(Path("out", f"{file.stem}.evaluation.json").read_text())
        count = evaluation["penguins"]
        wrong: list[str] = evaluation["mistakes"]
        penguins += count
        mistakes += len(wrong)
        print(f"{file.stem}  {count - len(wrong):2} of {count:2} right  {', '.join(wrong)}".rstrip())
    correct = penguins - mistakes
    print(f"accuracy: {correct / penguins:.3f} ({correct} of {penguins} penguins in {len(files)} files)")


if __name__ == "__main__":
    main()
