"""The tables of jobs: what runs when, and what became of it."""

from crm.domain.records import JobPlan, JobRun
from crm.grid import Action, AnyOf, Column, DateRange, TableConfig
from crm.i18n import Says, says
from crm.services.jobs import job_runs
from crm.services.jobs.job_names import title
from crm.tables.site import site

PLANS = site.register(
    TableConfig(
        name="jobs",
        model=JobPlan,
        title=says("Jobs"),
        rows=job_runs.plans,
        columns=(
            Column("job", show=title, pinned=True, width=190, sortable=False),
            Column("about", label=says("What it does"), show=Says.loaded, width=420, sortable=False),
            Column("rhythm", label=says("When"), show=Says.loaded, width=180, sortable=False),
            Column("next_due_at", label=says("Next"), width=150),
        ),
        sort="job",
        actions=(
            Action(
                "run",
                says("Run now"),
                run=job_runs.run_now,
                needs="jobs.run",
                confirm=says(
                    "Run {count} now? The expiry takes customers away whose time ran out, as at night; the others"
                    " do what they do every day."
                ),
                done=says("{count} asked for. The jobs process picks it up within seconds."),
                icon=":material/play_arrow:",
                each=True,
            ),
        ),
        empty=says("The jobs process has not run yet. It starts together with the app, or by: python -m jobs"),
    )
)

RUNS = site.register(
    TableConfig(
        name="job-runs",
        model=JobRun,
        title=says("Runs"),
        rows=job_runs.runs,
        view="jobs.view",
        prefix="run_",
        columns=(
            Column("job", show=title, width=190),
            Column("due_at", width=150),
            Column("outcome", width=110),
            Column("account", label=says("What came of it"), show=Says.loaded, width=420, sortable=False),
            Column("started_at", width=150),
            Column("finished_at", width=150),
            Column("attempts", width=90),
        ),
        filters=(AnyOf("job", choices=job_runs.names), AnyOf("outcome"), DateRange("due_at")),
        sort="-due_at",
        share="jobs.share_views",
        empty=says("No job has run yet."),
    )
)
