"""Databases of one PostgreSQL server for many tests in turn: emptied and not made anew, which takes longer."""

from itertools import count

import psycopg
from psycopg import Connection

from tests.servers import Postgres

# Whoever changed a table, column, index, rule, function or setting since leaves another sum of transactions behind.
_CATALOGUE = """
SELECT (SELECT array[count(*), sum(xmin::text::bigint)] FROM pg_class)
    || (SELECT array[count(*), sum(xmin::text::bigint)] FROM pg_attribute)
    || (SELECT array[count(*), sum(xmin::text::bigint)] FROM pg_constraint)
    || (SELECT array[count(*), sum(xmin::text::bigint)] FROM pg_index)
    || (SELECT array[count(*), sum(xmin::text::bigint)] FROM pg_trigger)
    || (SELECT array[count(*), sum(xmin::text::bigint)] FROM pg_proc)
    || (SELECT array[count(*), sum(xmin::text::bigint)] FROM pg_namespace)
    || (SELECT array[count(*), sum(xmin::text::bigint)] FROM pg_largeobject_metadata)
    || (SELECT array[count(*), sum(setdatabase::bigint)] FROM pg_db_role_setting),
    (SELECT version_num FROM alembic_version)
"""
_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_SEQUENCES = "SELECT sequencename, start_value FROM pg_sequences WHERE schemaname = 'public'"


class Databases:
    """Copies of the server's database `template`, which has every table and no row but the revision's."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._numbers = count(1)
        self._free: list[str] = []
        # For each, what its catalogue was when it was new.
        self._new: dict[str, object] = {}
        self._empty = ""

    def take(self) -> str:
        """The name of one with no row in it, which is the taker's until `give_back`."""
        if self._free:
            return self._free.pop()
        name = f"test_{next(self._numbers)}"
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE template STRATEGY FILE_COPY")
        with self._to(name) as connection:
            self._new[name] = connection.execute(_CATALOGUE).fetchone()
            self._empty = self._empty or _emptying(connection)
        return name

    def give_back(self, name: str) -> None:
        """Whoever is in it is thrown out, then it is emptied; one of which more than rows was changed is dropped."""
        with self._to(name) as connection:
            connection.execute(_OTHERS)
            as_new = connection.execute(_CATALOGUE).fetchone() == self._new[name]
            if as_new:
                connection.execute(self._empty)
        if as_new:
            self._free.append(name)
        else:
            self._server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _to(self, name: str) -> Connection:
        return psycopg.connect(self._server.url(name), autocommit=True)


def _emptying(connection: Connection) -> str:
    """What empties every table, whatever refers to whatever, and lets numbers begin as they began."""
    tables = [name for (name,) in connection.execute(_TABLES) if name != "alembic_version"]
    begun = [f"setval('{name}', {start}, false)" for name, start in connection.execute(_SEQUENCES)]
    statements = ["SET session_replication_role = replica"]
    statements += [f"DELETE FROM {name}" for name in tables]
    return "; ".join([*statements, "SELECT " + ", ".join(begun)])
