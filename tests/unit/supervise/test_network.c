/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records about addresses, links and routes that another program changed: one for each change,
 * and none because of other changes at the same time. The kernel is a list of differences; those
 * that can be restored are not in it at the next look.
 *
 * LINK: appliance/supervise/network.c appliance/wire/event.c
 * LINK: appliance/wire/protocols.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c
 * LINK: appliance/base/bytes.c appliance/base/clock.c appliance/base/sha256.c appliance/base/err.c
 * LIBS: jansson nettle
 */
#include "appliance/supervise/ground.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/network.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/supervise.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/box/announce.h"
#include "appliance/box/box.h"
#include "appliance/box/outside.h"
#include "appliance/box/rtnl.h"

#define MOST 64u

/* ---- the kernel's part ----------------------------------------------------------------------- */

static struct {
	char where[80], what[16], detail[80];
	bool stays;
} differs[MOST];
static size_t n_differs;
static const char *fails; /* the address or route that cannot be set, and the error */

int box_compare(const struct box_spaces *s, const struct ir *ir, bool mend, box_difference *each, void *ctx,
		struct err *e)
{
	size_t kept = 0;

	(void)s;
	(void)ir;
	assert_true(mend);
	for (size_t i = 0; i < n_differs; i++) {
		each(ctx, differs[i].where, differs[i].what, differs[i].detail);
		if (differs[i].stays)
			differs[kept++] = differs[i];
	}
	n_differs = kept;
	return fails != NULL ? err_set(e, -EBUSY, "%s", fails) : 0;
}

int outside_look(const struct box_spaces *s, const struct ir *ir, box_difference *each, void *ctx, struct err *e)
{
	(void)s;
	(void)ir;
	(void)each;
	(void)ctx;
	(void)e;
	return 0;
}

int box_interfaces(const struct box_spaces *s, const struct ir *ir, box_interface *each, void *ctx, struct err *e)
{
	(void)s;
	(void)ir;
	(void)each;
	(void)ctx;
	(void)e;
	return 0;
}

int box_announce(const struct box_spaces *s, const struct ir *ir, const struct ir_interface *i, const struct device *d,
		 struct err *e)
{
	(void)s;
	(void)ir;
	(void)i;
	(void)d;
	(void)e;
	return 0;
}

int rtnl_monitor_open(int nsfd, int homefd, bool facts, struct err *e)
{
	(void)nsfd;
	(void)homefd;
	(void)facts;
	(void)e;
	return 0;
}

int rtnl_rules_open(int nsfd, int homefd, struct err *e)
{
	(void)nsfd;
	(void)homefd;
	(void)e;
	return 0;
}

bool rtnl_monitor(int fd, void (*each)(void *ctx, const char *device), void *ctx, bool *lost)
{
	(void)fd;
	(void)each;
	(void)ctx;
	*lost = false;
	return true;
}

bool kept_left_alone(const void *supervisor, const char *device)
{
	(void)supervisor;
	(void)device;
	return false;
}

uint64_t mono_ns(void)
{
	return 1;
}

void supervisor_say(const struct supervisor *s, enum message m, ...)
{
	(void)s;
	(void)m;
}

/* ---- one box --------------------------------------------------------------------------------- */

static struct supervisor s;
static struct policy policy;
static struct ir ir;
static int records;
static uint64_t now;

static void differ(const char *where, const char *what, const char *detail, bool stays)
{
	assert_true(n_differs < MOST);
	snprintf(differs[n_differs].where, sizeof(differs[0].where), "%s", where);
	snprintf(differs[n_differs].what, sizeof(differs[0].what), "%s", what);
	snprintf(differs[n_differs].detail, sizeof(differs[0].detail), "%s", detail);
	differs[n_differs++].stays = stays;
}

static int open_all(void **state)
{
	struct err e = { 0 };
	int both[2];

	(void)state;
	s = (struct supervisor){ .gens.now = &policy, .gens.loading.booted = true, .op = { .kind = OP_NONE } };
	policy = (struct policy){ .ir = &ir, .number = 3 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, both), 0);
	s.ground.events.fd = both[0];
	records = both[1];
	return network_open(&s, &e);
}

/* Everything is as it should be, and the supervisor has seen that. */
static int begin(void **state)
{
	(void)state;
	n_differs = 0;
	fails = NULL;
	now += 60000000000ull;
	network_due(&s, now);
	return 0;
}

