/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy becomes narrower while a request is on its way, with the real enforcers and the whole
 * inspector: between two of its segments, at every cut; between a request that was judged and lost
 * and its repetition, cut in any way; while a part of it waits after a gap; after the same request
 * was answered several times. What the new rows forbid must never become complete; what they allow
 * must arrive.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c appliance/cache/program.c appliance/worker/lend.c
 * LINK: appliance/worker/template.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/lent.h"

#define OTHER P_TOY_2 /* a permit of the same lane */

/* Adds a second permit with this grant beside the narrow permit of the speech. */
static void use_beside(const struct command_grant *grant, bool observe)
{
	struct command_permit both[2];
	struct command_table t;
	uint8_t digest[32], *image;
	struct outbuf o;
	size_t n;

	t = now.d.table;
	now.d.grants[1] = *grant;
	both[0] = both[1] = now.d.permit;
	both[1].permit = OTHER;
	both[1].observe = observe;
	both[1].first_grant = 1;
	t.permits = both;
	t.n_permits = t.n_grants = 2;
	n = commands_size(&t);
	image = malloc(n);
	assert_non_null(image);
	o = outbuf_of(image, n);
	assert_true(commands_encode(&t, &o));
	assert_true(inspector_table(desk_i, bytes_of(image, o.len), digest));
	free(image);
}

/* The second permit allows the whole protocol. */
static void use_both(const struct speech *s)
{
	const struct command_grant wide = {
		.conduit = 1, .line = 101, .protocol = (uint16_t)s->enforcer->protocol, .whole = true
	};

	use_speech(s);
	use_beside(&wide, false);
}

static void begin_wide(void)
{
	begin_trial();
	trial.k.permit = OTHER;
}

static void narrowed(void)
{
	trial.k.permit = PERMIT;
}

static void must(const char *how, unsigned cut, bool allowed, const struct blob *m)
{
	int whole = end_trial();

	if (allowed ? trial.ended || whole != 1 : !trial.ended || whole != 0 || trial.next >= m->n)
		fail_msg("%s, %s at %u, %s: %u of %zu bytes arrived, %d whole, %s", now.s->name, how, cut,
			 allowed ? "allowed" : "forbidden", trial.next, m->n, whole, trial.ended ? "ended" : "goes on");
}

typedef void trial_fn(const struct blob *m, bool allowed);

static void each(trial_fn *f)
{
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_both(&speeches[i]);
		f(&now.read, true);
		for (unsigned w = 0; w < WRITES; w++)
			f(&now.writes[w], false);
		inspector_finish(desk_i);
		desk_close();
	}
}

/* The first part of the request passed under the wide policy; the rest comes under the narrow
 * one. */
static void between(const struct blob *m, bool allowed)
{
	for (uint32_t cut = now.s->together > 0 ? now.s->together : 1; cut < m->n; cut++)
		for (unsigned bytewise = 0; bytewise < 2; bytewise++) {
			begin_wide();
			say_at(0, m->b, cut, false);
			assert_false(trial.ended);
			narrowed();
			for (uint32_t at = cut; at < m->n; at += bytewise ? 1 : (uint32_t)m->n - cut)
				say_at(at, m->b + at, bytewise ? 1 : m->n - cut, false);
			must("narrowed between", cut, allowed, m);
		}
}

static void between_two_segments(void **state)
{
	(void)state;
	each(between);
}

/* The whole request, or its last part, was judged and allowed under the wide policy, but lost
 * behind the box. It is repeated under the narrow policy. */
static void repeated(const struct blob *m, bool allowed)
{
	for (uint32_t cut = 0; cut < m->n; cut++)
		for (unsigned form = 0; form < 3; form++) {
			uint32_t step = form == 2 ? 1 : (uint32_t)m->n;

			if (cut > 0 && cut < now.s->together)
				continue;
			begin_wide();
			if (cut > 0)
				say_at(0, m->b, cut, false);
			say_at(cut, m->b + cut, m->n - cut, true);
			assert_false(trial.ended);
			narrowed();
			for (uint32_t at = form == 1 ? 0 : cut, n; at < m->n; at += n) {
				n = at == 0 && step < now.s->together ? now.s->together : step;
				n = n < m->n - at ? n : (uint32_t)m->n - at;
				say_at(at, m->b + at, n, false);
			}
			must("repeated", cut, allowed, m);
		}
}

static void a_lost_request_again(void **state)
{
	(void)state;
	each(repeated);
}

/* The end of the request came first, and waits or has passed ahead of the gap. The bytes that fill
 * the gap come under the narrow policy. */
static void ahead(const struct blob *m, bool allowed)
{
	for (uint32_t cut = now.s->together > 0 ? now.s->together : 1; cut < m->n; cut++) {
		begin_wide();
		say_at(cut, m->b + cut, m->n - cut, false);
		narrowed();
		say_at(0, m->b, cut, false);
		if (!trial.ended) /* the bytes that waited may have been dropped with the change */
			say_at(cut, m->b + cut, m->n - cut, false);
		must("ahead of a gap", cut, allowed, m);
	}
}

