/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of forms that no session uses, hidden in data to be written and cut so that a segment
 * begins with them: extended MT, also as notification and answer, and CC-Link IE TSN, as request
 * and answer. libslmp2 reads all of them and executes their commands. In ASCII it takes a character
 * that is no digit for 0, and other servers take hexadecimal digits in lower case.
 * LINK: $(COMMANDS_PARTS) dpi/slmp/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/slmp_desk.h"

/* Subheaders, and whether the length is followed by a timer and the command by six bytes more. */
static const struct {
	uint8_t subheader;
	bool tsn;
} others[] = { { 0x5d, false }, { 0x9d, false }, { 0xdd, false }, { 0x68, true }, { 0xe8, true } };

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* A write of D1000 in form `k`, in the coding of `form`. A reader of our forms sees a write of D0
 * in it. */
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
				     bytes_of(t->p + from - carried, to - from + carried), desk_by(d), &d->p);
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
				/* In one piece the hidden frame is only a value. If everything is
				 * allowed, nothing is searched. */
				only(&d, SLMP_D, 0, 999);
				assert_true(t.ascii || segment(&d, &t, 0, t.n, 0));
				desk_whole(&d);
				assert_true(segment(&d, &t, 0, where, 0));
				assert_true(segment(&d, &t, where, t.n, where));
			}
	assert_true(found > 400);
}

/* The hidden frame begins at the end of one segment, and its command is in the next segment, which
 * begins with a frame. */
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
			/* The following bytes are no frame here: only what lies across both
			 * segments is searched. */
			head = t.n;
			put_raw(&t, rest.p + part, rest.n - part);
			only(&d, SLMP_D, 0, 999);
			assert_true(segment(&d, &t, 0, head - 1, 0));
			assert_true(segment(&d, &t, head - 1, head, head - 1));
			assert_false(segment(&d, &t, head, t.n, 0));
			assert_int_equal(d.p.reason, R_SLMP_CUT);
		}
}

/* Subheaders without a command of the protocol behind them, or with only a part of one, are
 * ordinary values. */
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

/* The client sends `t`, cut before `where`: whether the rest passes if D 0 to 999 may be
 * written. */
static bool passes_cut_at(const struct text *t, size_t where, struct desk *d)
{
	only(d, SLMP_D, 0, 999);
	assert_true(segment(d, t, 0, where, 0));
	return segment(d, t, where, t->n, where);
}

/* A write of D1000 in ASCII, in 3E, 4E and the other forms. One 0 behind the subheader is replaced
 * by a character that is no digit. */
static void what_is_no_digit_is_a_zero(void **state)
{
	static const char odd[] = "zaf:/@G+ \xff\n";
	unsigned found = 0;

	(void)state;
	for (unsigned k = 0; k < 5; k++) {
		struct text inner = data_of(SLMP_FORM | SLMP_ASCII), t;
		size_t command, where;

		if (k < 2) {
			put_d(&inner, false, 1000);
			put(&inner, 2, 1);
			put(&inner, 2, 7);
			inner = request_of(all_forms[2 + k], 9, own, 0x14010000, &inner);
			command = k == 0 ? 22 : 30;
		} else {
			inner = other_frame(SLMP_FORM | SLMP_ASCII, k - 2);
			command = 40;
		}
		for (size_t i = 4; i < command + 8; i++)
			for (unsigned o = 0; o < sizeof(odd); o++) { /* including the NUL */
				struct text written = inner;
				struct desk d;

				if (inner.p[i] != '0')
					continue;
				written.p[i] = (uint8_t)odd[o];
				t = hiding(SLMP_FORM, &written, o % 3, &where);
				assert_false(passes_cut_at(&t, where, &d));
				assert_int_equal(d.p.reason, R_SLMP_CUT);
				assert_int_equal(d.p.function, 0x14010000);
				/* The hidden frame begins in one segment, and its command is in the
				 * next segment, which begins with a frame. */
				t.n = where + command + 4;
				only(&d, SLMP_D, 0, 999);
				assert_true(segment(&d, &t, 0, t.n - 1, 0));
				assert_true(segment(&d, &t, t.n - 1, t.n, t.n - 1));
				put_raw(&t, written.p + command + 4, written.n - command - 4);
				assert_false(segment(&d, &t, where + command + 4, t.n, 0));
				found++;
			}
	}
	assert_true(found > 500);
}

