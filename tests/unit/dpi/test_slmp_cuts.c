/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What servers find after they have lost their place in the stream: commands that are hidden in
 * data to be written, cut so that a segment begins with them. The readers here are models of public
 * ones: one takes each segment for a frame; one takes the first eleven bytes of a header for a
 * frame if no more came (melsec_mc_mock); one goes on reading at any byte.
 * LINK: $(COMMANDS_PARTS) dpi/slmp/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/slmp_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* D 0 to 999 may be written, with any value, and read. */
static void writes_d(struct desk *d)
{
	only(d, SLMP_D, 0, 999);
}

/* The client sends the bytes `from` to `to` of a stream of whole frames, whose first frame begins
 * at `from - carried`. */
static bool segment(struct desk *d, const uint8_t *stream, size_t from, size_t to, size_t carried)
{
	uint8_t *copy = malloc(to - from + carried);
	bool passes;

	memcpy(copy, stream + from - carried, to - from + carried);
	memset(&d->p, 0, sizeof(d->p));
	passes = slmp_enforcer.segment(d->state, from - carried, carried, false, bytes_of(copy, to - from + carried),
				       desk_by(d), &d->p);
	free(copy);
	return passes;
}

/* Requests that a row for D 0 to 999 does not allow, in the form of the session. */
static struct text forbidden(uint8_t form, unsigned k)
{
	struct text t = data_of(form);

	switch (k) {
	case 0:
		put(&t, 2, 1);
		/* stop: a row for D does not allow it */
		return request_of(form, 9, own, 0x10020000, &t);
	case 1:
		put_d(&t, false, 1000);
		put(&t, 2, 1);
		put(&t, 2, 7);
		return request_of(form, 9, own, 0x14010000, &t);
	case 2:
		put_m(&t, false, 5);
		put(&t, 2, 16);
		put_raw(&t, "0000000000000000", t.ascii ? 16 : 8);
		return request_of(form, 9, own, 0x14010001, &t);
	default:
		put(&t, 2, 1);
		put(&t, 2, 1);
		return request_of(form, 9, own, 0x10010000, &t);
	}
}

static void only_reads_and_writes(struct desk *d)
{
	writes_d(d);
	d->rows[0].services = desk_ranges(d, (uint32_t[]){ 0x04010000, 0x04010003, 0x14010000, 0x14010003 }, 2);
}

/* Wherever a frame is cut, and whatever is hidden behind the cut: no bytes pass that a reader could
 * take for a command of its own. */
static void hidden_commands_are_found(void **state)
{
	uint32_t found = 0;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned k = 0; k < 4; k++)
			for (size_t at = 0; at < 12; at += all_forms[f] & SLMP_ASCII ? 1 : 3) {
				struct text inner = forbidden(all_forms[f], k), t;
				size_t where, len;
				struct desk d;

				t = hiding(all_forms[f], &inner, at, &where);
				for (size_t cut = 1; cut < t.n; cut++) {
					only_reads_and_writes(&d);
					assert_int_equal(
						slmp_enforcer.frame(d.state, DIR_C2S, bytes_of(t.p, cut), &len),
						FRAME_NEED_MORE);
					/* nothing is cut yet */
					assert_true(segment(&d, t.p, 0, cut, 0));
					if (cut <= where) {
						assert_false(segment(&d, t.p, cut, t.n, cut));
						assert_int_equal(d.p.reason, R_SLMP_CUT);
						found++;
					}
				}
				/* if the frame comes whole, it is judged by its own content */
				only_reads_and_writes(&d);
				assert_true(t.ascii || segment(&d, t.p, 0, t.n, 0));
				/* in ASCII only commands without a device's letters can be
				 * values */
				assert_int_equal(desk_judge(&d, DIR_C2S, t.p, t.n)->allowed,
						 !t.ascii || k == 0 || k == 3);
			}
	assert_true(found > 1000);
}

/* After a frame was cut nobody knows where a reader is: commands hidden in later frames are found
 * as well, also in two segments. */
