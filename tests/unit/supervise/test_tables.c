/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workers' answers about the command table that they were given, one of them compromised: its
 * answer alone does not prevent the change, and it is ended.
 *
 * LINK: appliance/supervise/workers.c appliance/base/bytes.c appliance/base/err.c
 * LINK: appliance/base/memfd.c appliance/base/sha256.c
 * LINK: appliance/base/sentence.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/utf8.c
 * LIBS: jansson nettle
 */
#include "appliance/supervise/ground.h"
#include "appliance/supervise/once.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/roles.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/sockets.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/workers.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/wire/ring.h"

#define FIRST 0u
#define OTHER 1u

static struct supervisor s;
static struct policy policy;
static struct ir ir;
static unsigned killed[SLOTS];
static const uint8_t refusal[32];

bool role_send(struct supervisor *of, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n)
{
	(void)of, (void)sl, (void)id, (void)fds, (void)n;
	assert_true(body->type == MSG_TABLE);
	return true;
}

void role_kill(struct supervisor *of, struct slot *sl)
{
	killed[sl - of->slots]++;
}

void role_event(struct supervisor *of, enum role role, uint32_t index, enum role_event what)
{
	(void)of, (void)role, (void)index, (void)what;
}

const char *role_name(enum role r)
{
	(void)r;
	return "dpi";
}

void roles_want(struct supervisor *of, unsigned slot)
{
	(void)of, (void)slot;
}

void supervisor_say(const struct supervisor *of, enum message m, ...)
{
	(void)of;
	assert_int_equal(m, M_WORKER_REFUSED);
}

bool slot_alive(const struct slot *sl)
{
	return sl->state == SLOT_RUNNING;
}

const char *slot_title(const struct slot *sl, char out[SLOT_TITLE])
{
	(void)sl;
	out[0] = 0;
	return out;
}

unsigned once_memory(const struct supervisor *of, uint32_t w, int ret[3])
{
	(void)of, (void)w, (void)ret;
	return 0;
}

void once_void(struct supervisor *of, enum lane_kind kind)
{
	(void)of, (void)kind;
}

int queue_socket(struct supervisor *of, uint32_t lane, uint8_t slots, struct err *e)
{
	(void)of, (void)lane, (void)slots, (void)e;
	return -1;
}

int ring_create(struct err *e)
{
	(void)e;
	return -1;
}

void table_drop(struct table *t)
{
	free(t->image);
	*t = (struct table){ 0 };
}

void vigil_begin(struct vigil *v, pid_t pid, int stat)
{
	(void)v, (void)pid, (void)stat;
}

struct event_generation event_generation(uint64_t number, const uint8_t digest[32])
{
	(void)number, (void)digest;
	return (struct event_generation){ 0 };
}

/* Two workers, each of which has been sent a table. */
static int begin(void **state)
{
	struct err e;
	struct table t = { .image = malloc(4), .n = 4 };

	(void)state;
	memset(&s, 0, sizeof(s));
	memset(killed, 0, sizeof(killed));
	s.workforce.table_fd = -1;
	policy.ir = &ir;
	s.gens.now = &policy;
	for (uint32_t w = FIRST; w <= OTHER; w++) {
		s.workforce.pairs[w].wanted = true;
		s.workforce.pairs[w].ring = s.workforce.pairs[w].wake = -1;
		s.slots[SLOT_DPI + w].state = SLOT_RUNNING;
	}
	memcpy(t.image, "rows", 4);
	return table_set(&s, &t, NULL, &e);
}

static int finish(void **state)
{
	(void)state;
	table_drop(&s.workforce.table);
	close(s.workforce.table_fd);
	return 0;
}

static void one_alone_has_no_veto(void **state)
{
	(void)state;
	worker_acked(&s.workforce, OTHER, refusal);
	/* the answer of the other worker is still missing */
	assert_int_equal(table_state(&s), TABLE_WAIT);
	worker_acked(&s.workforce, FIRST, s.workforce.digest);
	assert_int_equal(table_state(&s), TABLE_DISPUTED);
	workers_end_refusing(&s);
	assert_int_equal(killed[SLOT_DPI + OTHER], 1);
	assert_int_equal(killed[SLOT_DPI + FIRST], 0);
	assert_true(s.workforce.pairs[OTHER].distrusted && !s.workforce.pairs[FIRST].distrusted);
	/* Until the worker has ended, its answers do not count. */
	worker_acked(&s.workforce, OTHER, s.workforce.digest);
	assert_int_equal(table_state(&s), TABLE_WAIT);
	worker_died(&s.workforce, OTHER);
	assert_int_equal(table_state(&s), TABLE_WAIT);
	s.workforce.pairs[OTHER].owed = 1; /* as worker_start leaves it */
	worker_acked(&s.workforce, OTHER, s.workforce.digest);
	assert_int_equal(table_state(&s), TABLE_EQUAL);
}

static void all_together_have(void **state)
{
	(void)state;
	worker_acked(&s.workforce, FIRST, refusal);
	worker_acked(&s.workforce, OTHER, refusal);
	assert_int_equal(table_state(&s), TABLE_REFUSED);
}

/* If there are more answers than questions, the rest is ignored. */
static void what_nobody_asked_is_not_heard(void **state)
{
	(void)state;
	worker_acked(&s.workforce, FIRST, s.workforce.digest);
	worker_acked(&s.workforce, FIRST, refusal);
	worker_acked(&s.workforce, FIRST, refusal);
	worker_acked(&s.workforce, OTHER, s.workforce.digest);
	assert_int_equal(table_state(&s), TABLE_EQUAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_alone_has_no_veto, begin, finish),
		cmocka_unit_test_setup_teardown(all_together_have, begin, finish),
		cmocka_unit_test_setup_teardown(what_nobody_asked_is_not_heard, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
