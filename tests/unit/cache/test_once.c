/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of the verdict cache, compiled natively: a poll and its answer pass, and any
 * deviation gives the lease back unchanged; handshakes and ends of sessions pass, and any deviation
 * visits the worker. What a worker writes into its memory cannot affect
 * anything else.
 *
 * LINK: appliance/cache/program.c
 */
#include "tests/unit/cmocka.h"

#include <stdbool.h>

#include "appliance/wire/mark.h"
#include "tests/unit/cache/native.h"

#define PERMIT 7u
#define CLIENT 1000u /* next sequence numbers */
#define SERVER 5000u
#define N 12u /* bytes of the poll */
#define ANSWER 13u

static uint8_t packet[2048];
static struct once_lease *lease;

/* ---- packets --------------------------------------------------------------------------------- */

struct sent {
	bool six, back, unfinished;
	uint32_t number, acknowledged, mark, cut;
	uint8_t flags, hops, words;
	const uint8_t *data;
	size_t n;
	uint8_t options[20];
};

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

static void put_ip(const struct sent *s, size_t n)
{
	static const uint8_t ends[2] = { 1, 2 };
	size_t len = s->six ? 16 : 4;
	uint8_t *at = packet + (s->six ? 8 : 12);

	if (s->six) {
		packet[0] = 0x60;
		put16(packet + 4, (uint32_t)n);
		packet[6] = 6;
		packet[7] = s->hops;
	} else {
		packet[0] = 0x45;
		put16(packet + 2, (uint32_t)n + 20u);
		packet[8] = s->hops;
		packet[9] = 6;
	}
	at[len - 1] = ends[s->back];
	at[2 * len - 1] = ends[!s->back];
}

static bool passes_as(const struct sent *s)
{
	size_t ip = s->six ? 40 : 20, head = s->words * 4u;
	struct __sk_buff skb = { .mark = s->mark | (s->back ? MARK_REPLY : 0),
				 .priority = s->unfinished ? 0 : ONCE_FINISHED,
				 .gso_size = s->cut };
	uint8_t *t = packet + ip;

	memset(packet, 0, sizeof(packet));
	put_ip(s, head + s->n);
	put16(t, s->back ? 502 : 40000);
	put16(t + 2, s->back ? 40000 : 502);
	put32(t + 4, s->number);
	put32(t + 8, s->acknowledged);
	t[12] = (uint8_t)(s->words << 4);
	t[13] = s->flags;
	if (s->words > 5)
		memcpy(t + 20, s->options, head - 20u < 20 ? head - 20u : 20);
	if (s->n > 0)
		memcpy(t + head, s->data, s->n);
	native.bytes = ip + head + s->n;
	skb.len = (uint32_t)native.bytes;
	return once_match(&skb) != 0;
}

/* The poll with another transaction number, its answer with the same number, and an
 * acknowledgement. */
static uint8_t poll[N] = { 0, 9, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2 };
static uint8_t answer[ANSWER] = { 0, 9, 0, 0, 0, 7, 1, 3, 4, 1, 2, 3, 4 };

static struct sent asks(void)
{
	return (struct sent){ .number = CLIENT,
			      .acknowledged = SERVER,
			      .mark = mark_make(PERMIT, 1, MARK_UNJUDGED),
			      .flags = 0x18,
			      .hops = 60,
			      .words = 5,
			      .data = poll,
			      .n = N };
}

static struct sent says(void)
{
	struct sent s = asks();

	s.back = true;
	s.number = SERVER;
	s.acknowledged = CLIENT + N;
	s.data = answer;
	s.n = ANSWER;
	return s;
}