static void later_frames_are_searched(void **state)
{
	uint8_t form = SLMP_FORM;
	struct text inner = forbidden(form, 1), t, first = data_of(form);
	size_t where;
	struct desk d;

	(void)state;
	put_d(&first, false, 0);
	put(&first, 2, 1);
	first = request_of(form, 0, own, 0x04010000, &first);
	t = hiding(form, &inner, 0, &where);
	only_reads_and_writes(&d);
	assert_true(segment(&d, first.p, 0, 10, 0));
	assert_true(segment(&d, first.p, 10, first.n, 10));
	assert_true(desk_judge(&d, DIR_C2S, first.p, first.n)->allowed);
	assert_false(segment(&d, t.p, 0, t.n, 0));
	assert_int_equal(d.p.reason, R_SLMP_CUT);
	assert_int_equal(d.p.address, 1000);
	/* hidden bytes that are allowed may pass */
	inner = data_of(form);
	put_d(&inner, false, 999);
	put(&inner, 2, 1);
	put(&inner, 2, 7);
	inner = request_of(form, 0, own, 0x14010000, &inner);
	t = hiding(form, &inner, 0, &where);
	assert_true(segment(&d, t.p, 0, t.n, 0));
}

/* The values of one frame end with the first half of a command, and the next frame is its second
 * half: it is found, whatever the policy was at the first frame. */
static void over_a_seam(void **state)
{
	struct text one = data_of(SLMP_FORM), values = data_of(SLMP_FORM);
	struct desk d;

	(void)state;
	put_d(&one, false, 0);
	put(&one, 2, 1);
	one = request_of(SLMP_FORM, 0, own, 0x04010000, &one);
	put_d(&values, false, 0);
	put(&values, 2, 3);
	/* a length, a timer, read_directory; the subheader of the next frame is its subcommand */
	put(&values, 2, 6);
	put(&values, 2, 16);
	put(&values, 2, 0x1810);
	values = request_of(SLMP_FORM, 0, own, 0x14010000, &values);
	for (unsigned wide = 0; wide < 3; wide++) {
		only_reads_and_writes(&d);
		d.grants[0].whole = wide > 0;
		assert_true(segment(&d, one.p, 0, 10, 0));
		/* a reader may have lost its place */
		assert_true(segment(&d, one.p, 10, one.n, 10));
		assert_true(desk_judge(&d, DIR_C2S, one.p, one.n)->allowed);
		assert_true(segment(&d, values.p, 0, values.n, 0));
		assert_true(desk_judge(&d, DIR_C2S, values.p, values.n)->allowed);
		d.grants[0].whole = wide > 1;
		assert_int_equal(segment(&d, one.p, 0, one.n, 0), wide > 1);
		assert_true(wide > 1 || d.p.reason == R_SLMP_CUT);
	}
}

/* The longest frame takes three segments: its values may be anything, but no command. */
static void long_writes_pass(void **state)
{
	struct desk d;
	uint64_t seed = 0x5eed;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned round = 0; round < 20; round++) {
			struct text t = data_of(all_forms[f]);

			put_d(&t, false, 0);
			put(&t, 2, 960);
			for (unsigned i = 0; i < 960; i++) {
				seed = seed * 6364136223846793005u + 1442695040888963407u;
				put(&t, 2, (uint32_t)(seed >> 48));
			}
			t = request_of(all_forms[f], 1, own, 0x14010000, &t);
			only_reads_and_writes(&d);
			for (size_t at = 0; at < t.n; at += 1460)
				assert_true(segment(&d, t.p, at, t.n - at < 1460 ? t.n : at + 1460, at));
			assert_true(desk_judge(&d, DIR_C2S, t.p, t.n)->allowed);
		}
}

/* Some servers read at most 1024 bytes at once: longer data are searched although no segment is
 * cut. */
