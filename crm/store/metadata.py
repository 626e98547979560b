"""Every table of the product under one name: what migrations compare with, what tests create."""

from sqlmodel import SQLModel

import crm.domain
import crm.rbac.tables  # noqa: F401

metadata = SQLModel.metadata