static void give(bool six)
{
	static const uint8_t ends[2] = { 1, 2 };
	struct once_template *t = &native.templates[1];
	uint32_t place;

	memset(native.leases, 0, sizeof(native.leases));
	memset(native.templates, 0, sizeof(native.templates));
	native.recalled = NULL;
	t->permit = PERMIT;
	t->length = N;
	t->answer = ANSWER;
	memcpy(t->request, poll, N);
	memset((uint8_t *)t->mask + 2, 0xff, N - 2);
	memcpy(t->head, answer, 9);
	memset((uint8_t *)t->head_mask + 2, 0xff, 7);
	t->repeats[0] = (struct once_repeat){ .at = 0, .from = 0, .any = 0xff };
	t->repeats[1] = (struct once_repeat){ .at = 1, .from = 1, .any = 0xff };
	lease = &native.leases[0];
	*lease = (struct once_lease){ .permit = PERMIT,
				      .client_port = 40000,
				      .server_port = 502,
				      .family = six ? 6 : 4,
				      .words = { 5, 5 },
				      .hops = { 60, 60 },
				      .next = { CLIENT, SERVER },
				      .acked = { CLIENT, SERVER - 3 },
				      .uses = { 1, 1, 1, 1 },
				      .last = ONCE_NOTHING,
				      .waits = ONCE_NOTHING };
	memcpy((uint8_t *)lease->client + (six ? 15 : 3), &ends[0], 1);
	memcpy((uint8_t *)lease->server + (six ? 15 : 3), &ends[1], 1);
	place = once_place(lease->client, lease->server, 40000u << 16 | 502u);
	native.leases[place + 2] = *lease;
	memset(lease, 0, sizeof(*lease));
	lease = &native.leases[place + 2];
	lease->state = ONCE_GIVEN;
}

/* ---- what passes by the worker --------------------------------------------------------------- */

static void poll_and_answer_go_by(void **state)
{
	(void)state;
	for (unsigned six = 0; six < 2; six++) {
		struct sent s;

		give(six != 0);
		for (uint32_t k = 0; k < 3; k++) {
			poll[1] = answer[1] = (uint8_t)(20 + k);
			answer[12] = (uint8_t)k; /* what was read differs */
			s = asks();
			s.six = six != 0;
			s.number += k * N;
			s.acknowledged += k * ANSWER;
			assert_true(passes_as(&s));
			assert_int_equal(lease->waits, 0);
			s = says();
			s.six = six != 0;
			s.number += k * ANSWER;
			s.acknowledged += k * N;
			assert_true(passes_as(&s));
			assert_int_equal(lease->waits, ONCE_NOTHING);
		}
		assert_int_equal(lease->state, ONCE_GIVEN);
		assert_int_equal(lease->next[0], CLIENT + 3 * N);
		assert_int_equal(lease->next[1], SERVER + 3 * ANSWER);
		assert_int_equal(lease->acked[0], CLIENT + 3 * N);
		assert_int_equal(lease->acked[1], SERVER + 2 * ANSWER);
		assert_int_equal(lease->asked[0], 3);
		assert_int_equal(lease->seen_ns, 77);
		assert_memory_equal(lease->request, poll, N);
		assert_memory_equal(lease->answer, answer, ANSWER);
		s = asks(); /* an acknowledgement of everything, without data, sent twice */
		s.six = six != 0;
		s.number += 3 * N;
		s.acknowledged += 3 * ANSWER;
		s.flags = 0x10;
		s.n = 0;
		assert_true(passes_as(&s));
		assert_int_equal(lease->acked[1], SERVER + 3 * ANSWER);
		assert_true(passes_as(&s));
	}
}

/* Called after an exchange that passed, so that the lease has contents: expects the lease to be
 * given back with its contents unchanged. */
static void misses(const struct sent *s, const char *what)
{
	struct once_lease was = *lease;

	if (passes_as(s))
		fail_msg("%s: it went by", what);
	if (lease->state != ONCE_BACK)
		fail_msg("%s: the lease is not given back", what);
	was.state = ONCE_BACK;
	memcpy(was.answer, lease->answer, lease->acked[1] == lease->next[1] ? sizeof(was.answer) : 0);
	if (memcmp(&was, lease, sizeof(was)) != 0)
		fail_msg("%s: the lease is another", what);
	*lease = was;
	lease->state = ONCE_GIVEN;
}

