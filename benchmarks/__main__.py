"""Run the benchmarks: `python -m benchmarks [NAME ...]`; without a name, all of them."""

import runpy
import sys
from pathlib import Path

_NOT_BENCHMARKS = {"__init__", "__main__", "paired"}

if __name__ == "__main__":
    there = sorted({path.stem for path in Path(__file__).parent.glob("*.py")} - _NOT_BENCHMARKS)
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or there
    if unknown := set(wanted) - set(there):
        sys.exit(f"no benchmark named {', '.join(sorted(unknown))}; there are: {', '.join(there)}")
    sys.argv = [sys.argv[0], *[name for name in sys.argv[1:] if name.startswith("-")]]
    for name in wanted:
        print(f"\n== {name}", flush=True)
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
