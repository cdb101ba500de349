/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts on their way to the kernel: which packets share a message, that a verdict for all
 * packets up to an id is sent only when nothing older waits, and that each packet is reported once
 * through the ring, together with whether the kernel was told.
 *
 * LINK: appliance/worker/verdicts.c appliance/worker/form.c appliance/wire/ring.c
 * LINK: appliance/base/err.c
 * LIBS: libmnl libnetfilter_queue
 */
#include "tests/unit/cmocka.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/wire/mark.h"
#include "appliance/worker/worker.h"

#define QUEUE 1224u /* the queue of the first lane with commands, slot 0; then slot 1 */
#define OTHER 1225u
#define UPTO 3u /* NFQNL_MSG_VERDICT_BATCH */

static int ends[2];
static struct worker w;
static struct ring shared;

/* The inspector hears of each decision, and of each send before and after it. */
static bool sending;

void inspector_decided(struct inspector *i)
{
	(void)i;
	assert_false(sending);
}

void inspector_sends(struct inspector *i)
{
	(void)i;
	assert_false(sending);
	sending = true;
}

void inspector_sent(struct inspector *i)
{
	(void)i;
	assert_true(sending);
	sending = false;
}

/* The ids that were reported through the ring since the last call, with a question mark if the gate
 * has to tell the kernel. */
static const char *reported(void)
{
	static char text[512];
	static uint32_t tail;
	uint8_t entry[64];
	struct ring_entry e;

	text[0] = '\0';
	while (ring_pop(&shared, &tail, entry) == RING_GOT) {
		size_t at = strlen(text);

		memcpy(&e, entry, sizeof(e));
		assert_int_equal(e.kind, RING_VERDICT);
		snprintf(text + at, sizeof(text) - at, "%u%s ", e.id, e.said ? "" : "?");
	}
	ring_consumed(&shared, tail);
	return text;
}

