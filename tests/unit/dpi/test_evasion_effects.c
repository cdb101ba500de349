/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests whose effect is hidden (effects.h), with the real enforcers and the whole inspector: a
 * write that is inside something, is passed on to another device, or is one of many items. Each
 * forbidden request is sent alone, cut at every byte, byte by byte, and after an allowed one in the
 * same segment: its last byte must never arrive. What is allowed must arrive.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c appliance/cache/program.c appliance/worker/lend.c
 * LINK: appliance/worker/template.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/lent.h"

#include "tests/unit/dpi/effects.h"

static struct speech as_spoken;

static void add(struct blob *m, const char *hex)
{
	struct blob more = blob_of(hex);

	assert_true(more.n <= sizeof(m->b) - m->n);
	memcpy(m->b + m->n, more.b, more.n);
	m->n += more.n;
}

/* The request with `bad` as the item at this place, or without `bad` if the place is behind all
 * items. */
static struct blob request_of(const struct effect *e, unsigned at)
{
	struct blob m = { .n = 0 };

	add(&m, e->said);
	for (unsigned i = 0; i < e->n; i++)
		add(&m, i == at ? e->bad : e->good);
	add(&m, e->tail);
	return m;
}

static void arrives(const struct effect *e, const struct blob *m)
{
	begin_trial();
	trial.mute = true;
	say_at(0, m->b, m->n, false);
	if (trial.next != m->n || trial.ended || end_trial() != 1)
		fail_msg("%s: %s: %u of %zu bytes arrived, %d requests", now.s->name, e->what, trial.next, m->n,
			 end_trial());
}

/* At least `before` bytes have arrived, but not all, and the session has ended. */
static void is_refused(const struct effect *e, const char *how, uint32_t cut, uint32_t before, uint32_t all)
{
	if (trial.next < before || trial.next >= all || !trial.ended || end_trial() < 0)
		fail_msg("%s: %s, %s %u: %u of %u bytes arrived, %s, %d requests", now.s->name, e->what, how, cut,
			 trial.next, all, trial.ended ? "ended" : "goes on", end_trial());
}

static unsigned never_arrives(const struct effect *e, const struct blob *m)
{
	uint32_t n = (uint32_t)m->n, read = (uint32_t)now.read.n;
	struct blob both = now.read;

	for (uint32_t cut = 0; cut < n; cut++) {
		begin_trial();
		if (cut > 0)
			say_at(0, m->b, cut, false);
		say_at(cut, m->b + cut, n - cut, false);
		is_refused(e, "cut at", cut, 0, n);
	}
	begin_trial();
	for (uint32_t at = 0; at < n; at++)
		say_at(at, m->b + at, 1, false);
	is_refused(e, "bytes", 0, 0, n);
	if (read_uncut(now.read.b, read) != 1)
		return n + 1;
	memcpy(both.b + read, m->b, n);
	for (uint32_t cut = 0; cut < read + n; cut += cut == 0 ? read : 1) {
		begin_trial();
		if (cut > 0)
			say_at(0, both.b, cut, false);
		say_at(cut, both.b + cut, read + n - cut, false);
		is_refused(e, "behind another, cut at", cut, cut == read ? read : 0, read + n);
	}
	return 2 * n + 2;
}

static unsigned tries(const struct effect *e)
{
	unsigned cases = 1;
	struct blob m;

	if (e->n == 0) {
		m = request_of(e, 0);
		if (!e->allowed)
			return never_arrives(e, &m);
		arrives(e, &m);
		return 1;
	}
	m = request_of(e, e->n);
	arrives(e, &m);
	for (unsigned at = 0; at < e->n; at++) {
		m = request_of(e, at);
		cases += never_arrives(e, &m);
	}
	return cases;
}

/* The speech of this effect, with the policy of this effect. */
static void use(const struct effect *e)
{
	bool connected = e->speech == ENIP_CONNECTED;

	as_spoken = speeches[connected ? ENIP : e->speech];
	as_spoken.policy = e->policy;
	if (connected)
		memcpy(as_spoken.greeting[1], enip_connects, sizeof(enip_connects));
	use_speech(&as_spoken);
}

static void effects_are_seen(void **state)
{
	unsigned cases = 0, refused = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		const struct effect *e = &effects[i];

		use(e);
		cases += tries(e);
		refused += !e->allowed;
		inspector_finish(desk_i);
		desk_close();
	}
	printf("%u cases of %zu requests, %u of them forbidden\n", cases, sizeof(effects) / sizeof(effects[0]),
	       refused);
}

static int run(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(effects_are_seen) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	int failed = run();

	return failed + lent(run);
}
