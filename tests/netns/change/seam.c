/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked with the daemon's unchanged objects, for the change matrix: it sets the daemon's clock,
 * makes one step of an apply fail, or takes memory away, without touching the clock or the disk of
 * the machine that runs it. The product has nothing of this: the linker redirects its calls
 * (`--wrap`), and without a page of orders each call goes on as usual.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/clock_source.h"
#include "appliance/box/box.h"
#include "appliance/box/loan.h"
#include "appliance/enforce/cut.h"
#include "appliance/enforce/verify.h"
#include "appliance/kernel/batch.h"
#include "appliance/role/sandbox.h"
#include "appliance/store/moment.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/worker/queue.h"
#include "dpi/inspect/inspect.h"

#define PAGE "/run/sekisho-test-change/run/seam"

/* As tests/netns/change/seam.py has them. */
enum point {
	POINT_STORE,	/* the generation is written */
	POINT_TABLE,	/* a worker accepts the table */
	POINT_DIGEST,	/* a worker reports which table it has */
	POINT_FORETELL, /* which sessions it cuts */
	POINT_BATCH,	/* the kernel's transaction */
	POINT_READ_BACK,
	POINT_FACTS,   /* addresses, links, routes */
	POINT_CONFIRM, /* the pointer to the generation that the next start loads is written */
	POINT_TRIED,   /* a worker reports whether it could load a table */
	POINT_HISTORY, /* the lines of all generations are written */
	/* the pointer was written, and nobody knows whether it will survive */
	POINT_POINTED,
	POINT_SILENT, /* a worker has the table and does not report it */
	POINTS
};

struct orders {
	int64_t wall_ns; /* the daemon's clock is ahead by this */
	struct {
		/* number of calls that still succeed; number of calls that then fail */
		int32_t skip, times;
	} at[POINTS];
	uint64_t no_more; /* an allocation of this many bytes or more fails; 0 = none does */
	/* the kernel's state of the clock: enum clock_sync + 1; 0 = the real one */
	int64_t sync;
	/* the time of the battery-backed clock, in seconds ahead of the machine's; NO_BATTERY =
	 * there is none; 0 = the machine's own */
	int64_t battery;
	char boot[40]; /* id of this start of the machine; "" = the machine's own */
	/* ns that pass at once for code that waits until the time source's state has settled */
	int64_t later_ns;
	/* a worker of this kind takes one packet at a time, and this long for each */
	int64_t slow_ns[LANE_KINDS];
	struct {
		/* a process that reaches this point stops there; number of processes that have */
		int32_t stands, came;
	} still[POINTS];
	int32_t eaters; /* number of further workers that use up memory without limit */
	/* ns by which the wall clock of every process is ahead. The monotonic clock is ahead only
	 * in the journal, so that no process seems late to another. */
	int64_t even_ns;
};

#define NO_BATTERY INT64_MIN
#define EATEN (16u << 20) /* bytes that a worker with nothing to do takes once a second */

static struct orders *orders;