static struct sent next_ask(void)
{
	struct sent s = asks();

	s.number += N;
	s.acknowledged += ANSWER;
	return s;
}

static void whatever_else_gives_it_back(void **state)
{
	static const uint8_t flags[] = { 0x00, 0x08, 0x19, 0x11, 0x1a, 0x1c, 0x38, 0x58, 0x98, 0xff };
	struct sent s = asks();
	uint8_t other[2 * N];

	(void)state;
	give(false);
	assert_true(passes_as(&s));
	s = says();
	assert_true(passes_as(&s));
	for (size_t i = 2; i < N; i++) {
		memcpy(other, poll, N);
		other[i] ^= 0x10;
		s = next_ask();
		s.data = other;
		misses(&s, "a byte of the request");
	}
	memcpy(other, poll, N);
	memcpy(other + N, poll, N);
	s = next_ask();
	s.data = other;
	for (s.n = 1; s.n <= 2 * N; s.n++)
		if (s.n != N)
			misses(&s, "its length");
	for (int by = -3; by <= 3; by++) {
		s = next_ask();
		s.number += (uint32_t)by;
		if (by != 0)
			misses(&s, "its number");
		s = next_ask();
		s.acknowledged += (uint32_t)by;
		if (by != 0)
			misses(&s, "what it acknowledges");
	}
	for (size_t i = 0; i < sizeof(flags); i++) {
		s = next_ask();
		s.flags = flags[i];
		misses(&s, "its flags");
	}
	s = next_ask();
	s.hops = 59;
	misses(&s, "its hops");
	s = next_ask();
	s.mark = mark_make(PERMIT + 1, 1, MARK_UNJUDGED);
	misses(&s, "another permit");
	s = next_ask();
	s.unfinished = true;
	misses(&s, "its checksum is still to be written");
	s = next_ask();
	s.cut = 1448;
	misses(&s, "several segments in one frame");
	s = next_ask();
	s.words = 8;
	memcpy(s.options, (uint8_t[]){ 1, 1, 8, 10 }, 4);
	misses(&s, "its options");
	lease->words[0] = 8;
	assert_true(passes_as(&s));
}

static void other_options_than_the_time(void **state)
{
	struct sent s = asks();

	(void)state;
	give(false);
	lease->words[0] = 8;
	s.words = 8;
	memcpy(s.options, (uint8_t[]){ 1, 1, 30, 10 }, 4);
	misses(&s, "Multipath TCP");
	lease->words[0] = 7;
	s.words = 7;
	misses(&s, "so many words");
}

static void answers_that_do_not_fit(void **state)
{
	struct sent s = asks();
	uint8_t other[ANSWER + 1] = { 0 };

	(void)state;
	give(false);
	s = says();
	misses(&s, "an answer to nothing");
	s = asks();
	assert_true(passes_as(&s));
	for (size_t i = 0; i < 9; i++) {
		memcpy(other, answer, ANSWER);
		other[i] ^= 0x80;
		s = says();
		s.data = other;
		misses(&s, "a byte of the answer");
	}
	memcpy(other, answer, ANSWER);
	s = says();
	s.data = other;
	s.n = ANSWER - 1;
	misses(&s, "a shorter answer");
	s.n = ANSWER + 1;
	misses(&s, "a longer one");
	s = asks();
	s.number += N;
	misses(&s, "a second request before the answer");
	s = says();
	assert_true(passes_as(&s));
	s.number += ANSWER;
	misses(&s, "a second answer");
}

/* A packet that is no ordinary segment does not belong to the lease: the lease stays, and the
 * worker takes it back itself. */
