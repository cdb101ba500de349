/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of the verdict cache in the kernel, after its verifier and compiler, and natively.
 * Both get the same packets with the same memory; most packets are the expected ones or nearly so.
 * Both must decide alike and leave the same memory. Only root may load the program; where the
 * kernel refuses it, there is nothing to compare.
 *
 * LINK: appliance/cache/%.c appliance/base/err.c appliance/base/errno_text.c
 * LIBS: libbpf
 */
#include <bpf/bpf.h>
#include <errno.h>

#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/cache/load.h"
#include "appliance/wire/mark.h"
#include "tests/unit/cache/native.h"

#define OBJECT "build/bpf/sekisho-once.o"
#define PACKETS 60000u
#define HANDSHAKES 3000u
#define ETHERNET 14u
#define PERMIT 7u
#define N 12u /* bytes of the poll */
#define ANSWER 13u

static struct cache loaded;
static struct once_lease *there; /* the kernel's leases, of which one is in use */
static struct once_template *templates_there;
static struct once_handshakes *handshakes_there;
static struct once_lease *here = native.leases; /* that one, natively */
static uint32_t place;
static uint8_t packet[ETHERNET + 700];

/* ---- packets --------------------------------------------------------------------------------- */

static uint32_t chance = 2463534242u;

static uint32_t draw(uint32_t n)
{
	chance ^= chance << 13;
	chance ^= chance >> 17;
	chance ^= chance << 5;
	return chance % n;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffffu);
}

static const uint8_t poll[N] = { 0, 9, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2 };
static const uint8_t answer[ANSWER] = { 0, 9, 0, 0, 0, 7, 1, 3, 4, 1, 2, 3, 4 };

static void give(bool six)
{
	struct once_lease l = { .state = ONCE_GIVEN,
				.permit = PERMIT,
				.client_port = 40000,
				.server_port = 502,
				.family = six ? 6 : 4,
				.words = { 5, 8 },
				.hops = { 60, 60 },
				.next = { draw(UINT32_MAX), draw(UINT32_MAX) },
				.last = ONCE_NOTHING,
				.waits = ONCE_NOTHING };
	uint32_t first;

	memset(&native.templates[0], 0, sizeof(native.templates[0]));
	native.templates[0].permit = PERMIT;
	native.templates[0].length = N;
	native.templates[0].answer = ANSWER;
	memcpy(native.templates[0].request, poll, N);
	memset((uint8_t *)native.templates[0].mask + 2, 0xff, N - 2);
	memcpy(native.templates[0].head, answer, 9);
	memset((uint8_t *)native.templates[0].head_mask + 2, 0xff, 7);
	for (uint8_t i = 0; i < 2; i++)
		native.templates[0].repeats[i] = (struct once_repeat){ .at = i, .from = i, .any = 0xff };
	l.acked[0] = l.next[0];
	l.acked[1] = l.next[1] - 4u;
	((uint8_t *)l.client)[six ? 15 : 3] = 1;
	((uint8_t *)l.server)[six ? 15 : 3] = 2;
	for (unsigned i = 0; i < ONCE_USES; i++)
		l.uses[i] = i == 1 ? 5 : 0;
	place = once_place(l.client, l.server, 40000u << 16 | 502u) + draw(ONCE_WAYS);
	first = place & ~(ONCE_WAYS - 1u);
	memset(there + first, 0, ONCE_WAYS * sizeof(*there));
	memset(native.leases + first, 0, ONCE_WAYS * sizeof(*there));
	here = &native.leases[place];
	*here = there[place] = l;
	templates_there[0] = native.templates[0];
}

static size_t put_ip(bool back, size_t n)
{
	uint8_t *ip = packet + ETHERNET;
	bool six = here->family == 6;
	size_t len = six ? 16 : 4;

	memset(packet, 0, sizeof(packet));
	put16(packet + 12, six ? 0x86dd : 0x0800);
	if (six) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)n);
		ip[6] = 6;
	} else {
		ip[0] = 0x45;
		put16(ip + 2, (uint32_t)n + 20u);
		ip[9] = 6;
	}
	ip[six ? 7 : 8] = 60;
	ip[(six ? 8 : 12) + len - 1] = back ? 2 : 1;
	ip[(six ? 8 : 12) + 2 * len - 1] = back ? 1 : 2;
	return six ? 40 : 20;
}

