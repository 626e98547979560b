"""Permissions as a component of its own: roles, pages, actions, and the reach of each.

It knows nothing of the product around it. Its one wish of a host: a table `account` with an integer key.
"""

from crm.rbac.actor import Actor, Grants, Reach, covers, merge, narrowed
from crm.rbac.catalogue import Catalogue, Page
from crm.rbac.scope import Scope

__all__ = ["Actor", "Catalogue", "Grants", "Page", "Reach", "Scope", "covers", "merge", "narrowed"]
