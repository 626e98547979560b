"""The tables of campuses and courses."""

from crm.domain.school import Course, School
from crm.grid import AnyOf, Column, EditForm, Form, TableConfig
from crm.i18n import says
from crm.services.classes import courses
from crm.tables.site import site

SCHOOLS = site.register(
    TableConfig(
        name="schools",
        model=School,
        title=says("Campuses"),
        rows=courses.schools,
        view="courses.view",
        prefix="sch_",
        columns=(
            Column("name", label=says("Campus"), edit="courses.edit", pinned=True, width=240),
            Column("city", edit="courses.edit", width=160),
        ),
        search=("name", "city"),
        sort="name",
        save=courses.save_school,
        add=Form(fields=("name", "city"), run=courses.add_school, needs="courses.edit", title=says("Add a campus")),
        edit=EditForm(fields=("name", "city"), needs="courses.edit", title=says("Edit the campus")),
        empty=says("No campus yet. Add the first, then courses and classes."),
    )
)

COURSES = site.register(
    TableConfig(
        name="courses",
        model=Course,
        title=says("Courses"),
        rows=courses.courses,
        columns=(
            Column("name", label=says("Course"), edit="courses.edit", pinned=True, width=260),
            Column(
                "price_cents",
                edit="courses.edit",
                kind="money",
                help=says("What a new class costs unless it has a price of its own. In yuan."),
                width=130,
            ),
            Column("active", edit="courses.edit", width=100),
        ),
        search=("name",),
        filters=(AnyOf("active"),),
        sort="name",
        save=courses.save_course,
        add=Form(
            fields=("name", "price_cents"), run=courses.add_course, needs="courses.edit", title=says("Add a course")
        ),
        edit=EditForm(fields=("name", "price_cents", "active"), needs="courses.edit", title=says("Edit the course")),
        share="courses.share_views",
        empty=says("No courses yet. Add what is taught here."),
    )
)