static void what_cannot_be_read(void **state)
{
	struct sent s = asks();
	struct __sk_buff skb = { .priority = ONCE_FINISHED };

	(void)state;
	give(false);
	s.mark = mark_make(PERMIT, 1, MARK_GOOD);
	assert_false(passes_as(&s));
	s.mark = mark_make(PERMIT, 1, MARK_UNJUDGED) | MARK_FAST;
	assert_false(passes_as(&s));
	s = asks();
	assert_true(passes_as(&s));
	give(false);
	skb.mark = mark_make(PERMIT, 1, MARK_UNJUDGED);
	/* another length than its header states */
	for (skb.len = 0; skb.len < native.bytes; skb.len++) {
		size_t all = native.bytes;

		native.bytes = skb.len;
		assert_int_equal(once_match(&skb), 0);
		native.bytes = all;
	}
	skb.len = (uint32_t)native.bytes;
	packet[6] = 0x20; /* a fragment */
	assert_int_equal(once_match(&skb), 0);
	packet[6] = 0x40;
	packet[9] = 17;
	assert_int_equal(once_match(&skb), 0);
	packet[9] = 6;
	packet[0] = 0x46;
	assert_int_equal(once_match(&skb), 0);
	packet[0] = 0x45;
	assert_int_equal(once_match(&skb), 1);
	assert_int_equal(lease->state, ONCE_GIVEN);
}

static void one_processor_at_a_time(void **state)
{
	struct sent s = asks();

	(void)state;
	give(false);
	lease->state = ONCE_BUSY;
	assert_false(passes_as(&s));
	assert_int_equal(lease->state, ONCE_RECALLED);
	assert_false(passes_as(&s));
	assert_int_equal(lease->state, ONCE_RECALLED);
	lease->state = ONCE_BACK;
	assert_false(passes_as(&s));
	assert_int_equal(lease->next[0], CLIENT);
	lease->state = ONCE_GIVEN;
	/* the worker wants the lease back while the program reads this packet: the packet passes,
	 * and the lease ends */
	native.recalled = &lease->state;
	assert_true(passes_as(&s));
	assert_int_equal(lease->state, ONCE_BACK);
	assert_int_equal(lease->next[0], CLIENT + N);
}

/* Whatever a worker writes into the shared memory, the program reads and writes nothing outside of
 * it (the sanitizers check this). */
static void memory_of_a_liar(void **state)
{
	static const uint32_t numbers[] = { 0, 1, 3, 4, 100, UINT32_MAX - 1u, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sent s = says();

		give(false);
		lease->waits = numbers[i];
		passes_as(&s);
		give(false);
		s = asks();
		for (unsigned k = 0; k < ONCE_USES; k++)
			lease->uses[k] = numbers[i];
		passes_as(&s);
		give(false);
		memset(&native.templates[1].repeats, (int)numbers[i], sizeof(native.templates[1].repeats));
		native.templates[1].length = native.templates[1].answer = (uint16_t)numbers[i];
		assert_false(passes_as(&s) && native.templates[1].length != N);
		lease->state = ONCE_GIVEN;
		lease->waits = 0;
		s = says();
		passes_as(&s);
	}
	give(false);
	lease->permit = 0; /* without a permit the packet does not pass */
	{
		struct sent s = asks();

		s.mark = mark_make(0, 1, MARK_UNJUDGED);
		assert_false(passes_as(&s));
	}
}

/* ---- handshakes and ends --------------------------------------------------------------------- */

static struct sent segment(bool back, uint8_t flags, uint32_t number, uint32_t acknowledged)
{
	struct sent s = asks();

	s.back = back;
	s.flags = flags;
	s.number = number;
	s.acknowledged = acknowledged;
	s.n = 0;
	return s;
}

static struct once_handshake *only_one(void)
{
	struct once_handshake *found = NULL;

	for (uint32_t i = 0; i < ONCE_HANDSHAKES; i++)
		if (native.handshakes.of[i].mark != 0) {
			assert_null(found);
			found = &native.handshakes.of[i];
		}
	return found;
}

static void alive(void)
{
	memset(native.leases, 0, sizeof(native.leases));
	memset(&native.handshakes, 0, sizeof(native.handshakes));
	native.recalled = NULL;
	native.handshakes.alive_ns = 70;
}