/* The packet that the lease expects next; or a bare acknowledgement. */
static void put_next(bool back)
{
	bool alone = draw(6) == 0;
	size_t data = alone ? 0 : back ? ANSWER : N, words = here->words[back], ip = put_ip(back, words * 4u + data);
	uint8_t *t = packet + ETHERNET + ip;

	put16(t, back ? 502 : 40000);
	put16(t + 2, back ? 40000 : 502);
	put32(t + 4, here->next[back]);
	put32(t + 8, here->next[!back]);
	t[12] = (uint8_t)(words << 4);
	t[13] = alone ? 0x10 : 0x18;
	if (words == 8)
		memcpy(t + 20, (uint8_t[]){ 1, 1, 8, 10 }, 4);
	memcpy(t + words * 4u, back ? answer : poll, data);
	if (!alone && back)
		memcpy(t + words * 4u, here->request, 2);
	if (!alone && !back)
		put16(t + words * 4u, draw(65536));
	native.bytes = ip + words * 4u + data;
}

static bool same_everywhere(uint32_t n)
{
	bool back = here->waits != ONCE_NOTHING;
	struct __sk_buff skb = { .mark = PERMIT, .priority = draw(32) != 0 ? ONCE_FINISHED : 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run);
	bool passes;

	if (draw(12) == 0)
		back = !back;
	put_next(back);
	/* one bit differs; not in the first byte, from which a test run takes the family */
	if (draw(3) == 0)
		packet[ETHERNET + 1 + draw((uint32_t)native.bytes - 1u)] ^= (uint8_t)(1u << draw(8));
	if (draw(20) == 0)
		native.bytes += draw(40); /* longer than it says */
	skb.mark |= back ? MARK_REPLY : 0;
	if (draw(30) == 0)
		skb.mark ^= 1u << draw(32);
	if (draw(40) == 0)
		here->state = there[place].state = draw(5);
	run.data_in = packet;
	run.data_size_in = (uint32_t)(ETHERNET + native.bytes);
	run.ctx_in = &skb;
	run.ctx_size_in = sizeof(skb);
	assert_int_equal(bpf_prog_test_run_opts(loaded.program, &run), 0);
	skb.len = (uint32_t)native.bytes;
	passes = once_match(&skb) != 0;
	here->seen_ns = there[place].seen_ns;
	if (passes != (run.retval != 0))
		fail_msg("packet %u: the kernel says %u", n, run.retval);
	if (memcmp(here, &there[place], sizeof(*here)) != 0)
		fail_msg("packet %u: the lease differs", n);
	return passes;
}

/* Skips the test if the program cannot be loaded here. A refusal by the verifier is a failure. */
static void load_or_skip(struct cache_memory *memory)
{
	struct err err = { 0 };

	if (geteuid() != 0 || access(OBJECT, R_OK) != 0) {
		print_message("the program is not loaded: %s\n", geteuid() != 0 ? "only root may"
										: "no clang made " OBJECT
										  " (images/deps deb installs it)");
		skip();
	}
	if (cache_load(OBJECT, memory, &loaded, &err) == 0)
		return;
	if (err.code != -EPERM && err.code != -ENOSYS)
		fail_msg("the kernel refuses the program: %s", err.text);
	print_message("this kernel lets nobody load programs: %s\n", err.text);
	skip();
}

static void kernel_and_native_say_the_same(void **state)
{
	struct cache_memory memory = { 0 };
	uint32_t passed = 0;

	(void)state;
	load_or_skip(&memory);
	there = cache_leases(&loaded);
	templates_there = cache_templates(&loaded);
	assert_true(there != NULL && templates_there != NULL);
	for (uint32_t n = 0; n < PACKETS; n++) {
		if (n == 0 || here->state != ONCE_GIVEN || draw(200) == 0)
			give(draw(2) == 0);
		passed += same_everywhere(n);
	}
	assert_in_range(passed, PACKETS / 4, PACKETS);
	cache_close(&loaded);
}

