/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enforcers say about requests that may be repeated without being judged (dpi/once.h): which
 * bytes may differ, and what the answer must contain. They say nothing about requests whose verdict
 * depends on more than their bytes. Also what they keep of a session for another worker.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/modbus/modbus.h"
#include "dpi/once.h"
#include "tests/unit/dpi/inspect_desk.h"
#include "tests/unit/dpi/speeches.h"

struct blob {
	uint8_t b[320];
	size_t n;
};

static struct desk d;
static const struct enforcer *by;
static struct once_template said;

static struct blob blob_of(const char *hex)
{
	struct blob m = { .n = 0 };

	for (; hex != NULL && *hex != '\0'; hex++) {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex == ' ')
			continue;
		m.b[m.n++] = (uint8_t)strtoul(two, NULL, 16);
		hex++;
	}
	return m;
}

static bool judge(enum direction dir, const char *hex)
{
	struct blob b = blob_of(hex);

	return desk_judge(&d, dir, b.b, b.n)->allowed;
}

static bool says(const char *request, const char *answer)
{
	struct blob r = blob_of(request), a = blob_of(answer);

	return by->once(d.state, bytes_of(r.b, r.n), bytes_of(a.b, a.n), &said);
}

static void begin(const struct speech *s)
{
	struct command_row *row;

	by = desk_enforcer = s->enforcer;
	desk_clear_policy(&d);
	row = desk_grant(&d, 0, 100, false);
	s->policy(&d, row);
	for (unsigned i = 0; i < 2 && s->greeting[i][0] != NULL; i++) {
		assert_true(judge(DIR_C2S, s->greeting[i][0]));
		assert_true(judge(DIR_S2C, s->greeting[i][1]));
	}
}

/* Everything may be asked. */
static void begin_any(void)
{
	begin(&speeches[0]);
	desk_clear_policy(&d);
	desk_grant(&d, 0, 100, false);
}

static unsigned zeros(const uint64_t *mask, size_t n)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		found += ((const uint8_t *)mask)[i] == 0;
	return found;
}

static void each_protocol_says_it(void **state)
{
	static const unsigned differ[SPEECHES] = { 2, 0, 0, 8, 2, 1 };
	struct blob b;

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		begin(&speeches[i]);
		assert_true(judge(DIR_C2S, speeches[i].read));
		assert_false(says(speeches[i].read, speeches[i].answer)); /* not answered yet */
		assert_true(judge(DIR_S2C, speeches[i].answer));
		if (i == 2) { /* a serial number in digits */
			assert_false(says(speeches[i].read, speeches[i].answer));
			continue;
		}
		assert_true(says(speeches[i].read, speeches[i].answer));
		b = blob_of(speeches[i].read);
		assert_int_equal(said.length, b.n);
		assert_memory_equal(said.request, b.b, b.n);
		assert_int_equal(zeros(said.mask, b.n), differ[i]);
		assert_int_equal(zeros(said.mask, ONCE_REQUEST), ONCE_REQUEST - b.n + differ[i]);
		b = blob_of(speeches[i].answer);
		assert_int_equal(said.answer, b.n);
		for (unsigned k = 0; k < b.n && k < ONCE_HEAD; k++)
			if (((const uint8_t *)said.head_mask)[k] != 0)
				assert_int_equal(((const uint8_t *)said.head)[k], b.b[k]);
		for (unsigned k = 0; k < ONCE_REPEATS; k++)
			assert_true(said.repeats[k].any == (k < differ[i] ? 0xff : 0));
		assert_false(says(speeches[i].read, speeches[i].read));
	}
}

static void modbus_that_more_decides_about(void **state)
{
	(void)state;
	begin_any();
	/* The transaction number might begin an answer in RTU, and it is not known yet how the
	 * server reads. */
	assert_true(judge(DIR_C2S, "0105 0000 0006 01 03 0000 0001"));
	assert_true(judge(DIR_S2C, "0105 0000 0005 01 03 02 0007"));
	assert_false(says("0105 0000 0006 01 03 0000 0001", "0105 0000 0005 01 03 02 0007"));
	begin_any();
	assert_true(judge(DIR_C2S, "0100 0000 0006 01 03 0000 0001"));
	assert_true(judge(DIR_S2C, "0100 0000 0005 01 03 02 0007"));
	assert_true(says("0100 0000 0006 01 03 0000 0001", "0100 0000 0005 01 03 02 0007"));
	assert_true(says("0100 0000 0006 01 06 0004 0009", "0100 0000 0006 01 06 0004 0009"));
	assert_true(says("0100 0000 000b 01 10 0004 0002 04 0001 0002", "0100 0000 0006 01 10 0004 0002"));
	/* An error, a broadcast and functions with special answers may not be repeated unjudged. */
	assert_false(says("0100 0000 0006 01 03 0000 0001", "0100 0000 0003 01 83 02"));
	assert_false(says("0100 0000 0006 00 06 0004 0009", "0100 0000 0006 00 06 0004 0009"));
	assert_false(says("0100 0000 0006 01 08 0000 0009", "0100 0000 0006 01 08 0000 0009"));
	assert_false(says("0100 0000 0008 01 16 0004 0001 0002", "0100 0000 0008 01 16 0004 0001 0002"));
	/* A request in two pieces: the server may have lost its place. */
	((struct modbus_state *)d.state)->slip.n = 1;
	assert_false(says("0100 0000 0006 01 03 0000 0001", "0100 0000 0005 01 03 02 0007"));
}