static void ahead_of_a_gap(void **state)
{
	(void)state;
	each(ahead);
}

/* The other direction: a request begins under the narrow policy and ends under the wide one. It
 * arrives unless its beginning was already refused. */
static void widened(const struct blob *m, bool allowed)
{
	for (uint32_t cut = now.s->together > 0 ? now.s->together : 1; cut < m->n; cut++) {
		begin_trial();
		trial.mute = true; /* the speech has no answer to this request */
		say_at(0, m->b, cut, false);
		if (trial.ended) {
			assert_false(allowed);
			continue;
		}
		trial.k.permit = OTHER;
		say_at(cut, m->b + cut, m->n - cut, false);
		if (trial.ended || trial.next != m->n)
			fail_msg("%s, widened at %u: %u of %zu bytes arrived", now.s->name, cut, trial.next, m->n);
	}
}

static void widened_meanwhile(void **state)
{
	(void)state;
	each(widened);
}

#define ANSWERED 4u

/* The request was asked and answered several times under the wide policy, so the kernel may pass it
 * by itself (lent.h). Once more it comes under the narrow policy, or as the repetition of one that
 * was lost behind the box. */
static void answered_before(const struct blob *m, bool allowed, bool lost)
{
	uint32_t n = (uint32_t)m->n, before = ANSWERED * n;

	begin_trial();
	trial.k.permit = OTHER;
	for (uint32_t k = 0; k < ANSWERED; k++)
		say_at(k * n, m->b, n, false);
	if (lost)
		say_at(before, m->b, n, true);
	assert_int_equal(trial.answered, ANSWERED);
	assert_false(trial.ended);
	narrowed();
	say_at(before, m->b, n, false);
	if (trial.ended == allowed || trial.next != before + allowed * n)
		fail_msg("%s, answered before, %s, %s: %u of %u bytes arrived, %s", now.s->name,
			 allowed ? "allowed" : "forbidden", lost ? "lost" : "new", trial.next, before + n,
			 trial.ended ? "ended" : "goes on");
}

static void asked_all_day(void **state)
{
	unsigned passed = lent_passed;

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_both(&speeches[i]);
		for (unsigned k = 0; k < 4; k++)
			/* a read of another address, which has the same answer */
			answered_before(k / 2 ? &now.writes[1] : &now.read, k / 2 == 0, k % 2);
		inspector_finish(desk_i);
		desk_close();
	}
	assert_true(desk_front.passes == NULL || lent_passed > passed + 2 * SPEECHES);
}

/* The client sends these bytes in one or two segments while the policy only observes. Whether its
 * next read passes when the policy enforces. */
static bool goes_on_enforced(const char *says, uint32_t cut)
{
	struct blob m = blob_of(says);
	uint32_t all = (uint32_t)m.n;

	begin_trial();
	trial.mute = true;
	trial.k.permit = OTHER;
	if (cut > 0)
		say_at(0, m.b, cut, false);
	say_at(cut, m.b + cut, all - cut, false);
	assert_int_equal(trial.next, all); /* and is acknowledged */
	assert_false(trial.ended);
	trial.k.permit = PERMIT;
	say_at(all, now.read.b, now.read.n, false);
	assert_int_equal(trial.ended, trial.next == all);
	return !trial.ended;
}

/*
 * Some Modbus servers find the end of a request by its function code. After such bytes they may be
 * in the middle of a forbidden write, and the next request would be its rest. Therefore the session
 * counts as met half-way. A session goes on if all servers find the same ends of its requests,
 * whatever was refused.
 */
static void led_astray_while_observed(void **state)
{
	(void)state;
	use_speech(&speeches[0]);
	/* the second permit has the narrow rows, and only observes */
	use_beside(&now.d.grants[0], true);
	assert_ptr_equal(now.s->enforcer, &modbus_enforcer);
	assert_int_equal(now.read.n, 12);
	assert_true(goes_on_enforced("0002 0000 0006 01 06 0064 0001", 0));
	assert_true(goes_on_enforced("0002 0000 000b 01 10 0064 0002 04 0001 0002", 0));
	/* A read with a wrong length; the bytes behind the read are the beginning of a write of
	 * twelve bytes. */
	assert_false(goes_on_enforced("0002 0000 0013 01 03 0000 0001 0003 0000 0013 01 10 0064 0006 0c", 0));
	/* A function that some servers read as eight bytes, followed by the same beginning of a
	 * write. */
	assert_false(goes_on_enforced("0002 0000 0010 01 41 0003 0000 0013 01 10 0064 0006 0c 00", 0));
	/* A request that comes in two segments, whose second one contains a write. */
	assert_false(goes_on_enforced("0002 0000 0006 01 03 0000 0001 0003 0000 0006 01 03 0005 0106 0064 0001", 18));
	inspector_finish(desk_i);
	desk_close();
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(between_two_segments), cmocka_unit_test(a_lost_request_again),
		cmocka_unit_test(ahead_of_a_gap),	cmocka_unit_test(widened_meanwhile),
		cmocka_unit_test(asked_all_day),	cmocka_unit_test(led_astray_while_observed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	int failed = run();

	return failed + lent(run);
}
