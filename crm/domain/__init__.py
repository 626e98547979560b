"""Tables by subject, and the rules as pure functions: values in, decision and reason out.

Importing this package declares every table, so that metadata is complete.
"""

from crm.domain import (  # noqa: F401
    accounts,
    classes,
    customers,
    episodes,
    imports,
    payments,
    records,
    school,
    staff,
    students,
    teaching,
)
