"""A claim is one worker's for its lease, and whoever lost it writes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from runtime.claims import Claimable, claim, claim_many, give_back, release, settle, still_mine

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


class Job(Claimable):
    """A row of work for these tests; its table exists only here."""

    class Meta:
        app_label = "runtime"
        db_table = "test_job"
        managed = False


@pytest.fixture(scope="module")
def jobs_table(django_db_setup, superuser):
    columns = "id bigserial PRIMARY KEY, attempts int NOT NULL, fence bigint NOT NULL, claimed_until timestamptz, next_attempt_at timestamptz"
    with superuser.connect() as boss:
        boss.execute(f"CREATE TABLE test_job ({columns})")
        boss.execute("GRANT ALL ON test_job, test_job_id_seq TO sigillo_app")
        yield
        boss.execute("DROP TABLE test_job")


@pytest.fixture
def job(jobs_table, committed):
    return Job.objects.create(next_attempt_at=NOON)


def test_a_due_row_is_claimed_with_a_new_fence_and_one_attempt_more(job):
    assert claim(Job, job.pk, at=NOON, lease=LEASE) == 1

    job.refresh_from_db()
    assert (job.fence, job.attempts, job.claimed_until) == (1, 1, NOON + LEASE)


def test_fifty_workers_at_once_and_one_gets_it(job):
    def try_it(_):
        try:
            return claim(Job, job.pk, at=NOON, lease=LEASE)
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        fences = list(pool.map(try_it, range(50)))

    assert sorted(fence for fence in fences if fence) == [1]


def test_a_claimed_row_is_free_again_after_its_lease_and_not_before(job):
    claim(Job, job.pk, at=NOON, lease=LEASE)

    assert claim(Job, job.pk, at=NOON + LEASE - timedelta(microseconds=1), lease=LEASE) is None
    assert claim(Job, job.pk, at=NOON + LEASE, lease=LEASE) == 2


def test_a_row_that_is_not_due_yet_is_not_claimed(job):
    assert claim(Job, job.pk, at=NOON - timedelta(seconds=1), lease=LEASE) is None


def test_a_settled_row_is_never_claimed_again(job):
    fence = claim(Job, job.pk, at=NOON, lease=LEASE)

    assert settle(Job, job.pk, fence)

    assert claim(Job, job.pk, at=NOON + timedelta(days=1000), lease=LEASE) is None


def test_a_released_row_waits_for_its_next_attempt(job):
    fence = claim(Job, job.pk, at=NOON, lease=LEASE)
    later = NOON + timedelta(minutes=5)

    assert release(Job, job.pk, fence, next_attempt_at=later)

    assert claim(Job, job.pk, at=later - timedelta(seconds=1), lease=LEASE) is None
    assert claim(Job, job.pk, at=later, lease=LEASE) == 2


def test_who_has_lost_the_claim_writes_nothing(job):
    slow = claim(Job, job.pk, at=NOON, lease=LEASE)
    quick = claim(Job, job.pk, at=NOON + LEASE, lease=LEASE)

    with transaction.atomic():
        assert not still_mine(Job, job.pk, slow)
    assert not settle(Job, job.pk, slow)
    assert not release(Job, job.pk, slow, next_attempt_at=NOON)

    with transaction.atomic():
        assert still_mine(Job, job.pk, quick)
    job.refresh_from_db()
    assert job.claimed_until == NOON + 2 * LEASE


def test_while_the_outcome_is_written_nobody_else_claims(job):
    fence = claim(Job, job.pk, at=NOON, lease=LEASE)

    with transaction.atomic():
        assert still_mine(Job, job.pk, fence)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(lambda: (claim(Job, job.pk, at=NOON + LEASE, lease=LEASE), connection.close())[0])
            assert other.result(timeout=2) is None


def test_a_claim_inside_a_transaction_is_refused(job):
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        claim(Job, job.pk, at=NOON, lease=LEASE)


def test_a_row_that_does_not_exist_is_not_claimed(job):
    assert claim(Job, job.pk + 1, at=NOON, lease=LEASE) is None


def due_jobs():
    return Job.objects.order_by("next_attempt_at", "pk")


def test_many_rows_are_claimed_in_one_statement_in_their_order(job, django_assert_num_queries):
    later = [Job.objects.create(next_attempt_at=NOON + timedelta(seconds=second)) for second in (2, 1, 3)]

    with django_assert_num_queries(3):  # and the two ends of its transaction
        taken = claim_many(due_jobs(), most=3, at=NOON + timedelta(seconds=9), lease=LEASE)

    assert taken == {job.pk: 1, later[1].pk: 1, later[0].pk: 1}
    assert claim_many(due_jobs(), most=3, at=NOON + timedelta(seconds=9), lease=LEASE) == {later[2].pk: 1}
    assert claim_many(due_jobs(), most=3, at=NOON + timedelta(seconds=9), lease=LEASE) == {}


def test_many_workers_at_once_share_the_rows_and_take_none_twice(jobs_table, committed):
    Job.objects.bulk_create(Job(next_attempt_at=NOON) for _ in range(400))

    def try_it(_):
        try:
            return [pk for _ in range(10) for pk in claim_many(due_jobs(), most=20, at=NOON, lease=LEASE)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = [pk for share in pool.map(try_it, range(8)) for pk in share]

    assert len(taken) == len(set(taken)) == 400


def test_a_batch_is_not_claimed_inside_a_transaction(job):
    with pytest.raises(RuntimeError), transaction.atomic():
        claim_many(due_jobs(), most=1, at=NOON, lease=LEASE)


def test_a_claim_given_back_costs_no_attempt_and_a_lost_one_stays_the_others(job):
    other = Job.objects.create(next_attempt_at=NOON)
    mine = claim_many(due_jobs(), most=2, at=NOON, lease=LEASE)
    assert claim(Job, other.pk, at=NOON + LEASE, lease=LEASE) == 2

    assert give_back(Job, mine) == 1

    job.refresh_from_db()
    other.refresh_from_db()
    assert (job.attempts, job.claimed_until, job.next_attempt_at) == (0, None, NOON)
    assert (other.attempts, other.claimed_until) == (2, NOON + LEASE + LEASE)
    assert give_back(Job, mine) == 0
    assert give_back(Job, {}) == 0