/* A write of a label, and the parameters of a module: for some servers digits in lower case mean
 * the same. */
static void digits_of_either_case(void **state)
{
	static const uint32_t services[] = { 0x141a0000, 0x141b0000, 0x0e340000, 0x041c0000 };

	(void)state;
	for (unsigned f = 0; f < 2; f++)
		for (unsigned k = 0; k < N(services); k++)
			for (unsigned lower = 0; lower < 2; lower++) {
				struct text inner = data_of(SLMP_FORM | SLMP_ASCII), t;
				size_t where, at;
				struct desk d;

				put_raw(&inner, "00010000", 8);
				inner = request_of(all_forms[2 + f], 9, own, services[k], &inner);
				at = f == 0 ? 22 : 30;
				for (size_t i = at; lower && i < at + 4; i++)
					inner.p[i] |= inner.p[i] >= 'A' ? 0x20 : 0;
				/* the timer does not matter */
				inner.p[at - 1] = lower ? 'z' : '0';
				t = hiding(SLMP_FORM, &inner, 0, &where);
				assert_false(passes_cut_at(&t, where, &d));
				assert_int_equal(d.p.function, services[k]);
				/* A server that does not go by the length does not wait for the
				 * rest either. */
				memcpy(inner.p + at - 8, "0040", 4);
				only(&d, SLMP_D, 0, 999);
				assert_true(segment(&d, &inner, 0, at + 7, 0));
				assert_false(segment(&d, &inner, 0, at + 8, 0));
				assert_int_equal(d.p.reason, R_SLMP_FRAME);
				desk_whole(&d);
				assert_true(segment(&d, &inner, 0, at + 8, 0));
			}
}

