/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server as the attacker, with the real enforcers and the whole inspector: answers that nobody
 * asked for, that come twice, that belong to another request, function or count, or that are larger
 * than asked for. None of them may reach the client completely; the right ones must.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c appliance/cache/program.c appliance/worker/lend.c
 * LINK: appliance/worker/template.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/lent.h"

#include "tests/unit/dpi/lies.h"

static uint8_t flood[ROOM];

/* The client has asked, and nobody has answered. */
static void asks(void)
{
	begin_trial();
	trial.mute = true;
	say_at(0, now.read.b, now.read.n, false);
	assert_int_equal(trial.next, now.read.n);
}

static uint32_t server_says(const uint8_t *p, size_t n)
{
	unsigned o = desk_segment(&trial.k, DIR_S2C, trial.k.s, trial.base + trial.next, DESK_ACK | DESK_PSH, p, n);

	if (o < OUTCOME_ACCEPT)
		return 0;
	trial.k.s += (uint32_t)n;
	return (uint32_t)n;
}

/* Whether the client gets the whole answer. If the inspector still waits for more, more answers
 * follow. */
static bool arrives(const struct blob *m, uint32_t cut)
{
	size_t before = desk.n_pdus, n = 0;

	if (cut > 0 && server_says(m->b, cut) == 0)
		return false;
	if (server_says(m->b + cut, m->n - cut) == 0)
		return false;
	if (desk.n_pdus > before)
		return true;
	for (; n + now.answer.n <= sizeof(flood) / 2; n += now.answer.n)
		memcpy(flood + n, now.answer.b, now.answer.n);
	server_says(flood, n);
	return server_says(flood, n) > 0;
}

static bool may_be(unsigned speech, unsigned at, unsigned value)
{
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].speech == speech && at >= others[i].at && at <= others[i].to && value >= others[i].low &&
		    value <= others[i].high)
			return true;
	return value == now.answer.b[at];
}

/* Any other value at any byte of the answer. */
static void every_byte(void **state)
{
	unsigned cases = 0;

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned at = 0; at < now.answer.n; at++) {
			for (unsigned v = 0; v < 256; v++, cases++) {
				struct blob m = now.answer;

				m.b[at] = (uint8_t)v;
				asks();
				if (arrives(&m, 0) != may_be(i, at, v) || is_reset() == may_be(i, at, v))
					fail_msg("%s: byte %u is %02x: %zu resets", now.s->name, at, v, desk.n_resets);
			}
			inspector_finish(desk_i);
		}
		desk_close();
	}
	printf("%u cases\n", cases);
}

static void lies_are_found(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const struct blob m = blob_of(lies[i].says);

		use_speech(&speeches[lies[i].speech]);
		for (uint32_t cut = 0; cut < m.n; cut++) {
			asks();
			if (arrives(&m, cut) != lies[i].right || is_reset() == lies[i].right)
				fail_msg("%s: %s, cut at %u: %zu resets", now.s->name, lies[i].what, cut,
					 desk.n_resets);
			if (cut % 100 == 0)
				inspector_finish(desk_i);
		}
		desk_close();
	}
}

/* An answer that nobody asked for, or that came before. Serial gateways may repeat an answer with
 * the same bytes, so for Modbus one bit is changed. */
static struct blob once_more(unsigned speech, const struct blob *answer)
{
	struct blob m = *answer;

	if (speech == MODBUS)
		m.b[m.n - 1] ^= 1;
	return m;
}

static void once_and_no_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned times = 0; times < 4; times++)
			for (uint32_t cut = 0; cut < now.answer.n; cut++) {
				const struct blob more = once_more(i, &now.answer);

				begin_trial();
				trial.mute = true;
				for (unsigned k = 0; k < times; k++) {
					say_at(k * (uint32_t)now.read.n, now.read.b, now.read.n, false);
					assert_true(arrives(&now.answer, 0));
				}
				if (arrives(&more, cut) || !is_reset())
					fail_msg("%s: once more behind %u, cut at %u: %zu resets", now.s->name, times,
						 cut, desk.n_resets);
			}
		inspector_finish(desk_i);
		desk_close();
	}
}

/* Two requests are open. Each gets its own answer, in both orders. An answer to one with the count
 * or function of the other is refused. */
static void to_whom_it_belongs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		const struct blob ask = blob_of(seconds[i].asks), answer = blob_of(seconds[i].answer),
				  crossed = blob_of(seconds[i].crossed), more = once_more(i, &answer);

		use_speech(&speeches[i]);
		for (unsigned first = 0; first < 3; first++) {
			asks();
			say_at((uint32_t)now.read.n, ask.b, ask.n, false);
			assert_int_equal(trial.next, now.read.n + ask.n);
			if (first == 2) {
				assert_false(arrives(&crossed, 0));
				assert_true(is_reset());
				continue;
			}
			assert_true(arrives(first == 0 ? &now.answer : &answer, 0));
			assert_true(arrives(first == 0 ? &answer : &now.answer, 0));
			if (arrives(&more, 0))
				fail_msg("%s: once more behind both", now.s->name);
		}
		inspector_finish(desk_i);
		desk_close();
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_byte), cmocka_unit_test(lies_are_found),
					    cmocka_unit_test(once_and_no_more), cmocka_unit_test(to_whom_it_belongs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	int failed = run();

	return failed + lent(run);
}
