/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SLMP enforcer: which answers fit an open request, and what a registered monitor reads.
 * LINK: $(COMMANDS_PARTS) dpi/slmp/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/slmp_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* An answer with `n` bytes or characters of data. */
static const struct pdu *tell_n(struct desk *d, uint8_t form, uint16_t serial, uint32_t end_code, size_t n)
{
	struct text t = data_of(form);

	memset(t.p, '0', n);
	t.n = n;
	return tell(d, form, serial, end_code, &t);
}

/* Reads of 0 to 3 and of 960 words or bits: the answer must have exactly the length that was asked
 * for. */
static void reads_are_answered_in_full(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned bits = 0; bits < 2; bits++)
			for (uint32_t n = 1; n < 5; n++)
				for (int off = -2; off <= 2; off++) {
					struct text t = data_of(all_forms[f]);
					uint32_t asked = n == 4 ? 960 : n;
					int right = (int)(bits ? t.ascii ? asked : (asked + 1) / 2
							       : asked * (t.ascii ? 4 : 2));

					put_m(&t, false, 0);
					put(&t, 2, asked);
					desk_row(&d);
					assert_true(ask(&d, all_forms[f], 5, 0x04010000 | bits, &t)->allowed);
					if (right + off < 0)
						continue;
					tell_n(&d, all_forms[f], 5, 0, (size_t)(right + off));
					assert_int_equal(d.p.reason, off == 0 ? R_ALLOWED : R_SLMP_RESPONSE);
					if (off == 0) {
						assert_int_equal(d.p.function, 0x04010000 | bits);
						assert_int_equal(d.p.space, SLMP_M);
						assert_int_equal(tell_n(&d, all_forms[f], 5, 0, (size_t)right)->reason,
								 R_SLMP_RESPONSE); /* once */
					}
				}
}

/* Behind an end code there is nothing, or the route and the command of the request. */
static void errors_name_their_command(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned k = 0; k < 6; k++) {
			struct text t = data_of(all_forms[f]);

			if (k > 0)
				put(&t, 4, 0x03ffff00);
			if (k > 0)
				put(&t, 1, 0);
			if (k > 1)
				put(&t, 2, k == 3 ? 0x1401 : 0x0401);
			if (k > 1)
				put(&t, 2, k == 4 ? 1 : 0);
			if (k == 5)
				put(&t, 1, 0);
			desk_row(&d);
			assert_true(read_d(&d, all_forms[f], 1, 7, 2)->allowed);
			tell(&d, all_forms[f], 1, 0xc051, &t);
			assert_int_equal(d.p.allowed, k == 0 || k == 2);
			assert_true(d.p.exception);
		}
}

/* A 4E answer has the serial number of its request, and may come in any order. A 3E answer has
 * none, and belongs to the oldest request that it fits. */
static void serials_tell_answers_apart(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		unsigned word = all_forms[f] & SLMP_ASCII ? 4 : 2;

		desk_row(&d);
		assert_true(read_d(&d, all_forms[f], 1, 0, 1)->allowed);
		assert_true(read_d(&d, all_forms[f], 2, 10, 2)->allowed);
		assert_true(read_d(&d, all_forms[f], 3, 20, 1)->allowed);
		if (all_forms[f] & SLMP_4E) {
			assert_true(tell_n(&d, all_forms[f], 3, 0, word)->allowed);
			assert_int_equal(d.p.address, 20);
			assert_int_equal(tell_n(&d, all_forms[f], 3, 0, word)->reason, R_SLMP_RESPONSE);
			assert_int_equal(tell_n(&d, all_forms[f], 2, 0, word)->reason, R_SLMP_RESPONSE);
			assert_true(tell_n(&d, all_forms[f], 2, 0, 2 * word)->allowed);
			assert_true(tell_n(&d, all_forms[f], 1, 0, word)->allowed);
			assert_int_equal(d.p.address, 0);
		} else {
			assert_true(tell_n(&d, all_forms[f], 0, 0, word)->allowed);
			assert_int_equal(d.p.address, 0);
			assert_true(tell_n(&d, all_forms[f], 0, 0, 2 * word)->allowed);
			assert_true(tell_n(&d, all_forms[f], 0, 0, word)->allowed);
			assert_int_equal(d.p.address, 20);
		}
		assert_int_equal(tell_n(&d, all_forms[f], 1, 0, word)->reason, R_SLMP_RESPONSE);
	}
}