/* Looks again; returns the record of it, "" = none, and checks that there is at most one. */
static const char *looks(enum drift *ret_what)
{
	static struct event ev;
	uint8_t bytes[EVENT_WIRE_MAX];
	ssize_t n;

	now += 60000000000ull;
	network_due(&s, now);
	n = recv(records, bytes, sizeof(bytes), 0);
	if (n < 0)
		return "";
	assert_true(event_decode(bytes_of(bytes, (size_t)n), &ev));
	assert_int_equal(ev.kind, EVENT_DRIFT);
	*ret_what = (enum drift)ev.code;
	assert_int_equal(recv(records, bytes, sizeof(bytes), 0), -1);
	return ev.text[EVENT_OBJECT];
}

static void each_change_once(void **state)
{
	enum drift what;
	uint64_t at, before = network_drifts(&s, &at);

	(void)state;
	assert_string_equal(looks(&what), "");
	differ("interface tos", "missing", "10.1.0.1/24", false);
	assert_string_equal(looks(&what), "interface tos missing: 10.1.0.1/24");
	assert_int_equal(what, DRIFT_NETWORK);
	assert_string_equal(looks(&what), "");
	/* The same difference again is another change. */
	differ("interface tos", "missing", "10.1.0.1/24", false);
	assert_string_equal(looks(&what), "interface tos missing: 10.1.0.1/24");
	assert_int_equal(network_drifts(&s, &at), before + 2);
}

/* A missing device is reported once, also if something else is restored meanwhile. */
static void beside_what_cannot_be_mended(void **state)
{
	enum drift what;
	uint64_t at, before = network_drifts(&s, &at);

	(void)state;
	differ("interface crane", "gone", "eth1", true);
	assert_string_equal(looks(&what), "interface crane: eth1");
	/* Nobody changed anything: a card died. */
	assert_int_equal(what, DRIFT_GONE);
	assert_int_equal(network_drifts(&s, &at), before);
	assert_string_equal(looks(&what), "");
	differ("routes", "extra", "10.9.0.0/16 via 10.1.0.9", false);
	assert_string_equal(looks(&what), "routes extra: 10.9.0.0/16 via 10.1.0.9");
	assert_string_equal(looks(&what), "");
}

/* A difference that is restored is not reported as unrestored because an earlier one could not
 * be. */
static void beside_a_failure(void **state)
{
	enum drift what;

	(void)state;
	fails = "interface crane (eth1): set its MTU to 9000";
	assert_string_equal(looks(&what),
			    "box error: interface crane (eth1): set its MTU to 9000: Device or resource busy");
	assert_int_equal(what, DRIFT_UNMENDED);
	differ("interface tos", "changed", "down", false);
	assert_string_equal(looks(&what), "interface tos changed: down");
	assert_int_equal(what, DRIFT_NETWORK);
	assert_string_equal(looks(&what), "");
}

/* However many devices are missing, a change behind them in the list is recorded. */
static void behind_many(void **state)
{
	char device[16], text[80];
	enum drift what;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(device, sizeof(device), "card%u", i);
		differ("interface with_a_longer_name", "gone", device, true);
	}
	snprintf(text, sizeof(text), "%s", looks(&what));
	assert_string_equal(text, "interface with_a_longer_name: card0; interface with_a_longer_name: card1; inter");
	assert_string_equal(looks(&what), "");
	differ("routes", "missing", "10.9.0.0/16 via 10.1.0.9", false);
	assert_string_equal(looks(&what), "routes missing: 10.9.0.0/16 via 10.1.0.9");
	assert_string_equal(looks(&what), "");
}

/* If there are more differences than a record has room for, it states their number. */
static void more_than_a_record_holds(void **state)
{
	char detail[24];
	const char *text;
	enum drift what;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(detail, sizeof(detail), "10.%u.0.0/16 via link", i);
		differ("routes", "extra", detail, false);
	}
	text = looks(&what);
	assert_string_equal(text, "routes extra: 10.0.0.0/16 via link; routes extra: 10.1.0.0/16 via link; "
				  "routes extra: 10.2.0.0/16 via link; routes extra: 10.3.0.0/16 via link; +16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_change_once, begin),
		cmocka_unit_test_setup(beside_what_cannot_be_mended, begin),
		cmocka_unit_test_setup(beside_a_failure, begin),
		cmocka_unit_test_setup(behind_many, begin),
		cmocka_unit_test_setup(more_than_a_record_holds, begin),
	};

	return cmocka_run_group_tests(tests, open_all, NULL);
}
