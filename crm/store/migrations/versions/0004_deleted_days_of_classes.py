"""deleted days of classes"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('deleted_day',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('record_id', sa.Integer(), nullable=False),
    sa.Column('class_group_id', sa.Integer(), nullable=False),
    sa.Column('day_number', sa.Integer(), nullable=False),
    sa.Column('held_on', sa.Date(), nullable=False),
    sa.Column('title', sa.String(length=100), nullable=False),
    sa.Column('kept', sa.String(), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['class_group_id'], ['class_group.id'], name=op.f('fk_deleted_day_class_group_id')),
    sa.ForeignKeyConstraint(['deleted_by_id'], ['account.id'], name=op.f('fk_deleted_day_deleted_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deleted_day'))
    )
    with op.batch_alter_table('deleted_day', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_deleted_day_class_group_id'), ['class_group_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_deleted_day_deleted_at'), ['deleted_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_deleted_day_record_id'), ['record_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('deleted_day', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_deleted_day_record_id'))
        batch_op.drop_index(batch_op.f('ix_deleted_day_deleted_at'))
        batch_op.drop_index(batch_op.f('ix_deleted_day_class_group_id'))
    op.drop_table('deleted_day')