/* A segment of one of a few handshakes, or nearly so. */
static uint32_t put_handshake(void)
{
	static const uint8_t usual[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7 };
	uint32_t step = draw(5), words = step < 3 ? 5u + draw(6) : 5u, data = step > 3 ? draw(2) * N : 0;
	bool back = step == 2;
	size_t ip;
	uint8_t *t;

	here->family = draw(2) == 0 ? 6 : 4;
	ip = put_ip(back, words * 4u + data);
	t = packet + ETHERNET + ip;
	put16(t, back ? 502 : 40000);
	put16(t + 2, back ? 40000 : 502);
	put16(t + (back ? 2 : 0), 40000 + draw(3));
	put32(t + 4, back ? 900 : step < 2 ? 500 : 501);
	put32(t + 8, back ? 501 : step < 2 ? 0 : 901);
	t[12] = (uint8_t)(words << 4);
	t[13] = step < 2 ? 0x02 : back ? 0x12 : 0x10;
	memcpy(t + 20, usual, (words - 5u) * 4u);
	native.bytes = ip + words * 4u + data;
	return back ? MARK_REPLY : 0;
}

static void handshakes_are_the_same(void **state)
{
	uint32_t passed = 0;

	(void)state;
	load_or_skip(NULL);
	handshakes_there = cache_handshakes(&loaded);
	assert_non_null(handshakes_there);
	for (uint32_t n = 0; n < HANDSHAKES; n++) {
		struct __sk_buff skb = { .mark = mark_make(PERMIT, 3, MARK_UNJUDGED), .priority = ONCE_FINISHED };
		uint32_t at;
		LIBBPF_OPTS(bpf_test_run_opts, run);
		struct timespec now;
		bool passes;

		skb.mark |= put_handshake();
		if (draw(6) == 0)
			packet[ETHERNET + 1 + draw((uint32_t)native.bytes - 1u)] ^= (uint8_t)(1u << draw(8));
		if (draw(30) == 0)
			skb.mark ^= 1u << draw(32);
		skb.priority = draw(32) != 0 ? ONCE_FINISHED : 0;
		if (draw(8) == 0) /* a worker has caught up with all handshakes */
			for (at = 0; at < ONCE_HANDSHAKES; at++)
				native.handshakes.of[at].mark = handshakes_there->of[at].mark = 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
		handshakes_there->alive_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
		native.handshakes.alive_ns = 0;
		if (draw(20) == 0) {
			handshakes_there->alive_ns -= ONCE_ALIVE_NS;
			native.handshakes.alive_ns -= ONCE_ALIVE_NS + 1u;
		}
		run.data_in = packet;
		run.data_size_in = (uint32_t)(ETHERNET + native.bytes);
		run.ctx_in = &skb;
		run.ctx_size_in = sizeof(skb);
		assert_int_equal(bpf_prog_test_run_opts(loaded.program, &run), 0);
		skb.len = (uint32_t)native.bytes;
		passes = once_begin(&skb) != 0;
		if (passes != (run.retval != 0))
			fail_msg("packet %u: the kernel says %u", n, run.retval);
		passed += passes;
		for (at = 0; at < ONCE_HANDSHAKES; at++)
			native.handshakes.of[at].since_ns = handshakes_there->of[at].since_ns;
		if (memcmp(&native.handshakes.of, &handshakes_there->of, sizeof(native.handshakes.of)) != 0)
			fail_msg("packet %u: what is kept differs", n);
	}
	assert_in_range(passed, HANDSHAKES / 50, HANDSHAKES);
	cache_close(&loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(kernel_and_native_say_the_same),
					    cmocka_unit_test(handshakes_are_the_same) };

	native.packet = packet + ETHERNET;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
