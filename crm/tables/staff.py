"""The tables of staff and of the consultants' quotas."""

from dataclasses import replace

from sqlmodel import col

from crm.domain.staff import ConsultantQuota, Department, Employee
from crm.grid import Action, AnyOf, Column, EditForm, Form, Input, Related, TableConfig
from crm.i18n import says
from crm.services.access.permissions import ADMINISTERS
from crm.services.staff import staff, staff_limits
from crm.tables.site import site


def customers_held(quota: ConsultantQuota) -> str:
    """Where the customers are listed that this consultant holds."""
    return f"/customers?consultant={quota.employee_id}"


DEPARTMENT = ("code", "name")
NEW_DEPARTMENT = Form(fields=DEPARTMENT, run=staff.add_department, needs="staff.edit", title=says("Add a department"))
IN_A_DEPARTMENT = Input("department_code", create=replace(NEW_DEPARTMENT, title=says("New department")))

QUOTAS = site.register(
    TableConfig(
        name="staff",
        model=ConsultantQuota,
        title=says("Quotas"),
        rows=staff.quotas,
        key="employee_id",
        columns=(
            Column("employee_id", label=says("Consultant"), pinned=True, width=160, order=col(Employee.name)),
            Column(
                "weight", edit="staff.edit", help=says("The part in proportion: 20 gets twice as many as 10."), width=90
            ),
            Column(
                "share", look_up=staff.shares, label=says("Share"), help=says("Of the next 100 customers."), width=90
            ),
            Column("held", look_up=staff.held, kind="number", label=says("Holds now"), link=customers_held, width=100),
            Column("max_customers", edit="staff.edit", width=130),
            Column("today", look_up=staff.today, kind="number", label=says("New today"), width=100),
            Column("max_per_day", edit="staff.edit", help=says("Empty: no limit."), width=130),
            Column("accepting", edit="staff.edit", width=100),
            Column("away_until", edit="staff.edit", help=says("The last day away."), width=120),
        ),
        filters=(AnyOf("accepting"), Related("department", field="employee_id.department_code")),
        sort="employee_id",
        save=staff.save_quota,
        share="staff.share_views",
        empty=says("No consultant has a quota yet. Give an employee one, and customers can be shared out."),
    )
)

EMPLOYEES = site.register(
    TableConfig(
        name="employees",
        model=Employee,
        title=says("Staff"),
        rows=staff.employees,
        view="staff.view",
        prefix="emp_",
        columns=(
            Column("name", edit="staff.edit", pinned=True, width=160),
            Column("department_code", edit="staff.edit", width=180),
            Column("email", edit="staff.edit", width=220),
            Column("mobile", edit="staff.edit", width=140),
            Column("wecom", edit="staff.edit", width=140),
            Column(
                "account_id",
                edit=ADMINISTERS,
                see=ADMINISTERS,
                choose=staff.free_accounts,
                help=says("Whose customers somebody works with after signing in."),
                width=140,
            ),
            Column("active", edit="staff.edit", width=90),
        ),
        search=("name", "email"),
        filters=(Related("department", field="department_code"), AnyOf("active")),
        sort="name",
        save=staff.save_employee,
        locked=staff_limits.staff_of_others,
        add=Form(
            fields=(
                "name",
                IN_A_DEPARTMENT,
                "email",
                "mobile",
                "wecom",
                "account_id",
                Input(
                    "consults", label=says("Takes customers"), kind="yes_no", help=says("Gives a quota to start with.")
                ),
            ),
            run=staff.add_employee,
            needs="staff.edit",
            title=says("Add an employee"),
        ),
        edit=EditForm(
            fields=("name", IN_A_DEPARTMENT, "email", "mobile", "wecom", "account_id", "active"),
            needs="staff.edit",
            title=says("Edit the employee"),
        ),
        actions=(
            Action(
                "take-customers",
                says("Let take customers"),
                run=staff.give_quota_many,
                needs="staff.edit",
                done=says("{count} take customers now. How many, the quotas say."),
                icon=":material/group_add:",
            ),
        ),
        share="staff.share_views",
        empty=says("No staff yet. Begin with a department, then add who works in it."),
    )
)

DEPARTMENTS = site.register(
    TableConfig(
        name="departments",
        model=Department,
        title=says("Departments"),
        rows=staff.departments,
        view="staff.view",
        prefix="dep_",
        columns=(
            Column(
                "code",
                edit="staff.edit",
                help=says("A number of the school's own. It stays while somebody is in the department."),
                width=120,
            ),
            Column("name", label=says("Department"), edit="staff.edit", width=260),
        ),
        search=("name",),
        sort="code",
        save=staff.save_department,
        locked=staff_limits.departments_closed,
        add=NEW_DEPARTMENT,
        edit=EditForm(fields=DEPARTMENT, needs="staff.edit", title=says("Edit the department")),
        empty=says("No departments yet. Add the first, and then its staff."),
    )
)
