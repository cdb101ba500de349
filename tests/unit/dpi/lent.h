/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the verdict cache, natively built, before the inspector of an evasion desk: its program, and
 * the part of the worker that lends sessions. `lent` runs the tests once more with the cache. It
 * begins every session with answered requests, so that the kernel has the session before the attack
 * begins. The same packets may arrive as without the cache. To be included in the place of
 * evasion_desk.h; the test links appliance/cache/program.c and appliance/worker/lend.c.
 */
#ifndef SEKISHO_TESTS_UNIT_LENT_H
#define SEKISHO_TESTS_UNIT_LENT_H

#include "appliance/worker/lend.h"
#include "tests/unit/cache/native.h"
#include "tests/unit/dpi/evasion_desk.h"

static struct lends lent_lends;
static struct lent_counts lent_again[ONCE_LEASES];
static bool lent_tracked; /* a session has begun: the kernel's rules take no SYN over it */
/* Sessions that the kernel had when the attack began, and packets that it passed from then on. */
static unsigned lent_sessions, lent_passed;

static bool lent_passes(const struct packet *p)
{
	bool syn = p->ip.left >= 40 && p->ip.p[0] == 0x45 && (p->ip.p[33] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	struct __sk_buff skb = { .len = (uint32_t)p->ip.left,
				 .mark = p->mark,
				 .priority = syn && lent_tracked ? 0 : ONCE_FINISHED,
				 .gso_size = p->checksums == CHECKSUM_UNREADY ? 1400 : 0 };

	lent_tracked |= syn;
	native.handshakes.alive_ns = native.now = desk_now;
	native.packet = p->ip.p;
	native.bytes = p->ip.left;
	if (once_match(&skb)) {
		lent_passed++;
		return true;
	}
	lends_before(&lent_lends, desk_i, p);
	return false;
}

static void lent_after(void)
{
	lends_after(&lent_lends, desk_i);
}

static void lent_look(void)
{
	lends_look(&lent_lends, desk_i, desk_now);
}

static void lent_begin(void)
{
	lends_take_all_back(&lent_lends, desk_i);
	lent_tracked = false;
}

/* The kernel has the session now, if its protocol can be lent at all. */
static void lent_speak(void)
{
	unsigned before = lent_passed;

	for (unsigned k = 0; k < 4; k++) {
		assert_int_equal(desk_send(&trial.k, DIR_C2S, now.read.b, now.read.n), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&trial.k, DIR_S2C, now.answer.b, now.answer.n), OUTCOME_ACCEPT);
	}
	lent_sessions += lent_lends.n_given;
	lent_passed = before;
}

/* Runs the tests once more, with the cache. Returns the number of failures. */
DESK_MAY_IDLE static int lent(int (*run)(void))
{
	int failed;

	lent_lends.leases = native.leases;
	lent_lends.again = lent_again;
	templates_begin(&lent_lends.templates, native.templates);
	lent_lends.handshakes = &native.handshakes;
	desk_front.passes = lent_passes;
	desk_front.after = lent_after;
	desk_front.begin = lent_begin;
	desk_front.look = lent_look;
	desk_front.offer = &lent_lends.offer;
	desk_front.speak = lent_speak;
	failed = run();
	printf("the kernel had %u sessions when the attack began, and passed %u packets from then on\n", lent_sessions,
	       lent_passed);
	return failed + (lent_sessions == 0);
}

#endif