/* An answer with another route or form, without a request, or from the wrong end. */
static void strangers_answers(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		struct text data = words(all_forms[f], 1, 5), t;
		struct whom other = own;

		desk_row(&d);
		assert_int_equal(tell(&d, all_forms[f], 1, 0, &data)->reason, R_SLMP_RESPONSE);
		assert_true(read_d(&d, all_forms[f], 1, 0, 1)->allowed);
		t = answer_of(all_forms[f], 1, own, 0, &data);
		assert_int_equal(desk_judge(&d, DIR_C2S, t.p, t.n)->reason, R_SLMP_RESPONSE);
		other.module = 0x3e0;
		t = answer_of(all_forms[f], 1, other, 0, &data);
		assert_int_equal(desk_judge(&d, DIR_S2C, t.p, t.n)->reason, R_SLMP_RESPONSE);
		for (unsigned g = 0; g < 4; g++) {
			struct text again = words(all_forms[g], 1, 5);

			if (g != f)
				assert_int_equal(tell(&d, all_forms[g], 1, 0, &again)->reason, R_SLMP_RESPONSE);
		}
		d.grants[0].lenient = LENIENT_UNIT;
		assert_true(desk_judge(&d, DIR_S2C, t.p, t.n)->allowed);
	}
}

/* Sixteen requests may wait; the oldest ones are forgotten for new ones. A reset needs no
 * answer. */
static void many_may_wait(void **state)
{
	uint8_t form = SLMP_FORM | SLMP_4E;
	struct text t = data_of(form);
	struct desk d;

	(void)state;
	desk_row(&d);
	for (uint16_t i = 0; i < SLMP_OPEN_MAX; i++)
		assert_true(read_d(&d, form, i, i, 1)->allowed);
	assert_int_equal(read_d(&d, form, 99, 0, 1)->reason, R_SLMP_PENDING);
	assert_true(tell_n(&d, form, 15, 0, 2)->allowed);
	for (uint16_t i = 0; i < SLMP_OPEN_MAX; i++)
		assert_true(read_d(&d, form, 100 + i, i, 1)->allowed);
	assert_int_equal(read_d(&d, form, 999, 0, 1)->reason, R_SLMP_PENDING);
	desk_row(&d);
	put(&t, 2, 1);
	for (uint16_t i = 0; i < 4 * SLMP_OPEN_MAX; i++)
		assert_true(ask(&d, form, i, 0x10060000, &t)->allowed);
}

/* A refused request is remembered: if the policy observes, its answer is refused for the same
 * reason. */
static void answers_to_refused_requests(void **state)
{
	uint8_t form = SLMP_FORM;
	struct desk d;

	(void)state;
	only(&d, SLMP_D, 0, 9);
	assert_int_equal(read_d(&d, form, 0, 10, 1)->reason, R_SLMP_ADDRESS);
	assert_int_equal(tell_n(&d, form, 0, 0, 2)->reason, R_SLMP_ADDRESS);
	assert_false(d.p.allowed);
}

/* After bytes were missed an answer may belong to an unseen request, unless the request could not
 * be read. */
static void answers_to_what_was_missed(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned unread = 0; unread < 2; unread++) {
		desk_row(&d);
		pending_missed(&slmp_enforcer, d.state, unread);
		assert_int_equal(tell_n(&d, SLMP_FORM, 0, 0, 30)->reason, unread ? R_SLMP_UNREAD : R_SLMP_UNSEEN);
		assert_int_equal(d.p.allowed, !unread);
		assert_true(read_d(&d, SLMP_FORM, 0, 0, 1)->allowed);
		assert_true(tell_n(&d, SLMP_FORM, 0, 0, 2)->allowed);
		assert_int_equal(tell_n(&d, SLMP_FORM, 0, 0, 2)->reason, R_SLMP_RESPONSE);
	}
}

/* A request of the server is refused, whether a client may send it or not; so is the client's
 * answer to it. */
static void servers_do_not_ask(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		struct text data = words(all_forms[f], 3, 1), t = request_of(all_forms[f], 1, own, 0x21010000, &data),
			    none = data_of(all_forms[f]), a = answer_of(all_forms[f], 1, own, 0, &none);

		desk_row(&d);
		assert_false(desk_judge(&d, DIR_S2C, t.p, t.n)->allowed);
		assert_false(desk_judge(&d, DIR_C2S, a.p, a.n)->allowed);
		data = data_of(all_forms[f]);
		put_d(&data, false, 5);
		put(&data, 2, 1);
		put(&data, 2, 1);
		t = request_of(all_forms[f], 1, own, 0x14010000, &data);
		desk_whole(&d);
		assert_true(desk_judge(&d, DIR_C2S, t.p, t.n)->allowed);
		desk_reset(&d);
		assert_false(desk_judge(&d, DIR_S2C, t.p, t.n)->allowed);
	}
}

