"""The front page: what waits for this person today, each number a way to its rows."""

import streamlit as st

from crm.i18n import _, marked, show
from crm.rbac import Actor
from crm.services.home import Count, Mine, Numbers, School, numbers
from crm.services.home_school import Teaching
from crm.store.session import reading
from crm.ui.session import now

CARD = 157
"""Pixels of a number's box: five beside each other on a desk, two on a phone."""


def home(actor: Actor) -> None:
    """Draws the numbers that concern the actor. Somebody without any reads where to begin."""
    with reading() as session:
        found = numbers(session, actor, now())
    if found.mine is not None:
        _mine(found.mine, None if found.school else found.pool)
    if found.school is not None:
        _school(found.school, found.pool)
    if found.teaching is not None:
        _teaching(found.teaching)
    _to_do(found, actor)


def _mine(mine: Mine, pool: Count | None) -> None:
    for sentence in mine.tonight.says:
        st.error(marked(sentence), icon=":material/timer_off:")
    st.subheader(_("My customers"), anchor=False)
    with st.container(horizontal=True):
        _figure(_("To the pool tonight"), show(mine.tonight.number), "my-customers")
        _figure(_("Within three days"), show(mine.soon), "my-customers")
        _figure(_("I hold"), show(mine.held), "my-customers")
        if mine.room is not None:
            _figure(_("Room for"), show(mine.room), "pool")
        _pool(pool)


def _school(school: School, pool: Count | None) -> None:
    st.subheader(_("Customers"), anchor=False)
    with st.container(horizontal=True):
        _figure(_("With consultants"), str(school.held.says), "customers", state="private")
        _figure(_("Waiting"), str(school.waiting.says), "customers", state="waiting")
        _figure(_("To the pool tonight"), str(school.tonight.says), "customers", state="private")
        _pool(pool)


def _pool(pool: Count | None) -> None:
    if pool is not None:
        _figure(_("Public pool"), str(pool.says), "pool")


def _teaching(mine: Teaching) -> None:
    st.subheader(_("My classes"), anchor=False)
    with st.container(horizontal=True):
        _figure(_("Days today"), show(mine.today), "attendance")
        _figure(_("Not confirmed yet"), show(mine.open), "attendance")
        if mine.apologies is not None:
            _figure(_("Apologies to decide"), show(mine.apologies), "attendance", tab="apologies", a_state="asked")
        if mine.to_score is not None:
            query = {"class": str(mine.first[0]), "day": str(mine.first[1])} if mine.first is not None else {}
            _figure(_("Homework to score"), show(mine.to_score), "gradebook", **query)


def _to_do(found: Numbers, actor: Actor) -> None:
    st.subheader(_("To do"), anchor=False)
    with st.container(horizontal=True):
        if found.mine is None and found.school is None:
            _pool(found.pool)
        if found.payments is not None:
            _figure(_("Payments to decide"), show(found.payments), "payments", state="pending")
        if found.homework is not None:
            _figure(_("Homework to hand in"), show(found.homework.due), "grades")
            _figure(_("Homework missing"), show(found.homework.missing), "grades")
        if actor.may("notifications.view"):
            _figure(_("Unread notices"), show(found.unread), "notifications")


def _figure(label: str, figure: str, page: str, **query: str) -> None:
    with st.container(border=True, width=CARD, gap="small"):
        st.metric(label, figure)
        st.page_link(f"pages/{page.replace('-', '_')}.py", label=_("Show"), query_params=query or None)