static void a_handshake_goes_by(void **state)
{
	struct sent syn = segment(false, 0x02, 100, 0), back = segment(true, 0x12, 200, 101),
		    ack = segment(false, 0x10, 101, 201), data = asks();
	struct once_handshake *h;

	(void)state;
	for (unsigned six = 0; six < 2; six++) {
		syn.six = back.six = ack.six = data.six = six != 0;
		alive();
		assert_true(passes_as(&syn));
		assert_true(passes_as(&back));
		assert_true(passes_as(&ack));
		assert_true(passes_as(&ack)); /* an ACK may be repeated */
		h = only_one();
		assert_non_null(h);
		assert_int_equal(h->state, ONCE_GIVEN);
		assert_int_equal(h->mark, mark_make(PERMIT, 1, MARK_UNJUDGED));
		assert_int_equal(h->passed, 3);
		assert_int_equal(h->number[0], 100);
		assert_int_equal(h->number[1], 200);
		assert_int_equal(h->since_ns, 77);
		data.number = 101;
		data.acknowledged = 201;
		assert_false(passes_as(&data));
		assert_int_equal(h->state, ONCE_BACK);
		assert_false(passes_as(&ack));
		assert_false(passes_as(&syn)); /* a worker has to catch up first */
		assert_ptr_equal(only_one(), h);
		h->mark = 0;
		assert_true(passes_as(&syn));
		assert_ptr_equal(only_one(), h);
		assert_int_equal(h->passed, 1);
	}
}

/* The note of an earlier session on these ports ends with the handshake of a new one. */
static void a_handshake_ends_a_note(void **state)
{
	struct sent syn = segment(false, 0x02, 100, 0);

	(void)state;
	for (unsigned lives = 0; lives < 2; lives++) {
		alive();
		give(false);
		lease->state = ONCE_BACK;
		lease->n_kept = 2;
		native.handshakes.alive_ns = lives != 0 ? 70 : 77u - ONCE_ALIVE_NS - 1u;
		assert_int_equal(passes_as(&syn), lives != 0);
		assert_int_equal(lease->n_kept, lives != 0 ? 0 : 2);
	}
}

static void handshakes_that_do_not_fit(void **state)
{
	static const uint8_t usual[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7 };
	static const uint8_t odd[][4] = { { 30, 4, 0, 0 }, { 8, 0, 0, 0 }, { 1, 1, 1, 1 }, { 2, 3, 0, 0 } };
	struct sent syn = segment(false, 0x02, 100, 0), s;

	(void)state;
	alive();
	native.handshakes.alive_ns = 0;
	assert_true(ONCE_ALIVE_NS > 77);
	native.handshakes.alive_ns = 77u - ONCE_ALIVE_NS - 1u;
	assert_false(passes_as(&syn));
	native.handshakes.alive_ns++;
	assert_true(passes_as(&syn));
	alive();
	s = syn;
	s.unfinished = true;
	assert_false(passes_as(&s));
	s = syn;
	s.data = poll;
	s.n = 1;
	assert_false(passes_as(&s));
	s = syn;
	s.back = true;
	assert_false(passes_as(&s));
	for (unsigned flags = 0; flags < 256; flags++) {
		s.flags = (uint8_t)flags;
		assert_true(flags == 0x02 || !passes_as(&s));
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		s = syn;
		s.words = 6;
		memcpy(s.options, odd[i], 4);
		assert_false(passes_as(&s));
	}
	s = syn;
	s.words = 9; /* the time is cut off */
	memcpy(s.options, usual + 4, 4);
	memcpy(s.options + 4, usual, 4);
	memcpy(s.options + 8, usual, 8);
	assert_false(passes_as(&s));
	assert_null(only_one());
	s = syn;
	s.words = 10;
	memcpy(s.options, usual, 20);
	assert_true(passes_as(&s));
	for (unsigned k = 0; k < 7; k++) {
		const struct sent wrong[] = {
			syn,
			segment(true, 0x12, 200, 100),
			segment(true, 0x10, 200, 101),
			segment(false, 0x10, 101, 201),
			segment(true, 0x14, 0, 101),
			segment(true, 0x12, 200, 101),
			segment(true, 0x12, 200, 101),
		};

		alive();
		assert_true(passes_as(&syn));
		s = wrong[k];
		s.mark = k == 5 ? mark_make(PERMIT + 1, 1, MARK_UNJUDGED) : s.mark;
		s.unfinished = k == 6;
		assert_false(passes_as(&s));
		assert_int_equal(only_one()->state, ONCE_BACK);
		assert_int_equal(only_one()->passed, 1);
	}
}

