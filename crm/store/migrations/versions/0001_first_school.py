"""first school"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('account',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('display_name', sa.String(length=100), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=True),
    sa.Column('password_hash', sa.String(length=100), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('locale', sa.String(length=8), nullable=True),
    sa.Column('session_epoch', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('name = lower(name)', name=op.f('ck_account_name_lower')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('name', name=op.f('uq_account_name'))
    )
    op.create_table('course',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('price_cents', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('price_cents >= 0', name=op.f('ck_course_price')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_course')),
    sa.UniqueConstraint('name', name=op.f('uq_course_name'))
    )
    op.create_table('department',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_department')),
    sa.UniqueConstraint('code', name=op.f('uq_department_code'))
    )
    op.create_table('job_plan',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('job', sa.String(length=64), nullable=False),
    sa.Column('about', sa.String(), nullable=False),
    sa.Column('rhythm', sa.String(), nullable=False),
    sa.Column('next_due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('alive_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('runner', sa.String(length=100), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job_plan')),
    sa.UniqueConstraint('job', name=op.f('uq_job_plan_job'))
    )
    op.create_table('role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('built_in', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_role')),
    sa.UniqueConstraint('name', name=op.f('uq_role_name'))
    )
    op.create_table('school',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('city', sa.String(length=100), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school')),
    sa.UniqueConstraint('name', name=op.f('uq_school_name'))
    )
    op.create_table('sharing_round',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('step', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('id = 1', name=op.f('ck_sharing_round_single')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sharing_round'))
    )
    op.create_table('sign_in_attempt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name_digest', sa.String(length=64), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_attempt'))
    )
    with op.batch_alter_table('sign_in_attempt', schema=None) as batch_op:
        batch_op.create_index('ix_sign_in_attempt_address', ['address', 'at'], unique=False)
        batch_op.create_index('ix_sign_in_attempt_name', ['name_digest', 'at'], unique=False)

    op.create_table('account_role',
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('role_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_role_account_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['role_id'], ['role.id'], name=op.f('fk_account_role_role_id'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('account_id', 'role_id', name=op.f('pk_account_role'))
    )
    with op.batch_alter_table('account_role', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_account_role_role_id'), ['role_id'], unique=False)

    op.create_table('audit_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=True),
    sa.Column('action', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=True),
    sa.Column('before', sa.String(), nullable=False),
    sa.Column('after', sa.String(), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_audit_entry_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entry_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entry_at'), ['at'], unique=False)
        batch_op.create_index('ix_audit_entry_subject', ['subject', 'subject_id'], unique=False)

    op.create_table('employee',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('department_code', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=True),
    sa.Column('email', sa.String(length=254), nullable=True),
    sa.Column('mobile', sa.String(length=32), nullable=True),
    sa.Column('wecom', sa.String(length=64), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_employee_account_id')),
    sa.ForeignKeyConstraint(['department_code'], ['department.code'], name=op.f('fk_employee_department_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_employee')),
    sa.UniqueConstraint('account_id', name=op.f('uq_employee_account_id'))
    )
    with op.batch_alter_table('employee', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_employee_department_code'), ['department_code'], unique=False)

    op.create_table('import_batch',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('file_name', sa.String(length=255), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('imported', sa.Integer(), nullable=False),
    sa.Column('duplicates', sa.Integer(), nullable=False),
    sa.Column('errors', sa.Integer(), nullable=False),
    sa.Column('assigned', sa.Integer(), nullable=False),
    sa.Column('waiting', sa.Integer(), nullable=False),
    sa.Column('imported_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('imported_by_id', sa.Integer(), nullable=True),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['imported_by_id'], ['account.id'], name=op.f('fk_import_batch_imported_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_batch'))
    )
    with op.batch_alter_table('import_batch', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_import_batch_digest'), ['digest'], unique=False)

    op.create_table('job_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('job', sa.String(length=64), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('alive_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Enum('asked', 'running', 'done', 'failed', name='joboutcome', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('runner', sa.String(length=100), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['asked_by_id'], ['account.id'], name=op.f('fk_job_run_asked_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job_run')),
    sa.UniqueConstraint('job', 'due_at', name=op.f('uq_job_run_job_due_at'))
    )
    with op.batch_alter_table('job_run', schema=None) as batch_op:
        batch_op.create_index('ix_job_run_recent', ['due_at'], unique=False)
        batch_op.create_index('uq_job_run_unfinished', ['job', 'outcome'], unique=True, sqlite_where=sa.text("outcome IN ('asked', 'running')"), postgresql_where=sa.text("outcome IN ('asked', 'running')"))

    op.create_table('notification',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('link', sa.String(length=300), nullable=False),
    sa.Column('state', sa.Enum('pending', 'sending', 'sent', 'failed', 'uncertain', name='noticestate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(length=500), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_notification_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notification'))
    )
    with op.batch_alter_table('notification', schema=None) as batch_op:
        batch_op.create_index('ix_notification_due', ['next_try_at'], unique=False, sqlite_where=sa.text('next_try_at IS NOT NULL'), postgresql_where=sa.text('next_try_at IS NOT NULL'))
        batch_op.create_index('ix_notification_inbox', ['account_id', 'channel', 'created_at'], unique=False)
        batch_op.create_index('ix_notification_outbox', ['created_at'], unique=False, sqlite_where=sa.text("channel <> 'app'"), postgresql_where=sa.text("channel <> 'app'"))
        batch_op.create_index('ix_notification_unread', ['account_id', 'channel'], unique=False, sqlite_where=sa.text('read_at IS NULL'), postgresql_where=sa.text('read_at IS NULL'))

    op.create_table('role_permission',
    sa.Column('role_id', sa.Integer(), nullable=False),
    sa.Column('page', sa.String(length=64), nullable=False),
    sa.Column('action', sa.String(length=64), nullable=False),
    sa.Column('reach', sa.Integer(), nullable=False),
    sa.CheckConstraint('reach BETWEEN 1 AND 3', name=op.f('ck_role_permission_reach')),
    sa.ForeignKeyConstraint(['role_id'], ['role.id'], name=op.f('fk_role_permission_role_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('role_id', 'page', 'action', name=op.f('pk_role_permission'))
    )
    op.create_table('saved_view',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('table_name', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('query', sa.String(length=2000), nullable=False),
    sa.Column('shared', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_saved_view_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_view')),
    sa.UniqueConstraint('account_id', 'table_name', 'name', name=op.f('uq_saved_view_account_id_table_name_name'))
    )
    op.create_table('sign_in',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('token_digest', sa.String(length=64), nullable=True),
    sa.Column('ticket_digest', sa.String(length=64), nullable=True),
    sa.Column('session_epoch', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('browser', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_sign_in_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in')),
    sa.UniqueConstraint('ticket_digest', name=op.f('uq_sign_in_ticket_digest')),
    sa.UniqueConstraint('token_digest', name=op.f('uq_sign_in_token_digest'))
    )
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sign_in_expires_at'), ['expires_at'], unique=False)

    op.create_table('consultant_quota',
    sa.Column('employee_id', sa.Integer(), nullable=False),
    sa.Column('weight', sa.Integer(), nullable=False),
    sa.Column('max_customers', sa.Integer(), nullable=False),
    sa.Column('max_per_day', sa.Integer(), nullable=True),
    sa.Column('accepting', sa.Boolean(), nullable=False),
    sa.Column('away_until', sa.Date(), nullable=True),
    sa.Column('served', sa.Integer(), nullable=False),
    sa.Column('carry', sa.Integer(), nullable=False),
    sa.Column('taking_part', sa.Boolean(), nullable=False),
    sa.Column('round_weight', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('max_customers >= 0', name=op.f('ck_consultant_quota_max_customers')),
    sa.CheckConstraint('max_per_day IS NULL OR max_per_day >= 0', name=op.f('ck_consultant_quota_max_per_day')),
    sa.CheckConstraint('served >= 0', name=op.f('ck_consultant_quota_served')),
    sa.CheckConstraint('weight >= 0 AND weight <= 1000', name=op.f('ck_consultant_quota_weight')),
    sa.ForeignKeyConstraint(['employee_id'], ['employee.id'], name=op.f('fk_consultant_quota_employee_id')),
    sa.PrimaryKeyConstraint('employee_id', name=op.f('pk_consultant_quota'))
    )
    op.create_table('customer',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('gender', sa.Enum('male', 'female', name='gender', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('phone', sa.String(length=20), nullable=True),
    sa.Column('qq', sa.String(length=20), nullable=True),
    sa.Column('wechat', sa.String(length=64), nullable=True),
    sa.Column('email', sa.String(length=254), nullable=True),
    sa.Column('education', sa.Enum('junior_high', 'high_school', 'vocational', 'college', 'bachelor', 'master', 'doctor', 'other', name='education', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('graduation_school', sa.String(length=100), nullable=True),
    sa.Column('major', sa.String(length=100), nullable=True),
    sa.Column('experience', sa.Enum('student', 'graduate', 'under_one', 'one_to_three', 'three_to_five', 'over_five', name='experience', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('work_status', sa.Enum('employed', 'unemployed', 'studying', name='workstatus', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('company', sa.String(length=100), nullable=True),
    sa.Column('salary', sa.Integer(), nullable=True),
    sa.Column('source', sa.Enum('search', 'advert', 'qq_group', 'wechat', 'douyin', 'referral', 'campus', 'walk_in', 'partner', 'other', name='source', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('referred_by_id', sa.Integer(), nullable=True),
    sa.Column('note', sa.String(length=2000), nullable=True),
    sa.Column('state', sa.Enum('waiting', 'private', 'public', 'enrolled', name='customerstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('consultant_id', sa.Integer(), nullable=True),
    sa.Column('last_consultant_id', sa.Integer(), nullable=True),
    sa.Column('follow_up_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deal_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('extended_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('waiting_reason', sa.String(length=500), nullable=True),
    sa.Column('import_batch_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'private') = (consultant_id IS NOT NULL)", name=op.f('ck_customer_holder')),
    sa.CheckConstraint("(state = 'private') = (follow_up_due_at IS NOT NULL AND deal_due_at IS NOT NULL)", name=op.f('ck_customer_deadlines')),
    sa.CheckConstraint('length(name) > 0', name=op.f('ck_customer_name')),
    sa.CheckConstraint('phone IS NOT NULL OR qq IS NOT NULL OR wechat IS NOT NULL', name=op.f('ck_customer_contact')),
    sa.CheckConstraint('salary IS NULL OR salary >= 0', name=op.f('ck_customer_salary')),
    sa.ForeignKeyConstraint(['consultant_id'], ['employee.id'], name=op.f('fk_customer_consultant_id')),
    sa.ForeignKeyConstraint(['created_by_id'], ['account.id'], name=op.f('fk_customer_created_by_id')),
    sa.ForeignKeyConstraint(['import_batch_id'], ['import_batch.id'], name=op.f('fk_customer_import_batch_id')),
    sa.ForeignKeyConstraint(['last_consultant_id'], ['employee.id'], name=op.f('fk_customer_last_consultant_id')),
    sa.ForeignKeyConstraint(['referred_by_id'], ['customer.id'], name=op.f('fk_customer_referred_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_customer'))
    )
    with op.batch_alter_table('customer', schema=None) as batch_op:
        batch_op.create_index('ix_customer_consultant', ['consultant_id', 'id'], unique=False)
        batch_op.create_index('ix_customer_created', ['created_at', 'id'], unique=False)
        batch_op.create_index('ix_customer_deal_due', ['deal_due_at'], unique=False, sqlite_where=sa.text('deal_due_at IS NOT NULL'), postgresql_where=sa.text('deal_due_at IS NOT NULL'))
        batch_op.create_index('ix_customer_deleted', ['deleted_at', 'id'], unique=False, sqlite_where=sa.text('deleted_at IS NOT NULL'), postgresql_where=sa.text('deleted_at IS NOT NULL'))
        batch_op.create_index('ix_customer_follow_up_due', ['follow_up_due_at'], unique=False, sqlite_where=sa.text('follow_up_due_at IS NOT NULL'), postgresql_where=sa.text('follow_up_due_at IS NOT NULL'))
        batch_op.create_index('ix_customer_holder', ['consultant_id', 'follow_up_due_at'], unique=False, sqlite_where=sa.text('consultant_id IS NOT NULL AND deleted_at IS NULL'), postgresql_where=sa.text('consultant_id IS NOT NULL AND deleted_at IS NULL'))
        batch_op.create_index(batch_op.f('ix_customer_import_batch_id'), ['import_batch_id'], unique=False)
        batch_op.create_index('ix_customer_referred_by_id', ['referred_by_id'], unique=False, sqlite_where=sa.text('referred_by_id IS NOT NULL'), postgresql_where=sa.text('referred_by_id IS NOT NULL'))
        batch_op.create_index('ix_customer_state', ['state', 'id'], unique=False)
        batch_op.create_index('ix_customer_wechat', ['wechat'], unique=False, sqlite_where=sa.text('wechat IS NOT NULL'), postgresql_where=sa.text('wechat IS NOT NULL'), postgresql_ops={'wechat': 'varchar_pattern_ops'})
        batch_op.create_index('uq_customer_phone', ['phone'], unique=True, sqlite_where=sa.text('phone IS NOT NULL AND deleted_at IS NULL'), postgresql_where=sa.text('phone IS NOT NULL AND deleted_at IS NULL'))
        batch_op.create_index('uq_customer_qq', ['qq'], unique=True, sqlite_where=sa.text('qq IS NOT NULL AND deleted_at IS NULL'), postgresql_where=sa.text('qq IS NOT NULL AND deleted_at IS NULL'))

    op.create_table('assignment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('consultant_id', sa.Integer(), nullable=False),
    sa.Column('origin', sa.Enum('shared', 'claimed', 'transferred', 'added', name='origin', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Enum('following', 'no_follow_up', 'no_deal', 'enrolled', 'transferred', 'released', 'left_school', name='outcome', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('closed_reason', sa.String(), nullable=True),
    sa.Column('opened_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint("(closed_at IS NULL) = (outcome = 'following')", name=op.f('ck_assignment_open')),
    sa.CheckConstraint('closed_at IS NULL OR closed_at >= opened_at', name=op.f('ck_assignment_order')),
    sa.ForeignKeyConstraint(['consultant_id'], ['employee.id'], name=op.f('fk_assignment_consultant_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_assignment_customer_id')),
    sa.ForeignKeyConstraint(['opened_by_id'], ['account.id'], name=op.f('fk_assignment_opened_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment'))
    )
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.create_index('ix_assignment_closed', ['closed_at'], unique=False, sqlite_where=sa.text('closed_at IS NOT NULL'), postgresql_where=sa.text('closed_at IS NOT NULL'))
        batch_op.create_index('ix_assignment_consultant', ['consultant_id', 'opened_at'], unique=False)
        batch_op.create_index('ix_assignment_customer', ['customer_id'], unique=False)
        batch_op.create_index('uq_assignment_open', ['customer_id'], unique=True, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))

    op.create_table('customer_course',
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['course_id'], ['course.id'], name=op.f('fk_customer_course_course_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_customer_course_customer_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('customer_id', 'course_id', name=op.f('pk_customer_course'))
    )
    op.create_table('payment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('deposit', 'tuition', 'class_change', 'withdrawal', 'refund', name='paymentkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('state', sa.Enum('pending', 'confirmed', 'rejected', name='paymentstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('amount_cents', sa.Integer(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('amount_cents > 0', name=op.f('ck_payment_amount')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_payment_customer_id')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['account.id'], name=op.f('fk_payment_recorded_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment'))
    )
    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payment_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index('ix_payment_pending', ['customer_id'], unique=False, sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))

    op.create_table('follow_up',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('consultant_id', sa.Integer(), nullable=False),
    sa.Column('assignment_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('channel', sa.Enum('phone', 'wechat', 'qq', 'visit', 'email', 'other', name='channel', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('note', sa.String(length=2000), nullable=False),
    sa.Column('next_step', sa.String(length=500), nullable=True),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_follow_up_assignment_id')),
    sa.ForeignKeyConstraint(['consultant_id'], ['employee.id'], name=op.f('fk_follow_up_consultant_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_follow_up_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_follow_up'))
    )
    with op.batch_alter_table('follow_up', schema=None) as batch_op:
        batch_op.create_index('ix_follow_up_consultant', ['consultant_id', 'at'], unique=False)
        batch_op.create_index('ix_follow_up_customer', ['customer_id', 'at'], unique=False)
    for statement in {
        'sqlite': (
            "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END",
            "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END",
            "CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END",
        ),
        'postgresql': (
            "CREATE OR REPLACE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is never changed'; END $$",
            'CREATE TRIGGER audit_entry_no_update BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse()',
            'CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()',
        ),
    }[op.get_bind().dialect.name]:
        op.execute(statement)



def downgrade() -> None:
    for statement in {
        'sqlite': (
            'DROP TRIGGER IF EXISTS audit_entry_no_update',
            'DROP TRIGGER IF EXISTS audit_entry_no_delete',
            'DROP TRIGGER IF EXISTS audit_entry_no_replace',
        ),
        'postgresql': (
            'DROP TRIGGER IF EXISTS audit_entry_no_update ON audit_entry',
            'DROP TRIGGER IF EXISTS audit_entry_no_truncate ON audit_entry',
            'DROP FUNCTION IF EXISTS audit_entry_refuse()',
        ),
    }[op.get_bind().dialect.name]:
        op.execute(statement)
    with op.batch_alter_table('follow_up', schema=None) as batch_op:
        batch_op.drop_index('ix_follow_up_customer')
        batch_op.drop_index('ix_follow_up_consultant')

    op.drop_table('follow_up')
    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.drop_index('ix_payment_pending', sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))
        batch_op.drop_index(batch_op.f('ix_payment_customer_id'))

    op.drop_table('payment')
    op.drop_table('customer_course')
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.drop_index('uq_assignment_open', sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.drop_index('ix_assignment_customer')
        batch_op.drop_index('ix_assignment_consultant')
        batch_op.drop_index('ix_assignment_closed', sqlite_where=sa.text('closed_at IS NOT NULL'), postgresql_where=sa.text('closed_at IS NOT NULL'))

    op.drop_table('assignment')
    with op.batch_alter_table('customer', schema=None) as batch_op:
        batch_op.drop_index('uq_customer_qq', sqlite_where=sa.text('qq IS NOT NULL AND deleted_at IS NULL'), postgresql_where=sa.text('qq IS NOT NULL AND deleted_at IS NULL'))
        batch_op.drop_index('uq_customer_phone', sqlite_where=sa.text('phone IS NOT NULL AND deleted_at IS NULL'), postgresql_where=sa.text('phone IS NOT NULL AND deleted_at IS NULL'))
        batch_op.drop_index('ix_customer_wechat', sqlite_where=sa.text('wechat IS NOT NULL'), postgresql_where=sa.text('wechat IS NOT NULL'), postgresql_ops={'wechat': 'varchar_pattern_ops'})
        batch_op.drop_index('ix_customer_state')
        batch_op.drop_index('ix_customer_referred_by_id', sqlite_where=sa.text('referred_by_id IS NOT NULL'), postgresql_where=sa.text('referred_by_id IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_customer_import_batch_id'))
        batch_op.drop_index('ix_customer_holder', sqlite_where=sa.text('consultant_id IS NOT NULL AND deleted_at IS NULL'), postgresql_where=sa.text('consultant_id IS NOT NULL AND deleted_at IS NULL'))
        batch_op.drop_index('ix_customer_follow_up_due', sqlite_where=sa.text('follow_up_due_at IS NOT NULL'), postgresql_where=sa.text('follow_up_due_at IS NOT NULL'))
        batch_op.drop_index('ix_customer_deleted', sqlite_where=sa.text('deleted_at IS NOT NULL'), postgresql_where=sa.text('deleted_at IS NOT NULL'))
        batch_op.drop_index('ix_customer_deal_due', sqlite_where=sa.text('deal_due_at IS NOT NULL'), postgresql_where=sa.text('deal_due_at IS NOT NULL'))
        batch_op.drop_index('ix_customer_created')
        batch_op.drop_index('ix_customer_consultant')

    op.drop_table('customer')
    op.drop_table('consultant_quota')
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_expires_at'))
        batch_op.drop_index(batch_op.f('ix_sign_in_account_id'))

    op.drop_table('sign_in')
    op.drop_table('saved_view')
    op.drop_table('role_permission')
    with op.batch_alter_table('notification', schema=None) as batch_op:
        batch_op.drop_index('ix_notification_unread', sqlite_where=sa.text('read_at IS NULL'), postgresql_where=sa.text('read_at IS NULL'))
        batch_op.drop_index('ix_notification_outbox', sqlite_where=sa.text("channel <> 'app'"), postgresql_where=sa.text("channel <> 'app'"))
        batch_op.drop_index('ix_notification_inbox')
        batch_op.drop_index('ix_notification_due', sqlite_where=sa.text('next_try_at IS NOT NULL'), postgresql_where=sa.text('next_try_at IS NOT NULL'))

    op.drop_table('notification')
    with op.batch_alter_table('job_run', schema=None) as batch_op:
        batch_op.drop_index('uq_job_run_unfinished', sqlite_where=sa.text("outcome IN ('asked', 'running')"), postgresql_where=sa.text("outcome IN ('asked', 'running')"))
        batch_op.drop_index('ix_job_run_recent')

    op.drop_table('job_run')
    with op.batch_alter_table('import_batch', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_import_batch_digest'))

    op.drop_table('import_batch')
    with op.batch_alter_table('employee', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_employee_department_code'))

    op.drop_table('employee')
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_entry_subject')
        batch_op.drop_index(batch_op.f('ix_audit_entry_at'))
        batch_op.drop_index(batch_op.f('ix_audit_entry_account_id'))

    op.drop_table('audit_entry')
    with op.batch_alter_table('account_role', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_account_role_role_id'))

    op.drop_table('account_role')
    with op.batch_alter_table('sign_in_attempt', schema=None) as batch_op:
        batch_op.drop_index('ix_sign_in_attempt_name')
        batch_op.drop_index('ix_sign_in_attempt_address')

    op.drop_table('sign_in_attempt')
    op.drop_table('sharing_round')
    op.drop_table('school')
    op.drop_table('role')
    op.drop_table('job_plan')
    op.drop_table('department')
    op.drop_table('course')
    op.drop_table('account')
