"""The audit log is only ever added to: the database itself refuses to change or delete an entry, on either engine.

These statements are in the migration as they were when it was written; here they are for tables that are created
from the models, and for the one who may empty the log: a restore, which replaces all of the database.
"""

from sqlalchemy import Connection

REFUSE: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry"
        " BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END",
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry"
        " BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END",
        # INSERT OR REPLACE deletes without asking a trigger.
        "CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry"
        " WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)"
        " BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit log is never changed'; END $$",
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE OR DELETE ON audit_entry"
        " FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse()",
        "CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()",
    ),
}

ALLOW: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS audit_entry_no_update",
        "DROP TRIGGER IF EXISTS audit_entry_no_delete",
        "DROP TRIGGER IF EXISTS audit_entry_no_replace",
    ),
    "postgresql": (
        "DROP TRIGGER IF EXISTS audit_entry_no_update ON audit_entry",
        "DROP TRIGGER IF EXISTS audit_entry_no_truncate ON audit_entry",
        "DROP FUNCTION IF EXISTS audit_entry_refuse()",
    ),
}


def refuse_changes(connection: Connection) -> None:
    """From here on entries are only added."""
    for statement in REFUSE[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def allow_changes(connection: Connection) -> None:
    """Until the end of the transaction, or `refuse_changes`, the log can be emptied."""
    for statement in ALLOW[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def as_a_revision(statements: dict[str, tuple[str, ...]]) -> list[str]:
    """The lines of a revision that run these statements, so that a revision never changes with this file."""
    lines = ["    for statement in {\n"]
    for dialect, each in statements.items():
        lines += [f"        {dialect!r}: (\n", *(f"            {one!r},\n" for one in each), "        ),\n"]
    return [*lines, "    }[op.get_bind().dialect.name]:\n", "        op.execute(statement)\n"]
