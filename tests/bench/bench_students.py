"""2,000 students who open *My grades* within 5 minutes, on a server of its own.

They come evenly, as websockets that speak as a browser does, and wait from opening the connection to the last drawing.
MINUTES=1 in the environment lets as many a second come for one minute only.
"""

import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session, col, select

from crm.domain.accounts import Account
from crm.rbac import store as rbac
from crm.services.access import sign_in
from crm.services.access.permissions import install_roles
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import writing
from tests.app.served import Served, served
from tests.bench.bench_scores import a_scored_class
from tests.bench.figure import Figure
from tests.builders import an_account

STUDENTS, SECONDS, CLASSES, DAYS = 2_000, 300, 50, 120
AT_ONCE = 32
P95 = 1.0


def run(folder: Path) -> Iterator[Figure]:
    """How long it took until the last was served, and the 95th percentile of a page opened meanwhile."""
    share = float(os.environ.get("MINUTES", "5")) / 5
    students, seconds = round(STUDENTS * share), SECONDS * share
    where = {"DATABASE_URL": f"sqlite:///{folder / 'thanos.db'}", "THANOS_VAR": str(folder), "REDIS_URL": ""}
    cookies = _a_school(where["DATABASE_URL"], students)
    with served(**where) as server:
        _opens(server, cookies[0])
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            coming = [threads.submit(_comes, server, cookie, began + seconds * place / students)
                      for place, cookie in enumerate(cookies)]  # fmt: skip
            took = sorted(one.result() for one in coming)
        whole = time.perf_counter() - began
    yield Figure(f"{students:,} students open My grades: all are served", whole, seconds, whole / seconds, 1.02)
    p95 = took[int(len(took) * 0.95)]
    print(f"  median {statistics.median(took):.3f} s, slowest {took[-1]:.3f} s")
    yield Figure("of these, the 95th percentile", p95, P95, p95 / P95, 1.0)


def _comes(server: Served, cookie: str, at: float) -> float:
    time.sleep(max(0.0, at - time.perf_counter()))
    # Late because nobody was free to come counts as waiting.
    _opens(server, cookie)
    return time.perf_counter() - at


def _opens(server: Served, cookie: str) -> None:
    drawn = server.visit("grades", f"thanos={cookie}")
    if "Average" not in drawn:
        raise RuntimeError("no grades were drawn")


def _a_school(database: str, students: int) -> list[str]:
    """Students in classes with months of scores, each signed in; their cookies."""
    engine = make_engine(database)
    metadata.create_all(engine)
    now = datetime.now(UTC)
    with writing(engine) as session:
        install_roles(session)
        role = rbac.role_named(session, "student")
        assert role is not None and role.id is not None
        accounts = [an_account(session, f"s{number}", locale="en").id or 0 for number in range(students)]
        for account in accounts:
            rbac.give_role(session, account, [role.id])
        each = -(-students // CLASSES)
        for start in range(0, students, each):
            a_scored_class(session, each, DAYS, accounts[start : start + each])
        return [_cookie(session, account, now) for account in accounts]


def _cookie(session: Session, account: int, now: datetime) -> str:
    name = session.exec(select(Account.name).where(col(Account.id) == account)).one()
    ticket = sign_in.admit(session, sign_in.attempt(session, name, "bench", now), True, "bench", now)
    token = sign_in.redeem(session, ticket or "", now)
    assert token is not None
    return token
