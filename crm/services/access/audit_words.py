"""The words for what the audit log keeps as names of tables, fields and values."""

from collections.abc import Mapping

from crm.i18n import Says, says

SUBJECTS: Mapping[str, Says] = {
    "account": says("Sign-in"),
    "apology": says("Apology"),
    "class_group": says("Class"),
    "consultant_quota": says("Quota"),
    "course": says("Course"),
    "course_record": says("Course record"),
    "customer": says("Customer"),
    "deleted_day": says("Deleted day"),
    "department": says("Department"),
    "employee": says("Employee"),
    "import_batch": says("Import"),
    "job_run": says("Job"),
    "notification": says("Notice"),
    "payment": says("Payment"),
    "role": says("Role"),
    "saved_view": says("Saved view"),
    "school": says("Campus"),
    "student": says("Student"),
    "study_record": says("Study record"),
}
"""Tables of whose rows entries tell."""

FIELDS: Mapping[str, Says] = {
    "account_id": says("Sign-in"),
    "active": says("May sign in"),
    "added": says("Given"),
    "amount_cents": says("Amount in cents"),
    "assigned": says("Assigned"),
    "attendance": says("Attendance"),
    "capacity": says("Capacity"),
    "class_group": says("Class"),
    "code": says("Code"),
    "consultant": says("Consultant"),
    "course_id": says("Course"),
    "created": says("Created"),
    "customer": says("Customer"),
    "customers": says("Customers"),
    "day": says("Day"),
    "days": says("Days"),
    "department_code": says("Department"),
    "employee": says("Employee"),
    "ends_on": says("Last day"),
    "extended_until": says("Extended until"),
    "fields": says("Fields"),
    "first": says("First"),
    "imported": says("Imported"),
    "job": says("Job"),
    "kept": says("Kept"),
    "kind": says("Kind"),
    "last": says("Last"),
    "lecturer_id": says("Lecturer"),
    "lecturer_ids": says("Lecturers"),
    "lecturers": says("Lecturers"),
    "makes_up": says("Makes up"),
    "max_customers": says("Most customers"),
    "month": says("Month"),
    "name": says("Name"),
    "password": says("Password"),
    "permissions": says("Permissions"),
    "price_cents": says("Price in cents"),
    "restored": says("Brought back"),
    "role": says("Role"),
    "roles": says("Roles"),
    "rows": says("Rows"),
    "school_id": says("Campus"),
    "semester": says("Semester"),
    "sessions": says("Sessions"),
    "starts_on": says("First day"),
    "state": says("State"),
    "taken": says("Confirmed"),
    "taken_back": says("Taken back"),
    "teacher_id": says("Class teacher"),
    "title": says("Title"),
    "waiting": says("Waiting"),
    "weight": says("Weight"),
    "wrong tries": says("Wrong tries"),
}
"""What the entries keep of a row, or of what was done. Where a field has no word here, its name stands."""

STAFF = ("assigned", "consultant", "employee", "lecturer_id", "lecturer_ids", "teacher_id")
"""Fields that keep numbers of employees: one, a list, or with how many each was given. A count alone is none."""

VALUES: Mapping[str, Says] = {
    "all": says("All"),
    "changed": says("changed"),
    "confirmed": says("confirmed"),
    "department": says("Department"),
    "ended": says("ended"),
    "own": says("Own"),
    "pending": says("awaits confirmation"),
    "rejected": says("rejected"),
    "reset": says("reset"),
}
"""Values that are words of the program."""
YES, NO = says("yes"), says("no")
