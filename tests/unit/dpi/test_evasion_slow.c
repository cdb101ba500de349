/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow senders, with the real enforcers and the whole inspector: a byte in 200 ms, for any length
 * of time, from the client or the server, with pauses of hours and days before the rest. What is
 * allowed must arrive, what is forbidden never. After a silence in which the session was forgotten,
 * nothing may arrive.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c appliance/cache/program.c appliance/worker/lend.c
 * LINK: appliance/worker/template.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/lent.h"

#define SECOND 1000000000ull
#define PAUSE (SECOND / 5)
#define MINUTE (62u * SECOND)
#define DAY (24u * 3600u * SECOND)
#define FORGOTTEN (7u * DAY) /* longer than any session may be silent */

static const uint64_t pauses[] = { PAUSE, 20 * SECOND, 3600 * SECOND, 5 * DAY };

#define PAUSES (sizeof(pauses) / sizeof(pauses[0]))

static void pass(uint64_t ns)
{
	/* a session that is silent for a minute is taken back then, and not later */
	if (desk_front.look != NULL && ns > MINUTE) {
		desk_now += MINUTE;
		ns -= MINUTE;
		desk_front.look();
	}
	desk_now += ns;
	inspector_tick(desk_i);
	if (desk_front.look != NULL)
		desk_front.look();
}

/* Sends the first `from` bytes at once and the others one by one. The pause before the first of the
 * others is `pause`. */
static void say_slowly(uint32_t at, const struct blob *m, uint32_t from, uint64_t pause)
{
	if (from > 0)
		say_at(at, m->b, from, false);
	for (uint32_t i = from; i < m->n; i++) {
		pass(i == from ? pause : PAUSE);
		say_at(at + i, m->b + i, 1, false);
	}
}

static void clients(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (uint32_t from = now.s->together; from < now.read.n; from++)
			for (unsigned k = 0; k < PAUSES; k++) {
				begin_trial();
				say_slowly(0, &now.read, from, pauses[k]);
				say_slowly((uint32_t)now.read.n, &now.read, from > 0 ? from : now.s->together, PAUSE);
				if (trial.ended || trial.answered != 2 || end_trial() != 2)
					fail_msg("%s: allowed, %u at once, pause %u: %u bytes arrived, %s", now.s->name,
						 from, k, trial.next, trial.ended ? "ended" : "goes on");
				for (unsigned w = 0; w < WRITES; w++) {
					begin_trial();
					say_slowly(0, &now.writes[w], from, pauses[k]);
					if (!trial.ended || trial.next >= now.writes[w].n || end_trial() != 0)
						fail_msg("%s: forbidden, %u at once, pause %u: %u bytes arrived, %s",
							 now.s->name, from, k, trial.next,
							 trial.ended ? "ended" : "goes on");
				}
				inspector_finish(desk_i);
			}
		desk_close();
	}
}

/* The pause is longer than a session is remembered. Nobody knows to which request the rest belongs,
 * so it must not arrive. */
static void forgotten(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned w = 0; w <= WRITES; w++) {
			const struct blob *m = w < WRITES ? &now.writes[w] : &now.read;

			for (uint32_t from = now.s->together + 1u; from < m->n; from++) {
				begin_trial();
				say_slowly(0, m, from, FORGOTTEN);
				assert_true(trial.next <= from && trial.ended);
				inspector_finish(desk_i);
			}
		}
		desk_close();
	}
}

static uint32_t server_says(const uint8_t *p, size_t n)
{
	unsigned o = desk_segment(&trial.k, DIR_S2C, trial.k.s, trial.base + trial.next, DESK_ACK | DESK_PSH, p, n);

	if (o < OUTCOME_ACCEPT)
		return 0;
	trial.k.s += (uint32_t)n;
	return (uint32_t)n;
}

/* The right answer, byte by byte; and the same answer without a request, whose end never
 * arrives. */
static void servers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned forged = 0; forged < 2; forged++)
			for (unsigned k = 0; k < PAUSES; k++) {
				uint32_t arrived = 0, asked = forged ? 0 : (uint32_t)now.read.n;
				struct blob m = now.answer;

				/* a serial gateway may repeat an answer, so one bit is changed */
				if (forged && now.speaks && i == 0)
					m.b[m.n - 1] ^= 1;
				begin_trial();
				trial.mute = true;
				say_at(0, now.read.b, asked, false);
				for (uint32_t at = 0; at < m.n; at++) {
					pass(at == m.n / 2 ? pauses[k] : PAUSE);
					arrived += server_says(m.b + at, 1);
				}
				if ((arrived == m.n) == forged || is_reset() != forged)
					fail_msg("%s: %s answer, pause %u: %u bytes arrived, %zu resets", now.s->name,
						 forged ? "forged" : "right", k, arrived, desk.n_resets);
				inspector_finish(desk_i);
			}
		desk_close();
	}
}

/* The bytes come in reverse order. None of them is kept so long, so the request that then comes in
 * order is judged as usual. */
static void backwards(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned w = 0; w <= WRITES; w++) {
			const struct blob *m = w < WRITES ? &now.writes[w] : &now.read;

			begin_trial();
			for (uint32_t at = (uint32_t)m->n; at-- > now.s->together + 1u;) {
				say_at(at, m->b + at, 1, false);
				pass(PAUSE);
			}
			assert_int_equal(trial.next, 0);
			say_at(0, m->b, m->n, false);
			assert_int_equal(end_trial(), w == WRITES);
			assert_int_equal(trial.ended, w < WRITES);
			inspector_finish(desk_i);
		}
		desk_close();
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(clients), cmocka_unit_test(forgotten),
					    cmocka_unit_test(servers), cmocka_unit_test(backwards) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	int failed = run();

	return failed + lent(run);
}
