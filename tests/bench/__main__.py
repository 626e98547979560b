"""`make bench`: the figures that are promised, each beside its limit, all measured in the same run.

`python -m tests.bench import sharing` measures only these. Every module `bench_*.py` here has a
`run(folder)` that yields its figures. Status 1 if one is out of its reach.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from tests.bench.figure import Figure
from tests.servers import Missing

HERE = Path(__file__).parent
HEAD = f"{'work':<62} {'measured':>11} {'limit':>11} {'ratio':>8} {'reach':>6}"


def main(only: Sequence[str]) -> int:
    """Measure what is named, or everything."""
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = [name for name in only if name not in names]
    if unknown:
        print(f"There is no bench {unknown[0]!r}. There are: {', '.join(names)}.", file=sys.stderr)
        return 1
    print(HEAD, flush=True)
    over = 0
    for name in only or names:
        folder = Path(tempfile.mkdtemp(prefix=f"thanos-bench-{name}-"))
        try:
            for figure in import_module(f"tests.bench.bench_{name}").run(folder):
                print(_line(figure), flush=True)
                over += figure.ratio > figure.reach
        except Missing as why:
            print(f"{name}: NOT MEASURED. {why}", flush=True)
            over += 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print("All within reach." if not over else f"{over} out of reach.", flush=True)
    return 1 if over else 0


def _line(figure: Figure) -> str:
    verdict = "" if figure.ratio <= figure.reach else "  OVER"
    return (
        f"{figure.work:<62} {figure.measured:>11.4f} {figure.limit:>11.4f} "
        f"{figure.ratio:>8.4f} {figure.reach:>6.2f}{verdict}"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