static void slmp_that_depends_on_others(void **state)
{
	(void)state;
	begin(&speeches[1]);
	assert_true(judge(DIR_C2S, speeches[1].read));
	assert_true(judge(DIR_S2C, speeches[1].answer));
	/* Nor may a monitor, which reads what was registered before, the registration, and a reset,
	 * which has no answer. */
	assert_false(says("5000 00ff ff03 00 0600 1000 0208 0000", "d000 00ff ff03 00 0600 0000 0700 0700"));
	assert_false(says("5000 00ff ff03 00 0c00 1000 0108 0000 01 00 000000a8", "d000 00ff ff03 00 0200 0000"));
	assert_false(says("5000 00ff ff03 00 0800 1000 0610 0000 0100", "d000 00ff ff03 00 0200 0000"));
}

static void there_is_room(void **state)
{
	uint8_t bytes[ONCE_REQUEST + 1] = { 1 };

	(void)state;
	assert_false(once_begin(&said, bytes_of(bytes, sizeof(bytes)), 5));
	assert_false(once_begin(&said, bytes_of(bytes, 0), 5));
	assert_false(once_begin(&said, bytes_of(bytes, 20), ONCE_ANSWER + 1u));
	assert_true(once_begin(&said, bytes_of(bytes, 20), 40));
	assert_false(once_says(&said, 39, bytes, 2));
	assert_false(once_says(&said, SIZE_MAX, bytes, 2));
	assert_true(once_says(&said, 38, bytes, 2));
	assert_false(once_repeats(&said, 19, 0, 2));
	assert_false(once_repeats(&said, 0, 39, 2));
	assert_true(once_repeats(&said, 0, 0, 12));
	assert_false(once_repeats(&said, 0, 20, 8)); /* too little room for the description */
	assert_true(once_repeats(&said, 12, 30, 4));
	assert_true(once_begin(&said, bytes_of(bytes, 20), 100));
	assert_false(once_says(&said, ONCE_HEAD - 1u, bytes, 2));
	assert_false(once_repeats(&said, 0, ONCE_HEAD - 1u, 2));
}

/* ---- what another worker gets ---------------------------------------------------------------- */

static size_t kept_of(const void *of, uint8_t room[ONCE_KEPT])
{
	struct outbuf o = outbuf_of(room, ONCE_KEPT);

	return by->keep(of, &o) && !o.failed ? o.len : SIZE_MAX;
}

/* Takes over a session, as a new worker does. */
static bool again(void *of, const uint8_t *kept, size_t n)
{
	const uint8_t *copy = exact_copy(kept, n);
	bool good;

	memset(of, 0, ENFORCER_STATE_MAX);
	if (by->begin != NULL)
		by->begin(of, false, 0);
	good = by->again(of, bytes_of(copy, n));
	exact_done(copy, n);
	return good;
}

static void another_worker_judges_the_same(void **state)
{
	static _Alignas(16) uint8_t was[ENFORCER_STATE_MAX];
	uint8_t kept[ONCE_KEPT], once_more[ONCE_KEPT];

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		enum reason due[WRITES];
		size_t n;

		begin(&speeches[i]);
		assert_true(judge(DIR_C2S, speeches[i].read));
		assert_true(kept_of(d.state, kept) == SIZE_MAX); /* not answered yet */
		assert_true(judge(DIR_S2C, speeches[i].answer));
		n = kept_of(d.state, kept);
		assert_true(n <= ONCE_KEPT);
		memcpy(was, d.state, sizeof(was));
		for (unsigned k = 0; k < WRITES; k++) {
			memcpy(d.state, was, sizeof(was));
			assert_false(judge(DIR_C2S, speeches[i].writes[k]));
			due[k] = d.p.reason;
		}
		for (unsigned k = 0; k < WRITES; k++) {
			assert_true(again(d.state, kept, n));
			assert_int_equal(kept_of(d.state, once_more), n);
			assert_memory_equal(once_more, kept, n);
			assert_false(judge(DIR_S2C, speeches[i].answer)); /* nothing was missed */
			assert_true(judge(DIR_C2S, speeches[i].read));
			assert_true(judge(DIR_S2C, speeches[i].answer));
			assert_false(judge(DIR_C2S, speeches[i].writes[k]));
			assert_int_equal(d.p.reason, due[k]);
		}
	}
}

/* The bytes may be anything. What is taken can be written again as it was, so it is in range. */
static void what_is_kept_may_be_anything(void **state)
{
	uint8_t good[ONCE_KEPT] = { 0 }, kept[ONCE_KEPT], once_more[ONCE_KEPT];
	uint32_t seed = 1, taken = 0;

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		size_t n, least;

		begin(&speeches[i]);
		assert_true(judge(DIR_C2S, speeches[i].read) && judge(DIR_S2C, speeches[i].answer));
		least = kept_of(d.state, good);
		for (n = 0; n < least; n++)
			assert_false(again(d.state, good, n));
		for (unsigned k = 0; k < 20000; k++) {
			memcpy(kept, good, sizeof(kept));
			n = (seed >> 16) % 3u == 0 ? (seed >> 8) % ONCE_KEPT : least;
			for (unsigned m = 0; m < 1u + n / 8u; m++) {
				seed = seed * 1664525u + 1013904223u;
				kept[(seed >> 8) % ONCE_KEPT] = (uint8_t)(seed & 1u ? seed >> 24 : seed >> 24 & 3u);
			}
			if (!again(d.state, kept, n))
				continue;
			taken++;
			assert_int_equal(kept_of(d.state, once_more), n);
			assert_memory_equal(once_more, kept, n);
			judge(DIR_C2S, speeches[i].read);
			judge(DIR_S2C, speeches[i].answer);
		}
	}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_protocol_says_it),	  cmocka_unit_test(modbus_that_more_decides_about),
		cmocka_unit_test(slmp_that_depends_on_others),	  cmocka_unit_test(there_is_room),
		cmocka_unit_test(another_worker_judges_the_same), cmocka_unit_test(what_is_kept_may_be_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
