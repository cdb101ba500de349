/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of forms that no session has, hidden in what may be written and cut so that a segment begins with them: extended MT, the same pushed and
 * answered, CC-Link IE TSN's asked and answered. libslmp2 reads them all and executes what they command.
 * LINK: appliance/wire/settings.c dpi/slmp/slmp.c dpi/slmp/frame.c dpi/slmp/device.c dpi/slmp/request.c dpi/slmp/touch.c dpi/slmp/segment.c
 * LINK: dpi/judge.c
 * LINK: appliance/wire/commands_older.c appliance/wire/evaluate.c appliance/wire/operation.c
 * LINK: appliance/base/bytes.c appliance/wire/commands.c appliance/wire/protocols.c appliance/base/sha256.c
 * LINK: appliance/wire/vocabulary*.c dpi/%/words.c
 * LIBS: nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/dpi/slmp_desk.h"

/* Subheaders, and whether the length is followed by a timer and the command by six bytes more. */
static const struct {
	uint8_t subheader;
	bool tsn;
} others[] = { { 0x5d, false }, { 0x9d, false }, { 0xdd, false }, { 0x68, true }, { 0xe8, true } };

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* A write of D1000 in form `k`, in the coding of `form`. What a reader of our forms finds in it is a write of D0. */
static struct text other_frame(uint8_t form, unsigned k)
{
	struct text t = data_of(form);

	put(&t, 2, t.ascii ? (uint32_t)others[k].subheader << 8 : others[k].subheader);
	put(&t, 2, 9);
	put(&t, 2, 0);
	put(&t, 1, own.network);
	put(&t, 1, own.station);
	put(&t, 2, own.module);
	if (others[k].tsn) {
		put(&t, 1, 0);
		put(&t, 1, 0);
		put(&t, 2, 0);
		put(&t, 2, 6 + 14); /* length */
		put(&t, 2, 16);
	} else {
		put(&t, 4, 0);	/* who asks */
		put(&t, 2, 0);	/* kind */
		put(&t, 2, 0);	/* which part */
		put(&t, 2, 12); /* length */
	}
	put(&t, 2, 0x1401);
	put(&t, 2, 0);
	if (others[k].tsn) {
		put_d(&t, false, 0);
		put(&t, 2, 4);
	}
	put_d(&t, false, 1000);
	put(&t, 2, 1);
	put(&t, 2, 7);
	return t;
}

static bool segment(struct desk *d, const struct text *t, size_t from, size_t to, size_t carried)
{
	memset(&d->p, 0, sizeof(d->p));
	return slmp_enforcer.segment(d->state, from - carried, carried, false,
				     bytes_of(t->p + from - carried, to - from + carried), &d->table, &d->permit,
				     &d->p);
}

static bool speaks(unsigned k, const struct text *t)
{
	return !t->ascii || !others[k].tsn; /* TSN's has no ASCII */
}

static void other_forms_are_found(void **state)
{
	unsigned found = 0;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned k = 0; k < N(others); k++)
			for (size_t at = 0; at < 9; at++) {
				struct text inner = other_frame(all_forms[f], k), t;
				size_t where;
				struct desk d;

				t = hiding(all_forms[f], &inner, at, &where);
				if (!speaks(k, &t))
					continue;
				for (size_t cut = where - 3; cut <= where; cut++) {
					only(&d, SLMP_D, 0, 999);
					assert_true(segment(&d, &t, 0, cut, 0));
					assert_false(segment(&d, &t, cut, t.n, cut));
					assert_int_equal(d.p.reason, R_SLMP_CUT);
					assert_int_equal(d.p.function, 0x14010000);
					found++;
				}
				/* In one piece it is the value that it is; and nobody is searched where all is allowed. */
				only(&d, SLMP_D, 0, 999);
				assert_true(t.ascii || segment(&d, &t, 0, t.n, 0));
				desk_whole(&d);
				assert_true(segment(&d, &t, 0, where, 0));
				assert_true(segment(&d, &t, where, t.n, where));
			}
	assert_true(found > 400);
}

/* Begun at the end of one segment, and its command in the next one, which begins with a frame. */
static void over_a_seam(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned k = 0; k < N(others); k++) {
			struct text inner = other_frame(all_forms[f], k), t, rest = inner;
			size_t where, part = inner.ascii ? 36 : 18, head;
			struct desk d;

			if (!speaks(k, &inner))
				continue;
			inner.n = part;
			t = hiding(all_forms[f], &inner, 0, &where);
			/* What follows is no frame here: only what lies over both is looked for. */
			head = t.n;
			put_raw(&t, rest.p + part, rest.n - part);
			only(&d, SLMP_D, 0, 999);
			assert_true(segment(&d, &t, 0, head - 1, 0));
			assert_true(segment(&d, &t, head - 1, head, head - 1));
			assert_false(segment(&d, &t, head, t.n, 0));
			assert_int_equal(d.p.reason, R_SLMP_CUT);
		}
}

/* Subheaders with no command of the protocol behind them, or not enough of one, are values as others are. */
static void others_pass(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned k = 0; k < N(others); k++)
			for (unsigned short_of = 0; short_of < 2; short_of++) {
				struct text inner = other_frame(all_forms[f], k), t;
				size_t where, width = inner.ascii ? 2 : 1;
				struct desk d;

				if (!speaks(k, &inner))
					continue;
				memset(inner.p + (others[k].tsn ? 18 : 20) * width, '3', 4 * width);
				if (short_of)
					inner.n = 12 * width;
				t = hiding(all_forms[f], &inner, 0, &where);
				only(&d, SLMP_D, 0, 999);
				assert_true(segment(&d, &t, 0, where, 0));
				assert_true(segment(&d, &t, where, t.n, where));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_forms_are_found),
		cmocka_unit_test(over_a_seam),
		cmocka_unit_test(others_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
