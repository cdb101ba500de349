/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the verdict cache before the inspector of an evasion desk, natively built: the program, and
 * the part of the worker that lends. `lent` runs the tests once more with it, and begins every
 * session with answered requests, so that the kernel has it before the attack begins. What may
 * arrive is the same. To be included in the place of evasion_desk.h; the test links
 * appliance/cache/program.c and appliance/worker/lend.c.
 */
#ifndef SEKISHO_TESTS_UNIT_LENT_H
#define SEKISHO_TESTS_UNIT_LENT_H

#include <linux/bpf.h>

#include "appliance/worker/lend.h"
#include "tests/unit/dpi/evasion_desk.h"

static struct once_lease lent_leases[ONCE_LEASES];
static struct once_template lent_templates[ONCE_TEMPLATES];
static struct once_handshakes lent_handshakes;
static struct lends lent_lends;
static struct bytes lent_packet;
static bool lent_tracked; /* a session has begun: the kernel's rules take no SYN over it */
/* Sessions that the kernel had when the attack began, and packets that it passed from then on. */
static unsigned lent_sessions, lent_passed;

int once_match(struct __sk_buff *packet);
long once_load(const struct __sk_buff *packet, uint32_t at, void *to, uint32_t n);
uint64_t once_now(void);
struct once_lease *once_lease_at(uint32_t place);
const struct once_template *once_template_at(uint32_t place);
struct once_handshakes *once_handshakes_at(uint32_t place);

long once_load(const struct __sk_buff *packet, uint32_t at, void *to, uint32_t n)
{
	assert_true(packet->len == lent_packet.left && n > 0);
	if (at > lent_packet.left || n > lent_packet.left - at)
		return -14;
	memcpy(to, lent_packet.p + at, n);
	return 0;
}

uint64_t once_now(void)
{
	return desk_now;
}

struct once_lease *once_lease_at(uint32_t place)
{
	return place < ONCE_LEASES ? &lent_leases[place] : NULL;
}

const struct once_template *once_template_at(uint32_t place)
{
	return place < ONCE_TEMPLATES ? &lent_templates[place] : NULL;
}

struct once_handshakes *once_handshakes_at(uint32_t place)
{
	return place == 0 ? &lent_handshakes : NULL;
}

static bool lent_passes(const struct packet *p)
{
	bool syn = p->ip.left >= 40 && p->ip.p[0] == 0x45 && (p->ip.p[33] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	struct __sk_buff skb = { .len = (uint32_t)p->ip.left,
				 .mark = p->mark,
				 .priority = syn && lent_tracked ? 0 : ONCE_FINISHED,
				 .gso_size = p->checksums == CHECKSUM_UNREADY ? 1400 : 0 };

	lent_tracked |= syn;
	lent_handshakes.alive_ns = desk_now;
	lent_packet = p->ip;
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

/* The tests once more, with it. The number of failures. */
DESK_MAY_IDLE static int lent(int (*run)(void))
{
	int failed;

	for (uint32_t i = 0; i < ONCE_TEMPLATES; i++)
		lent_lends.free[i] = (uint16_t)i;
	lent_lends.n_free = ONCE_TEMPLATES;
	lent_lends.leases = lent_leases;
	lent_lends.templates = lent_templates;
	lent_lends.handshakes = &lent_handshakes;
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