static int begin(void **state)
{
	uint8_t rest[4096];

	(void)state;
	while (recv(ends[1], rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
	w = (struct worker){ .ring = &shared, .verdicts = { .forms = true } };
	atomic_store(&shared.open, 1);
	(void)reported();
	return 0;
}

/* The next send: type, verdict (d drops) and id of each of its messages. */
static const char *sent(void)
{
	static char text[512];
	uint8_t buf[4096];
	ssize_t n = recv(ends[1], buf, sizeof(buf), MSG_DONTWAIT);

	text[0] = '\0';
	for (ssize_t at = 0; at + 32 <= n;) {
		struct nlmsghdr h;
		uint32_t verdict, id;
		size_t end = strlen(text);

		memcpy(&h, buf + at, sizeof(h));
		memcpy(&verdict, buf + at + 24, sizeof(verdict));
		memcpy(&id, buf + at + 28, sizeof(id));
		snprintf(text + end, sizeof(text) - end, "%s%s%u ", (h.nlmsg_type & 0xff) == UPTO ? "<=" : "",
			 ntohl(verdict) == 0 ? "d" : "", ntohl(id));
		at += (ssize_t)h.nlmsg_len;
	}
	return text;
}

static void take(uint16_t queue, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		verdicts_taken(&w.verdicts, queue);
}

static void accept_one(uint16_t queue, uint32_t id)
{
	verdicts_decide(&w, ends[0], queue, id, OUTCOME_ACCEPT, 7);
}

static void all_at_once(void **state)
{
	(void)state;
	take(QUEUE, 3);
	for (uint32_t id = 1; id <= 3; id++)
		accept_one(QUEUE, id);
	verdicts_flush(&w);
	assert_string_equal(sent(), "<=3 ");
	assert_string_equal(reported(), "1 2 3 ");
	verdicts_flush(&w);
	assert_string_equal(sent(), "");
}

/* Packet 1 waits: a verdict for all packets up to 3 would let it pass. */
static void one_waits(void **state)
{
	(void)state;
	take(QUEUE, 3);
	accept_one(QUEUE, 2);
	accept_one(QUEUE, 3);
	verdicts_flush(&w);
	assert_string_equal(sent(), "2 3 ");
	take(QUEUE, 2);
	accept_one(QUEUE, 4);
	accept_one(QUEUE, 5);
	verdicts_flush(&w);
	assert_string_equal(sent(), "4 5 ");
	verdicts_decide(&w, ends[0], QUEUE, 1, OUTCOME_DROP, 7);
	verdicts_flush(&w);
	assert_string_equal(sent(), "d1 ");
	take(QUEUE, 2);
	accept_one(QUEUE, 6);
	accept_one(QUEUE, 7);
	verdicts_flush(&w);
	assert_string_equal(sent(), "<=7 ");
}

/* Packets that wait in another slot do not matter. A packet of another slot ends the group. */
static void queues_count_for_themselves(void **state)
{
	(void)state;
	take(OTHER, 2);
	take(QUEUE, 2);
	accept_one(QUEUE, 1);
	accept_one(QUEUE, 2);
	accept_one(OTHER, 3);
	assert_string_equal(sent(), "<=2 ");
	verdicts_flush(&w);
	assert_string_equal(sent(), "3 ");
	assert_string_equal(reported(), "1 2 3 ");
}

/* The order of decisions counts. A packet that is older than the last one, or has another outcome
 * or permit, is not included in a verdict up to an id. */
static void not_the_same(void **state)
{
	(void)state;
	take(QUEUE, 6);
	accept_one(QUEUE, 2);
	accept_one(QUEUE, 1);
	assert_string_equal(sent(), "2 ");
	verdicts_decide(&w, ends[0], QUEUE, 3, OUTCOME_DROP, 7);
	assert_string_equal(sent(), "1 ");
	accept_one(QUEUE, 4);
	assert_string_equal(sent(), "d3 ");
	verdicts_decide(&w, ends[0], QUEUE, 5, OUTCOME_ACCEPT, 8);
	verdicts_decide(&w, ends[0], QUEUE, 6, OUTCOME_QUIET, 8);
	verdicts_flush(&w);
	assert_string_equal(sent(), "4 5 6 ");
	assert_string_equal(reported(), "2 1 3 4 5 6 ");
}

/* A single verdict for packets that are quiet and others that are not makes none quiet: the mark of
 * a session that still needs the worker would be wrong. */
static void quiet_with_others(void **state)
{
	static const enum outcome said[][3] = {
		{ OUTCOME_QUIET, OUTCOME_ACCEPT, OUTCOME_QUIET },
		{ OUTCOME_ACCEPT, OUTCOME_QUIET, OUTCOME_QUIET },
		{ OUTCOME_QUIET, OUTCOME_QUIET, OUTCOME_ACCEPT },
		{ OUTCOME_QUIET, OUTCOME_QUIET, OUTCOME_QUIET },
	};
	uint32_t id = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		enum mark_outcome want = i < 3 ? MARK_GOOD : MARK_QUIET;
		uint8_t m[64] = { 0 };
		uint32_t last, mark;

		take(QUEUE, 3);
		for (unsigned k = 0; k < 3; k++)
			verdicts_decide(&w, ends[0], QUEUE, ++id, said[i][k], 7);
		verdicts_flush(&w);
		assert_int_equal(recv(ends[1], m, sizeof(m), MSG_DONTWAIT), 40);
		memcpy(&last, m + 28, sizeof(last));
		memcpy(&mark, m + 36, sizeof(mark));
		assert_int_equal(m[4], UPTO);
		assert_int_equal(ntohl(last), id);
		assert_int_equal(ntohl(mark), mark_make(7, queue_lane(QUEUE), want));
	}
	take(QUEUE, 3);
	verdicts_decide(&w, ends[0], QUEUE, ++id, OUTCOME_QUIET, 7);
	verdicts_decide(&w, ends[0], QUEUE, ++id, OUTCOME_ACCEPT, 7);
	verdicts_decide(&w, ends[0], QUEUE, ++id, OUTCOME_CONFIRMED, 7);
	verdicts_flush(&w);
	assert_string_equal(sent(), "13 14 15 ");
	take(QUEUE, 2);
	verdicts_decide(&w, ends[0], QUEUE, ++id, OUTCOME_QUIET, 7);
	verdicts_decide(&w, ends[0], QUEUE, ++id, OUTCOME_CONFIRMED, 7);
	verdicts_flush(&w);
	assert_string_equal(sent(), "16 17 ");
}

/* Ids are serial numbers. */
static void ids_wrap(void **state)
{
	(void)state;
	take(QUEUE, 2);
	accept_one(QUEUE, UINT32_MAX);
	accept_one(QUEUE, 0);
	verdicts_flush(&w);
	assert_string_equal(sent(), "<=0 ");
}

static void more_than_one_verdict(void **state)
{
	(void)state;
	take(QUEUE, VERDICTS_MOST + 2);
	for (uint32_t id = 1; id <= VERDICTS_MOST + 2; id++)
		accept_one(QUEUE, id);
	/* two more packets wait behind them */
	assert_string_equal(sent(), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 ");
	assert_string_equal(sent(), "17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 ");
	for (uint32_t at = 32; at < VERDICTS_MOST; at += FORM_MOST)
		assert_string_not_equal(sent(), "");
	assert_string_equal(sent(), "");
	verdicts_flush(&w);
	assert_string_equal(sent(), "<=66 ");
}

/* More different verdicts than fit into a form: several sends, and the gate is told the result of
 * each packet. */
static void more_than_one_send(void **state)
{
	(void)state;
	take(QUEUE, FORM_MOST + 2);
	for (uint32_t id = 1; id <= FORM_MOST + 2; id++)
		verdicts_decide(&w, ends[0], QUEUE, id, OUTCOME_ACCEPT, 7 + id % 2);
	assert_string_equal(sent(), "");
	verdicts_flush(&w);
	assert_string_equal(sent(), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 ");
	assert_string_equal(sent(), "17 18 ");
	assert_string_equal(sent(), "");
	assert_string_equal(reported(), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 ");
	assert_int_equal(w.verdicts.open[queue_lane(QUEUE)][queue_slot(QUEUE)], 0);
}

/* The gate sends the verdict to the kernel in three cases: the cut lane, a lane without a socket,
 * and a worker that has no forms to send. */
static void what_the_gate_says(void **state)
{
	(void)state;
	take(1504, 1);
	verdicts_decide(&w, ends[0], 1504, 1, OUTCOME_DROP, 0);
	take(QUEUE, 2);
	verdicts_decide(&w, -1, QUEUE, 2, OUTCOME_ACCEPT, 7);
	verdicts_flush(&w);
	w.verdicts.forms = false;
	accept_one(QUEUE, 3);
	verdicts_flush(&w);
	assert_string_equal(reported(), "1? 2? 3? ");
	assert_string_equal(sent(), "");
}

/* The gate gave the worker up, and has discarded packet 3 unread. So the worker must not send a
 * verdict that covers all packets up to 5. */
static void given_up(void **state)
{
	(void)state;
	take(QUEUE, 2);
	accept_one(QUEUE, 1);
	accept_one(QUEUE, 2);
	verdicts_flush(&w);
	assert_string_equal(sent(), "<=2 ");
	atomic_store(&shared.open, 0);
	take(QUEUE, 2);
	accept_one(QUEUE, 4);
	accept_one(QUEUE, 5);
	verdicts_flush(&w);
	verdicts_decide(&w, ends[0], QUEUE, 6, OUTCOME_DROP, 7);
	verdicts_flush(&w);
	assert_string_equal(sent(), "");
	assert_string_equal(reported(), "1 2 4? 5? 6? ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_at_once, begin),
		cmocka_unit_test_setup(one_waits, begin),
		cmocka_unit_test_setup(queues_count_for_themselves, begin),
		cmocka_unit_test_setup(not_the_same, begin),
		cmocka_unit_test_setup(quiet_with_others, begin),
		cmocka_unit_test_setup(ids_wrap, begin),
		cmocka_unit_test_setup(more_than_one_verdict, begin),
		cmocka_unit_test_setup(more_than_one_send, begin),
		cmocka_unit_test_setup(what_the_gate_says, begin),
		cmocka_unit_test_setup(given_up, begin),
	};
	struct err e = { 0 };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0 || forms_make(&e) < 0) {
		print_error("%s\n", e.text);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
