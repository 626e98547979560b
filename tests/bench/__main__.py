"""`make bench`: the figures that are promised, each beside its limit, all measured in the same run.

`python -m tests.bench import sharing` measures only these. Every module `bench_*.py` here has a
`run(folder)` that yields its figures. Status 1 if one is out of its reach. What a loop of fixed work took before and
after is told of each: seconds are those of a machine, which may be twice as fast a minute later.
"""

import shutil
import sys
import tempfile
import time
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
        folder, before = Path(tempfile.mkdtemp(prefix=f"thanos-bench-{name}-")), _loop()
        try:
            for figure in import_module(f"tests.bench.bench_{name}").run(folder):
                print(_line(figure), flush=True)
                over += figure.ratio > figure.reach
        except Missing as why:
            print(f"{name}: NOT MEASURED. {why}", flush=True)
            over += 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(f"  ({name}: the fixed loop took {before:.0f} ms before, {_loop():.0f} ms after)", flush=True)
    print("All within reach." if not over else f"{over} out of reach.", flush=True)
    return 1 if over else 0


def _loop() -> float:
    """Milliseconds of CPU for a fixed piece of work, the least of five."""
    return min(_once() for _ in range(5))


def _once() -> float:
    start, counts = time.process_time(), dict[int, int]()
    for number in range(300_000):
        counts[number % 1000] = counts.get(number % 1000, 0) + number
    return (time.process_time() - start) * 1000


def _line(figure: Figure) -> str:
    verdict = "" if figure.ratio <= figure.reach else "  OVER"
    return (
        f"{figure.work:<62} {figure.measured:>11.4f} {figure.limit:>11.4f} "
        f"{figure.ratio:>8.4f} {figure.reach:>6.2f}{verdict}"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