/* ---- monitors -------------------------------------------------------------------------------- */

static const struct pdu *ask_monitor(struct desk *d, uint8_t form)
{
	struct text none = data_of(form);

	return ask(d, form, 9, 0x08020000, &none);
}

static const struct pdu *ask_register(struct desk *d, uint8_t form, uint32_t a, uint32_t b)
{
	struct text t = data_of(form);

	put(&t, 1, 2);
	put(&t, 1, 0);
	put_d(&t, false, a);
	put_d(&t, false, b);
	return ask(d, form, 8, 0x08010000, &t);
}

/* 0802 reads the devices that 0801 has registered with success. While the answer to 0801 is not
 * there, it may read the old or the new ones; if 0801 failed, the old ones. */
static void monitors_read_what_was_registered(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		uint8_t form = all_forms[f];
		struct text none = data_of(form);
		size_t word = form & SLMP_ASCII ? 4 : 2;
		struct number_range *r;

		only(&d, SLMP_D, 0, 50);
		r = &d.ranges[d.spaces[0].numbers.first];
		/* nothing is registered in this session */
		assert_int_equal(ask_monitor(&d, form)->reason, R_SLMP_ADDRESS);
		desk_reset(&d);
		assert_int_equal(ask_register(&d, form, 5, 51)->reason, R_SLMP_ADDRESS);
		desk_reset(&d);
		assert_true(ask_register(&d, form, 5, 50)->allowed);
		assert_true(tell(&d, form, 8, 0, &none)->allowed);
		assert_true(ask_monitor(&d, form)->allowed);
		assert_false(tell_n(&d, form, 9, 0, word)->allowed);
		assert_true(tell_n(&d, form, 9, 0, 2 * word)->allowed);
		/* the policy is narrowed: the devices registered before may no longer be read */
		r->hi = 49;
		assert_int_equal(ask_monitor(&d, form)->reason, R_SLMP_ADDRESS);
		assert_false(tell_n(&d, form, 9, 0, 2 * word)->allowed);
		assert_true(ask_register(&d, form, 1, 2)->allowed);
		assert_false(ask_monitor(&d, form)->allowed); /* may still read the others */
		tell_n(&d, form, 9, 0, 2 * word);
		assert_true(tell(&d, form, 8, 0xc059, &none)->allowed);
		assert_false(ask_monitor(&d, form)->allowed); /* the monitor still reads them */
		tell_n(&d, form, 9, 0, 2 * word);
		assert_true(ask_register(&d, form, 1, 2)->allowed);
		assert_true(tell(&d, form, 8, 0, &none)->allowed);
		assert_true(ask_monitor(&d, form)->allowed);
	}
}

/* A full queue let bytes pass unseen: another registration may be among them, before or after the
 * answer to this one. */
static void monitors_after_bytes_went_by(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		for (unsigned answered = 0; answered < 2; answered++) {
			struct text none = data_of(all_forms[f]);

			only(&d, SLMP_D, 0, 50);
			assert_true(ask_register(&d, all_forms[f], 5, 50)->allowed);
			if (answered)
				assert_true(tell(&d, all_forms[f], 8, 0, &none)->allowed);
			pending_missed(&slmp_enforcer, d.state, false);
			if (!answered)
				assert_true(tell(&d, all_forms[f], 8, 0, &none)->allowed);
			assert_int_equal(ask_monitor(&d, all_forms[f])->reason, R_SLMP_ADDRESS);
		}
}

/* A monitor after a registration for another station, or of more devices than the box remembers: it
 * is unknown which devices it reads. */
static void monitors_of_others(void **state)
{
	struct text t = data_of(SLMP_FORM), none = t, frame;
	struct whom other = { 1, 1, 0x3ff, 0 };
	struct desk d;

	(void)state;
	only(&d, SLMP_D, 0, 1000);
	assert_true(ask_register(&d, SLMP_FORM, 1, 2)->allowed);
	assert_true(tell(&d, SLMP_FORM, 8, 0, &none)->allowed);
	frame = request_of(SLMP_FORM, 0, other, 0x08020000, &none);
	assert_int_equal(desk_judge(&d, DIR_C2S, frame.p, frame.n)->reason, R_SLMP_ADDRESS);
	desk_reset(&d);
	put(&t, 1, 40);
	put(&t, 1, 0);
	for (uint32_t i = 0; i < 40; i++)
		put_d(&t, false, 2 * i);
	assert_true(ask(&d, SLMP_FORM, 8, 0x08010000, &t)->allowed);
	assert_true(tell(&d, SLMP_FORM, 8, 0, &none)->allowed);
	assert_int_equal(ask_monitor(&d, SLMP_FORM)->reason, R_SLMP_ADDRESS);
}