static uint32_t drawn(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

/*
 * Ordinary values: small numbers, temperatures whose low bytes are digits, texts of digits, of
 * hexadecimal digits, of anything, with `5000` in it. Of 480 such writes with 1,920 bytes, one is
 * refused: a text of random hexadecimal digits that contains the beginning of a real command.
 */
static void ordinary_values_pass(void **state)
{
	static const char *const texts[] = { "0123456789", "0123456789abcdef", "0123456789ABCDEF",
					     "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789-:./" };
	uint64_t seed = 0x5eed;
	unsigned refused = 0;

	(void)state;
	for (unsigned f = 0; f < 2; f++)
		for (unsigned kind = 0; kind < 8; kind++)
			for (unsigned round = 0; round < 30; round++) {
				struct text t = data_of(all_forms[f]);
				struct desk d;

				put_d(&t, false, 0);
				put(&t, 2, 960);
				for (unsigned i = 0; i < 960; i++) {
					const char *from = texts[kind % 4];
					uint32_t n = (uint32_t)strlen(from);

					if (kind < 4)
						put(&t, 2,
						    (uint32_t)from[drawn(&seed, n)] | (uint32_t)from[drawn(&seed, n)]
											      << 8);
					else
						put(&t, 2,
						    kind == 4	? drawn(&seed, 10)
						    : kind == 5 ? 40 + drawn(&seed, 31)
						    : kind == 6 ? drawn(&seed, 1000)
								: drawn(&seed, 65536));
				}
				memcpy(t.p + t.n - 400, "5000", 4);
				t = request_of(all_forms[f], 1, own, 0x14010000, &t);
				only(&d, SLMP_D, 0, 999);
				for (size_t at = 0; at < t.n; at += 1460)
					if (!segment(&d, &t, at, t.n - at < 1460 ? t.n : at + 1460, at)) {
						assert_int_equal(kind, 2);
						refused++;
						break;
					}
			}
	assert_int_equal(refused, 1);
}

/* A 1E frame, in ASCII if `ascii`: a write or a read of D1000. If it states a number of devices
 * first, this is one device. */
static struct text frame_1e(bool ascii, uint8_t subheader)
{
	struct text t = { .ascii = ascii };

	put(&t, 1, subheader);
	put(&t, 1, 0xff);
	put(&t, 2, 10);
	if (subheader > 3) {
		put(&t, 1, 1);
		put(&t, 1, 0);
	}
	if (ascii)
		put(&t, 2, 0x4420);
	put(&t, 4, 1000);
	if (!ascii)
		put(&t, 2, 0x4420);
	put(&t, 1, 1);
	put(&t, 1, 0);
	put(&t, 2, 7);
	return t;
}

/* A 1E frame is found behind a cut, at every place in a value, and across two segments. */
static void the_first_form_is_found(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (uint8_t subheader = 0; subheader < 8; subheader++)
			for (size_t at = 0; at < 9; at++) {
				struct text inner = frame_1e((all_forms[f] & SLMP_ASCII) != 0, subheader), t;
				size_t where;
				struct desk d;

				t = hiding(all_forms[f], &inner, at, &where);
				for (size_t cut = where - 3; cut <= where + 3; cut++) {
					only(&d, SLMP_D, 0, 999);
					assert_true(segment(&d, &t, 0, cut, 0));
					assert_false(segment(&d, &t, cut, t.n, cut));
					assert_int_equal(d.p.reason, R_SLMP_CUT);
					assert_true(d.p.reading);
				}
				only(&d, SLMP_D, 0, 999);
				assert_true(t.ascii || segment(&d, &t, 0, t.n, 0));
			}
}

/* Commands without a device, at the beginning of a segment: a remote stop, and a write to a
 * buffer. */
static void where_a_segment_begins(void **state)
{
	static const uint8_t frames[][8] = { { 0x14, 0xff, 10, 0 },
					     { 0x62, 0, 5, 0, 1, 0, 7, 0 },
					     { 0x60, 0, 1, 0, 7, 0 } };
	struct desk d;

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct text inner = { 0 }, t;
		size_t where;

		put_raw(&inner, frames[i], sizeof(frames[i]));
		t = hiding(SLMP_FORM, &inner, 2, &where);
		only(&d, SLMP_D, 0, 999);
		assert_true(segment(&d, &t, 0, where, 0));
		assert_false(segment(&d, &t, where, t.n, where));
		assert_int_equal(d.p.reason, R_SLMP_CUT);
		only(&d, SLMP_D, 0, 999);
		assert_true(segment(&d, &t, 0, where - 1, 0));
		assert_true(segment(&d, &t, where - 1, t.n, where - 1));
	}
}

/* A 1E frame at the beginning of a request is recorded as what it is, whatever the rows say. */
static void the_first_form_is_named(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned ascii = 0; ascii < 2; ascii++)
		for (unsigned whole = 0; whole < 2; whole++)
			for (uint8_t subheader = 0; subheader < 8; subheader++) {
				struct text t = frame_1e(ascii != 0, subheader);

				only(&d, SLMP_D, 0, 999);
				if (whole)
					desk_whole(&d);
				memset(&d.p, 0, sizeof(d.p));
				assert_false(slmp_enforcer.framed_else(d.state, true, bytes_of(t.p, t.n), desk_by(&d),
								       &d.p));
				assert_int_equal(d.p.reason, R_SLMP_OTHER);
				assert_false(d.p.reading);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_form_is_found),
		cmocka_unit_test(where_a_segment_begins),
		cmocka_unit_test(the_first_form_is_named),
		cmocka_unit_test(other_forms_are_found),
		cmocka_unit_test(over_a_seam),
		cmocka_unit_test(others_pass),
		cmocka_unit_test(what_is_no_digit_is_a_zero),
		cmocka_unit_test(digits_of_either_case),
		cmocka_unit_test(ordinary_values_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