static __attribute__((constructor)) void take_orders(void)
{
	int fd = open(PAGE, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	orders = p == MAP_FAILED ? NULL : p;
}

/* Takes one. If several processes do so at once, they take no more than there are. */
static bool take(int32_t *n)
{
	int32_t left = __atomic_load_n(n, __ATOMIC_RELAXED);

	while (left > 0)
		if (__atomic_compare_exchange_n(n, &left, left - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

static bool fails(enum point p)
{
	if (orders != NULL && __atomic_load_n(&orders->still[p].stands, __ATOMIC_RELAXED) != 0) {
		__atomic_add_fetch(&orders->still[p].came, 1, __ATOMIC_RELAXED);
		while (__atomic_load_n(&orders->still[p].stands, __ATOMIC_RELAXED) != 0)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	if (orders == NULL || __atomic_load_n(&orders->at[p].times, __ATOMIC_RELAXED) <= 0 || take(&orders->at[p].skip))
		return false;
	return take(&orders->at[p].times);
}

/* The replacement has the type of the original: the linker would not notice a different one. */
#define STANDS_FOR(f) __typeof__(f) __real_##f, __wrap_##f

STANDS_FOR(malloc);
STANDS_FOR(calloc);
STANDS_FOR(realloc);
STANDS_FOR(clock_mono);
STANDS_FOR(clock_wall_ns);
STANDS_FOR(clock_synchronised);
STANDS_FOR(clock_battery);
STANDS_FOR(clock_follow_look);
STANDS_FOR(loan_boot_id);
STANDS_FOR(atomic_write);
STANDS_FOR(inspector_table);
STANDS_FOR(inspector_tick);
STANDS_FOR(msg_send);
STANDS_FOR(enforce_cut);
STANDS_FOR(batch_commit);
STANDS_FOR(enforce_compare);
STANDS_FOR(box_set);
STANDS_FOR(sandbox_enter);
STANDS_FOR(sandbox_enter_pair);
STANDS_FOR(queue_receive);

static bool short_of(size_t n)
{
	uint64_t most = orders != NULL ? __atomic_load_n(&orders->no_more, __ATOMIC_RELAXED) : 0;

	if (most == 0 || n < most)
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return short_of(n) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return short_of(n * size) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return short_of(n) ? NULL : __real_realloc(p, n);
}

/* Takes memory in each tick, so that the worker goes on working and does not count as hung. */
uint64_t __wrap_inspector_tick(struct inspector *i)
{
	static bool eats;
	void *p;

	if (orders != NULL && !eats)
		eats = take(&orders->eaters);
	p = eats ? __real_malloc(EATEN) : NULL;
	if (p != NULL)
		memset(p, 1, EATEN);
	return __real_inspector_tick(i);
}

static enum role own_role = ROLE_SUPERVISOR;

static int64_t even(void)
{
	return orders != NULL ? __atomic_load_n(&orders->even_ns, __ATOMIC_RELAXED) : 0;
}

struct mono __wrap_clock_mono(void)
{
	struct mono now = __real_clock_mono();

	now.ns += own_role == ROLE_JOURNAL ? (uint64_t)even() : 0;
	return now;
}

uint64_t __wrap_clock_wall_ns(void)
{
	int64_t ahead = (orders != NULL ? __atomic_load_n(&orders->wall_ns, __ATOMIC_RELAXED) : 0) + even();

	return __real_clock_wall_ns() + (uint64_t)ahead;
}

enum clock_sync __wrap_clock_synchronised(void)
{
	int64_t sync = orders != NULL ? __atomic_load_n(&orders->sync, __ATOMIC_RELAXED) : 0;

	return sync != 0 ? (enum clock_sync)(sync - 1) : __real_clock_synchronised();
}

bool __wrap_clock_battery(int fd, uint64_t *ret_s)
{
	int64_t ahead = orders != NULL ? __atomic_load_n(&orders->battery, __ATOMIC_RELAXED) : 0;

	if (ahead == 0)
		return __real_clock_battery(fd, ret_s);
	*ret_s = __real_clock_wall_ns() / 1000000000u + (uint64_t)ahead;
	return ahead != NO_BATTERY;
}

bool __wrap_clock_follow_look(struct clock_follow *f, enum clock_sync word, struct mono now, uint64_t wall_ns)
{
	now.ns += orders != NULL ? (uint64_t)__atomic_load_n(&orders->later_ns, __ATOMIC_RELAXED) : 0;
	return __real_clock_follow_look(f, word, now, wall_ns);
}

void __wrap_loan_boot_id(char out[LOAN_BOOT_ID])
{
	if (orders != NULL && orders->boot[0] != 0)
		memcpy(out, orders->boot, LOAN_BOOT_ID);
	else
		__real_loan_boot_id(out);
}

int __wrap_atomic_write(int dirfd, const char *name, const void *p, size_t n, struct err *e)
{
	if (strncmp(name, "gen-", 4) == 0 && fails(POINT_STORE))
		return err_set(e, -ENOSPC, "write %s", name);
	if (strcmp(name, "history") == 0 && fails(POINT_HISTORY))
		return err_set(e, -EIO, "write %s", name);
	if (strcmp(name, "confirmed") == 0 && fails(POINT_CONFIRM))
		return err_set(e, -EIO, "write %s", name);
	if (strcmp(name, "confirmed") == 0 && fails(POINT_POINTED)) {
		(void)__real_atomic_write(dirfd, name, p, n, e);
		return err_set(e, -EIO, "sync the folder of %s", name);
	}
	return __real_atomic_write(dirfd, name, p, n, e);
}

bool __wrap_inspector_table(struct inspector *i, struct bytes image, uint8_t ret_digest[32])
{
	return !fails(POINT_TABLE) && __real_inspector_table(i, image, ret_digest);
}

int __wrap_msg_send(int fd, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds)
{
	struct msg_body other = *body;

	if (body->type == MSG_TABLE_ACK && fails(POINT_SILENT))
		return 0;
	if (body->type == MSG_TABLE_ACK && fails(POINT_DIGEST))
		other.table_ack.digest[0] ^= 1;
	if (body->type == MSG_FORETOLD && fails(POINT_TRIED))
		other.foretold.table = 0;
	return __real_msg_send(fd, id, &other, fds, n_fds);
}

int __wrap_enforce_cut(struct enforce *f, const struct generation_held *next, const struct image *have,
		       struct told *ret, struct err *e)
{
	return fails(POINT_FORETELL) ? err_set(e, -ENOMEM, "sessions that it cuts")
				     : __real_enforce_cut(f, next, have, ret, e);
}

/* Makes the kernel refuse the transaction of the policy: a set that rules use cannot be deleted. */
int __wrap_batch_commit(struct batch *b, struct netlink *n, struct err *e, uint32_t *ret_line)
{
	if (own_role == ROLE_ENFORCE && fails(POINT_BATCH))
		batch_set_delete(b, set_name(SET_LIVE));
	return __real_batch_commit(b, n, e, ret_line);
}

int __wrap_enforce_compare(struct enforce *f, struct arena *a, struct differences *ret, struct err *e)
{
	return fails(POINT_READ_BACK) ? err_set(e, -EIO, "read-back") : __real_enforce_compare(f, a, ret, e);
}

/* Fails after everything was set, as if the kernel had refused the last step. */
int __wrap_box_set(const struct box_spaces *s, const struct ir *ir, const struct ir *before, struct err *e)
{
	int r = __real_box_set(s, ir, before, e);

	return r == 0 && before != NULL && fails(POINT_FACTS) ? err_set(e, -EIO, "address") : r;
}

int __wrap_sandbox_enter(enum role r, struct err *e)
{
	own_role = r;
	return __real_sandbox_enter(r, e);
}

static unsigned own_kind = LANE_KINDS; /* the lanes of this process, if it is a worker */

int __wrap_sandbox_enter_pair(enum role r, enum lane_kind kind, struct err *e)
{
	if (r == ROLE_DPI)
		own_kind = (unsigned)kind;
	return __real_sandbox_enter_pair(r, kind, e);
}

/* A slow worker waits before each packet, but never stands still, so it does not count as hung. */
int __wrap_queue_receive(struct queue_reader *r, int fd, unsigned most)
{
	int64_t slow = orders != NULL && own_kind < LANE_KINDS
			       ? __atomic_load_n(&orders->slow_ns[own_kind], __ATOMIC_RELAXED)
			       : 0;

	if (slow == 0)
		return __real_queue_receive(r, fd, most);
	nanosleep(&(struct timespec){ .tv_nsec = slow }, NULL);
	return __real_queue_receive(r, fd, 1);
}