static void more_than_a_read(void **state)
{
	uint8_t form = SLMP_FORM;
	struct text inner = forbidden(form, 1), t;
	size_t where;
	struct desk d;

	(void)state;
	t = hiding(form, &inner, 1024, &where);
	only_reads_and_writes(&d);
	assert_false(segment(&d, t.p, 0, t.n, 0));
	t = hiding(form, &inner, 400, &where);
	only_reads_and_writes(&d);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(segment(&d, t.p, 0, t.n, 0));
		assert_true(desk_judge(&d, DIR_C2S, t.p, t.n)->allowed);
	}
	assert_false(segment(&d, t.p, 0, t.n, 0)); /* the third frame before any answer */
}

/* Bytes that have passed are repeated, cut in another way. */
static void repetitions_are_cuts_too(void **state)
{
	uint8_t form = SLMP_FORM;
	struct text inner = forbidden(form, 1), t;
	size_t where;
	struct desk d;

	(void)state;
	t = hiding(form, &inner, 0, &where);
	only_reads_and_writes(&d);
	assert_true(segment(&d, t.p, 0, t.n, 0));
	assert_true(desk_judge(&d, DIR_C2S, t.p, t.n)->allowed);
	assert_true(slmp_enforcer.repeat(d.state, 0, 0, t.n, false, bytes_of(t.p, t.n), desk_by(&d), &d.p));
	assert_false(
		slmp_enforcer.repeat(d.state, 0, where, t.n - where, false, bytes_of(t.p, t.n), desk_by(&d), &d.p));
	assert_int_equal(d.p.reason, R_SLMP_CUT);
}

/* If the whole protocol is allowed, nothing can be misread. */
static void whole_grants_are_not_searched(void **state)
{
	uint8_t form = SLMP_FORM;
	struct text inner = forbidden(form, 1), t;
	size_t where;
	struct desk d;

	(void)state;
	t = hiding(form, &inner, 0, &where);
	desk_whole(&d);
	assert_true(segment(&d, t.p, 0, 12, 0));
	assert_true(segment(&d, t.p, 12, t.n, 12));
}

/*
 * A server that does not wait for the rest that a length announces executes a command as soon as
 * the bytes that it needs are there. So a forbidden command is refused as soon as it shows: a stop
 * at its command, a write at its address.
 */
static void lengths_that_say_more(void **state)
{
	static const struct {
		size_t rest; /* number of bytes that the server does not need */
		enum reason r;
	} known[] = { { 2, R_SLMP_FUNCTION }, { 2, R_SLMP_ADDRESS }, { 8, R_SLMP_ADDRESS }, { 4, R_SLMP_FUNCTION } };

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		for (unsigned k = 0; k < 4; k++) {
			for (uint32_t more = 0; more < 40; more++) {
				uint8_t form = all_forms[f];
				struct text t = forbidden(form, k), length = data_of(form);
				size_t head = slmp_head_length(form);
				struct desk d;

				put(&length, 2, (uint32_t)(t.n - head) + more);
				memcpy(t.p + head - length.n, length.p, length.n);
				memset(t.p + t.n, '0', more);
				for (size_t there = 1; there < t.n + more; there++) {
					only_reads_and_writes(&d);
					assert_int_equal(segment(&d, t.p, 0, there, 0),
							 there + known[k].rest * (t.ascii ? 2 : 1) < t.n);
					assert_int_equal(d.p.reason, there >= t.n ? R_SLMP_FRAME
								     : there + known[k].rest * (t.ascii ? 2 : 1) >= t.n
									     ? known[k].r
									     : R_NONE);
					desk_whole(&d);
					assert_true(segment(&d, t.p, 0, there, 0));
				}
				/* if the frame comes whole, it is judged by its own content */
				only_reads_and_writes(&d);
				assert_false(desk_judge(&d, DIR_C2S, t.p, t.n + more)->allowed);
			}
		}
	}
}

/* Some servers need no number behind a remote reset, or only a part of it. With such a part or
 * other bytes behind it, it is a remote reset to them, and is refused if no row allows it. */
