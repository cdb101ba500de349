/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker had lent when it died: it stays with the kernel for its successor, unless the
 * worker may have been taken over. No session begins in the kernel without a worker.
 *
 * LINK: appliance/supervise/once.c appliance/cache/load.c appliance/base/%.c
 * LIBS: libbpf jansson nettle
 */
#include "appliance/supervise/once.h"
#include "appliance/supervise/supervise.h"
#include "tests/unit/cmocka.h"

#include <signal.h>
#include <stdlib.h>

static struct supervisor s;
static struct once_lease leases[ONCE_LEASES];
static struct once_handshakes handshakes[LANE_KINDS];

static void lend(void)
{
	memset(leases, 0, sizeof(leases));
	memset(handshakes, 0, sizeof(handshakes));
	leases[3].permit = 7;
	leases[3].state = ONCE_GIVEN;
	s.workforce.once.leases = leases;
	for (unsigned k = 0; k < LANE_KINDS; k++) {
		s.workforce.once.handshakes[k] = &handshakes[k];
		handshakes[k].alive_ns = 1;
		handshakes[k].of[5].mark = 9;
		handshakes[k].of[5].state = ONCE_GIVEN;
	}
}

/* True: everything that workers of this kind lent is void. */
static bool is_void(enum lane_kind kind)
{
	bool none = handshakes[kind].of[5].mark == 0 && handshakes[kind].of[5].state == ONCE_BACK;

	if (kind == LANE_COMMANDS)
		assert_int_equal(none, leases[3].permit == 0 && leases[3].state == ONCE_BACK);
	return none;
}

static void what_a_dead_worker_lent(void **state)
{
	static const struct {
		const char *what;
		int code, status;
		bool distrusted, gone;
	} deaths[] = {
		{ "an ordinary stop", CLD_EXITED, 0, false, false },
		{ "killed by somebody", CLD_KILLED, SIGKILL, false, false },
		{ "killed because it hung or broke rules", CLD_KILLED, SIGKILL, true, true },
		{ "a forbidden call", CLD_KILLED, SIGSYS, false, true },
		{ "a crash", CLD_DUMPED, SIGSEGV, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
		for (unsigned k = 0; k < LANE_KINDS; k++) {
			siginfo_t how = { .si_code = deaths[i].code };
			uint32_t w = pair_number((enum lane_kind)k, 0);

			how.si_status = deaths[i].status;
			lend();
			s.workforce.pairs[w].distrusted = deaths[i].distrusted;
			once_died(&s, w, &how);
			if (is_void((enum lane_kind)k) != deaths[i].gone)
				fail_msg("%s, kind %u", deaths[i].what, k);
			/* the worker's successor is trusted */
			assert_false(s.workforce.pairs[w].distrusted);
			assert_int_equal(handshakes[k].alive_ns, 0);
			/* the other kind's worker lives */
			assert_int_equal(handshakes[1u - k].alive_ns, 1);
			assert_false(is_void((enum lane_kind)(1u - k)));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_dead_worker_lent) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
