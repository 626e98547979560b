"""what people set up for themselves"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('column_choice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('table_name', sa.String(length=64), nullable=False),
    sa.Column('columns', sa.String(length=2000), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_column_choice_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_column_choice')),
    sa.UniqueConstraint('account_id', 'table_name', name=op.f('uq_column_choice_account_id_table_name'))
    )


def downgrade() -> None:
    op.drop_table('column_choice')
