"""The payments of one student, by class: what the sums on the student open to."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.payments import Payment
from crm.domain.students import Student
from crm.rbac import Actor
from crm.services.students import payments


def by_class(session: Session, actor: Actor, student_id: int) -> Mapping[int | None, list[Payment]]:
    """Class -> its payments as they were recorded, of those that the actor may see in the list of payments.

    A change of class moves money from one to the other, so it stands with both; what is for no class, under None.
    """
    whose = select(col(Student.customer_id)).where(col(Student.id) == student_id).scalar_subquery()
    seen = payments.visible_to(session, actor).where(col(Payment.customer_id) == whose)
    found: dict[int | None, list[Payment]] = defaultdict(list)
    for one in session.scalars(seen.order_by(col(Payment.recorded_at), col(Payment.id))):
        for key in {one.class_group_id, one.from_class_group_id} if one.from_class_group_id else {one.class_group_id}:
            found[key].append(one)
    return found
