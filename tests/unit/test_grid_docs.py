"""The worked example in docs/grid.md runs as it is printed, where nothing of the CRM is but the two components."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from crm.settings import ROOT
from tests.grid_example import DOC, blocks

LIFTED = ("__init__.py", "errors.py", "i18n", "rbac", "grid")

# What a host has of its own: a database, a person, and who they are as of now.
HOST = """
from contextlib import contextmanager
from datetime import UTC, datetime

import streamlit as st
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from books import BOOKS, Book, Library, site
from crm.grid.render import render_table
from crm.i18n import _
from crm.rbac import Actor, Reach

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Library.metadata.create_all(engine)
actor = Actor(account_id=1, name="librarian", grants={"books.view": Reach.ALL, "books.delete": Reach.ALL})
again = lambda actor: actor

@contextmanager
def reading():
    with Session(engine) as session:
        yield session

@contextmanager
def writing():
    with Session(engine) as session, session.begin():
        yield session

with writing() as session:
    session.add(Book(id=1, name="Emma", added_at=datetime.now(UTC)))

"""
VISIT = """
from streamlit.testing.v1 import AppTest

page = AppTest.from_file("page.py", default_timeout=30).run()
assert not page.exception, page.exception
assert list(page.dataframe[0].value["name"]) == ["Emma"]
assert "books:act:delete" in [button.key for button in page.button]
"""


def test_the_worked_example_runs_with_the_components_lifted_out(tmp_path: Path) -> None:
    (tmp_path / "crm").mkdir()
    for name in LIFTED:
        part = ROOT / "crm" / name
        (shutil.copytree if part.is_dir() else shutil.copyfile)(part, tmp_path / "crm" / name)
    (tmp_path / "books.py").write_text(blocks()["books.py"], "utf-8")
    (tmp_path / "page.py").write_text(HOST + blocks()["page.py"], "utf-8")
    (tmp_path / "visit.py").write_text(VISIT, "utf-8")

    ran = subprocess.run(
        [sys.executable, "visit.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert ran.returncode == 0, ran.stderr


def test_the_example_uses_nothing_of_the_crm() -> None:
    named = re.findall(r"^from (crm\.\w+)", DOC.read_text("utf-8"), re.MULTILINE)

    assert set(named) == {"crm.errors", "crm.grid", "crm.i18n"}