static void no_slot_for_a_handshake(void **state)
{
	struct sent syn = segment(false, 0x02, 100, 0);
	struct once_handshake *h;
	uint32_t at;

	(void)state;
	alive();
	assert_true(passes_as(&syn));
	h = only_one();
	at = (uint32_t)(h - native.handshakes.of) & ~(ONCE_WAYS - 1u);
	for (uint32_t i = 0; i < ONCE_WAYS; i++) {
		native.handshakes.of[at + i] = *h;
		native.handshakes.of[at + i].client_port = 1;
	}
	assert_false(passes_as(&syn));
	/* no place is taken that a worker or another processor is using */
	for (uint32_t s = ONCE_GIVEN; s <= ONCE_RECALLED; s++) {
		alive();
		for (uint32_t i = 0; i < ONCE_WAYS; i++)
			native.handshakes.of[at + i].state = s;
		assert_false(passes_as(&syn));
	}
}

static void ends_go_by(void **state)
{
	struct sent fin = segment(false, 0x11, CLIENT, SERVER), back = segment(true, 0x11, SERVER, CLIENT + 1),
		    last = segment(false, 0x10, CLIENT + 1, SERVER + 1), data = says();

	(void)state;
	give(false);
	assert_true(passes_as(&fin));
	assert_true(passes_as(&back));
	assert_true(passes_as(&last));
	assert_int_equal(lease->ended[0], 1);
	assert_int_equal(lease->ended[1], 2);
	assert_int_equal(lease->next[0], CLIENT + 1);
	assert_int_equal(lease->acked[1], SERVER + 1);
	assert_false(passes_as(&last) && lease->state != ONCE_GIVEN);
	data.number = SERVER + 1; /* nothing follows */
	data.acknowledged = CLIENT + 1;
	assert_false(passes_as(&data));
	assert_int_equal(lease->state, ONCE_BACK);
	give(false);
	fin.number--;
	assert_false(passes_as(&fin));
	give(false);
	fin.number++;
	lease->waits = 0; /* a request has no answer yet */
	assert_false(passes_as(&fin));
	give(false);
	assert_true(passes_as(&fin));
	assert_false(passes_as(&fin)); /* a FIN passes only once */
	for (unsigned dir = 0; dir < 2; dir++) {
		struct sent rst = segment(dir != 0, 0x04, dir != 0 ? SERVER : CLIENT, 0), ask = asks();

		give(false);
		rst.number++; /* its receiver would send a challenge ACK */
		assert_false(passes_as(&rst));
		give(false);
		rst.number--;
		assert_true(passes_as(&rst));
		assert_int_equal(lease->ended[dir], ONCE_RESET);
		assert_false(passes_as(&ask));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(poll_and_answer_go_by),
		cmocka_unit_test(whatever_else_gives_it_back),
		cmocka_unit_test(other_options_than_the_time),
		cmocka_unit_test(answers_that_do_not_fit),
		cmocka_unit_test(what_cannot_be_read),
		cmocka_unit_test(one_processor_at_a_time),
		cmocka_unit_test(memory_of_a_liar),
		cmocka_unit_test(a_handshake_goes_by),
		cmocka_unit_test(a_handshake_ends_a_note),
		cmocka_unit_test(handshakes_that_do_not_fit),
		cmocka_unit_test(no_slot_for_a_handshake),
		cmocka_unit_test(ends_go_by),
	};

	native.packet = packet;
	native.now = 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