static void a_reset_and_a_stray_byte(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (uint32_t stray = 0; stray < 6; stray++)
			for (uint32_t more = 0; more < 6; more++) {
				uint8_t form = all_forms[f];
				struct text none = data_of(form), t = request_of(form, 9, own, 0x10060000, &none);
				struct text length = data_of(form);
				size_t head = slmp_head_length(form);
				struct desk d;

				put(&length, 2, (uint32_t)(t.n - head) + stray + more + 1);
				memcpy(t.p + head - length.n, length.p, length.n);
				memset(t.p + t.n, '0', stray);
				only_reads_and_writes(&d);
				assert_false(segment(&d, t.p, 0, t.n + stray, 0));
				desk_whole(&d);
				assert_true(segment(&d, t.p, 0, t.n + stray, 0));
			}
}

/* An allowed request may be cut anywhere, however much it touches. */
static void allowed_beginnings_pass(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		uint8_t form = all_forms[f];
		struct text t = data_of(form), words = data_of(form);
		struct desk d;

		put(&t, 1, 20);
		put(&t, 1, 4);
		for (uint32_t i = 0; i < 24; i++)
			put_d(&t, false, 30 * i);
		t = request_of(form, 1, own, 0x04030000, &t);
		put(&words, 1, 12);
		put(&words, 1, 1);
		for (uint32_t i = 0; i < 13; i++) {
			put_d(&words, false, 30 * i);
			put(&words, i < 12 ? 2 : 4, 5);
		}
		words = request_of(form, 1, own, 0x14020000, &words);
		for (size_t there = 1; there < t.n; there++) {
			only_reads_and_writes(&d);
			d.rows[0].services = desk_range(&d, 0x04010000, 0x1402ffff);
			d.rows[0].values = desk_range(&d, 0, 5);
			assert_true(segment(&d, t.p, 0, there, 0));
			assert_true(there >= words.n || segment(&d, words.p, 0, there, 0));
		}
	}
}

/*
 * Bytes that the box cannot read, but some server may: digits in lower case, more words than the
 * manual allows. Such a server may execute what is there without waiting for more, so the bytes are
 * refused, also behind another request.
 */
static void unreadable_and_all_there(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 8; k++) {
		uint8_t form = all_forms[k % 4];
		bool behind = k >= 4;
		struct text lower = data_of(form), many = data_of(form), read = data_of(form);

		put_d(&read, false, 0);
		put(&read, 2, 1);
		read = request_of(form, 8, own, 0x04010000, &read);
		put_d(&lower, false, 0);
		put(&lower, 2, 10);
		if (lower.ascii)
			lower.p[lower.n - 1] = 'a';
		put_raw(&lower, "0000000000000000000000000000000000000000", lower.ascii ? 40 : 20);
		put_d(&many, false, 0);
		put(&many, 2, 961);
		put(&many, 2, 7);
		for (unsigned m = 0; m < 2; m++) {
			struct text t = request_of(form, 9, own, 0x14010000, m == 0 ? &lower : &many),
				    length = data_of(form);
			size_t head = slmp_head_length(form), before = behind ? read.n : 0;
			struct desk d;

			put(&length, 2, (uint32_t)(t.n - head) + 8);
			memcpy(t.p + head - length.n, length.p, length.n);
			memmove(t.p + before, t.p, t.n);
			memcpy(t.p, read.p, before);
			writes_d(&d);
			/* In binary the first message is a write of allowed values. */
			if (m == 0 && !t.ascii) {
				assert_true(segment(&d, t.p, 0, before + t.n, 0));
				continue;
			}
			assert_false(segment(&d, t.p, 0, before + t.n, 0));
			assert_int_equal(d.p.reason, R_SLMP_FRAME);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hidden_commands_are_found),
		cmocka_unit_test(over_a_seam),
		cmocka_unit_test(later_frames_are_searched),
		cmocka_unit_test(long_writes_pass),
		cmocka_unit_test(more_than_a_read),
		cmocka_unit_test(repetitions_are_cuts_too),
		cmocka_unit_test(whole_grants_are_not_searched),
		cmocka_unit_test(lengths_that_say_more),
		cmocka_unit_test(a_reset_and_a_stray_byte),
		cmocka_unit_test(allowed_beginnings_pass),
		cmocka_unit_test(unreadable_and_all_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