/*
 * If the policy observes, a refused registration reaches the PLC as well: a monitor reads these
 * devices from then on, also when the policy enforces. If two registrations are open at the same
 * time, nobody knows which one counts, unless they are the same.
 */
static void monitors_registered_while_observed(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		uint8_t form = all_forms[f];
		struct text none = data_of(form), broken = data_of(form);

		only(&d, SLMP_D, 0, 50);
		assert_true(ask_register(&d, form, 1, 2)->allowed);
		assert_true(tell(&d, form, 8, 0, &none)->allowed);
		assert_int_equal(ask_register(&d, form, 1, 51)->reason, R_SLMP_ADDRESS);
		tell(&d, form, 8, 0xc059, &none); /* the PLC refused it */
		assert_true(ask_monitor(&d, form)->allowed);
		assert_int_equal(ask_register(&d, form, 1, 51)->reason, R_SLMP_ADDRESS);
		tell(&d, form, 8, 0, &none);
		assert_int_equal(ask_monitor(&d, form)->reason, R_SLMP_ADDRESS);

		desk_reset(&d);
		assert_true(ask_register(&d, form, 1, 2)->allowed);
		assert_true(tell(&d, form, 8, 0, &none)->allowed);
		put(&broken, 2, 1);
		assert_int_equal(ask(&d, form, 8, 0x08010000, &broken)->reason, R_SLMP_FRAME);
		tell(&d, form, 8, 0, &none);
		assert_int_equal(ask_monitor(&d, form)->reason,
				 R_SLMP_ADDRESS); /* nobody knows which devices the PLC reads */

		for (unsigned n = 0; n < 4; n++) {
			desk_reset(&d);
			assert_int_equal(ask_register(&d, form, 1, 51)->reason, R_SLMP_ADDRESS);
			assert_true(ask_register(&d, form, 1, 2)->allowed);
			tell(&d, form, 8, n & 1u ? 0xc059 : 0, &none);
			tell(&d, form, 8, n & 2u ? 0xc059 : 0, &none);
			assert_int_equal(ask_monitor(&d, form)->reason, R_SLMP_ADDRESS);
		}
		desk_reset(&d);
		assert_true(ask_register(&d, form, 1, 2)->allowed);
		assert_true(ask_register(&d, form, 1, 2)->allowed); /* the first was lost */
		assert_true(tell(&d, form, 8, 0, &none)->allowed);
		assert_true(ask_monitor(&d, form)->allowed);
	}
}

/* A registration that there is no room to remember. */
static void monitors_registered_in_a_crowd(void **state)
{
	struct text none = data_of(SLMP_FORM);
	struct desk d;

	(void)state;
	only(&d, SLMP_D, 0, 50);
	assert_true(ask_register(&d, SLMP_FORM, 1, 2)->allowed);
	assert_true(tell(&d, SLMP_FORM, 8, 0, &none)->allowed);
	for (unsigned i = 0; i < SLMP_OPEN_MAX; i++)
		assert_true(read_d(&d, SLMP_FORM, 1, 0, 1)->allowed);
	assert_false(ask_register(&d, SLMP_FORM, 1, 51)->allowed);
	for (unsigned i = 0; i < SLMP_OPEN_MAX; i++)
		assert_true(tell_n(&d, SLMP_FORM, 1, 0, 2)->allowed);
	assert_int_equal(ask_monitor(&d, SLMP_FORM)->reason, R_SLMP_ADDRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_are_answered_in_full),
		cmocka_unit_test(errors_name_their_command),
		cmocka_unit_test(serials_tell_answers_apart),
		cmocka_unit_test(strangers_answers),
		cmocka_unit_test(many_may_wait),
		cmocka_unit_test(answers_to_refused_requests),
		cmocka_unit_test(answers_to_what_was_missed),
		cmocka_unit_test(monitors_after_bytes_went_by),
		cmocka_unit_test(servers_do_not_ask),
		cmocka_unit_test(monitors_read_what_was_registered),
		cmocka_unit_test(monitors_of_others),
		cmocka_unit_test(monitors_registered_while_observed),
		cmocka_unit_test(monitors_registered_in_a_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
