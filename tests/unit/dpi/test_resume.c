/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that begins goes on with a session from the lease that its predecessor left: with its
 * numbers, its permit and the state of its enforcer, and only if these still hold.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/s7comm/s7comm.h"
#include "tests/unit/dpi/inspect_desk.h"
#include "tests/unit/dpi/speeches.h"

#define PERMIT 1u
#define S7 4u /* its index in `speeches` */

static const struct speech *const speech = &speeches[S7];
static struct conn k;
static struct lane lane;

/* One permit in `lane`; the row allows slot `slot`. */
static void load(uint32_t permit, uint32_t slot)
{
	static struct desk d;
	static uint8_t image[1u << 16];
	struct command_row *row;
	struct outbuf o = outbuf_of(image, sizeof(image));
	uint8_t digest[32];

	desk_enforcer = speech->enforcer;
	desk_clear_policy(&d);
	row = desk_grant(&d, 0, 100, false);
	speech->policy(&d, row);
	row->targets[0] = desk_range(&d, slot, slot);
	d.table.n_spaces = row->n_spaces;
	d.permit.permit = permit;
	d.permit.lane = lane_number(lane);
	d.permit.midstream = MID_RESET;
	d.permit.ports = desk_range(&d, speech->port, speech->port);
	assert_true(commands_encode(&d.table, &o));
	assert_true(inspector_table(desk_i, bytes_of(image, o.len), digest));
}

static int begin(void **state)
{
	const struct inspector_limits limits = {
		.outside = desk_outside, .flows = 16, .pool_bytes = 1u << 16, .table_bytes = 1u << 16
	};

	(void)state;
	desk_directed = true;
	desk_i = inspector_new(&limits);
	lane = (struct lane){ LANE_COMMANDS, CRIT_CARGO, FAIL_CLOSED, FAIL_CLOSED };
	k = desk_conn(P_TOY);
	k.server_port = speech->port;
	k.family = 4;
	load(PERMIT, 2);
	return desk_i == NULL;
}

static int end(void **state)
{
	(void)state;
	inspector_free(desk_i);
	desk_i = NULL;
	return 0;
}

static size_t bytes_from(const char *hex, void *to)
{
	uint8_t *p = to;

	for (; hex != NULL && *hex != '\0'; hex++) {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex == ' ')
			continue;
		*p++ = (uint8_t)strtoul(two, NULL, 16);
		hex++;
	}
	return (size_t)(p - (uint8_t *)to);
}

/* The session is set up for slot 2 and PDUs of 240 bytes, and nothing passed since. */
static struct once_lease lease(void)
{
	static const uint8_t kept[] = { 0, PROTO_S7COMM, 1, 0, 0, 2, 0, 1, 0, 240, 0, 0, 0, 0, 0, 0, 0, PERMIT };
	struct once_lease l = { .permit = PERMIT,
				.client_port = k.client_port,
				.server_port = k.server_port,
				.family = 4,
				.words = { 5, 5 },
				.hops = { 64, 64 },
				.last = ONCE_NOTHING,
				.waits = ONCE_NOTHING };
	struct decoded d;

	assert_true(decode_packet(bytes_of(desk_packet, desk_tcp(&k, DIR_C2S, 0, 0, DESK_ACK, NULL, 0)),
				  CHECKSUM_STRICT, &d) == R_NONE);
	memcpy(l.client, d.src.b, 4);
	memcpy(l.server, d.dst.b, 4);
	l.said = (uint16_t)bytes_from(speech->answer, l.answer);
	l.next[0] = l.acked[0] = k.c;
	l.next[1] = k.s;
	l.acked[1] = k.s - l.said;
	memcpy(l.kept, kept, sizeof(kept));
	l.n_kept = sizeof(kept);
	return l;
}

static bool sends(enum direction dir, unsigned flags, const char *hex)
{
	uint8_t b[320];
	size_t n = bytes_from(hex, b);
	uint32_t *own = dir == DIR_C2S ? &k.c : &k.s, other = dir == DIR_C2S ? k.s : k.c, id;

	id = desk_hand_as(desk_tcp(&k, dir, *own, other, flags, b, n),
			  mark_make(PERMIT, lane_number(lane), MARK_UNJUDGED) | (dir == DIR_S2C ? MARK_REPLY : 0),
			  false);
	if (desk.outcome[id % DESK_IDS] < OUTCOME_ACCEPT)
		return false;
	*own += (uint32_t)n + ((flags & DESK_SYN) != 0);
	return true;
}

static bool asks(const char *hex)
{
	return sends(DIR_C2S, DESK_ACK | DESK_PSH, hex);
}

static bool answers(const char *hex)
{
	return sends(DIR_S2C, DESK_ACK | DESK_PSH, hex);
}

static void goes_on(void **state)
{
	struct once_lease l = lease();

	(void)state;
	assert_false(asks(speech->read)); /* the control: met half-way */
	end(NULL);
	begin(NULL);
	l = lease();
	assert_true(inspector_resume(desk_i, &l, NULL, true));
	assert_false(inspector_resume(desk_i, &l, NULL, true)); /* only once */
	for (unsigned n = 0; n < 3; n++)
		assert_true(asks(speech->read) && answers(speech->answer));
	assert_false(asks(speech->writes[0]));
}

/* The answer that no acknowledgement was seen of may be repeated, and only as it was. */
static void the_last_answer_is_known(void **state)
{
	char other[200];

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		struct once_lease l = lease();

		assert_true(inspector_resume(desk_i, &l, NULL, true));
		snprintf(other, sizeof(other), "%s", speech->answer);
		other[strlen(other) - 1] ^= (char)n;
		k.s -= l.said;
		assert_int_equal(answers(other), n == 0);
		end(NULL);
		begin(NULL);
	}
}

static void a_new_session_on_its_ports(void **state)
{
	struct once_lease l = lease();

	(void)state;
	assert_true(inspector_resume(desk_i, &l, NULL, true));
	k.c += 100000;
	k.s += 200000;
	assert_true(sends(DIR_C2S, DESK_SYN, NULL) && sends(DIR_S2C, DESK_SYN | DESK_ACK, NULL) &&
		    sends(DIR_C2S, DESK_ACK, NULL));
	assert_false(asks(speech->read)); /* it has no setup */
}

/* Its FIN or a RST passed in the kernel: no request follows it, and a new session may. */
static void it_had_ended(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 4; how++) {
		struct once_lease l = lease();

		l.ended[how & 1u] = how < 2 ? 1 : ONCE_RESET;
		l.next[how & 1u] += how < 2;
		l.acked[1] = l.next[1] - (how == 1);
		assert_true(inspector_resume(desk_i, &l, NULL, true));
		k.c += how == 0;
		k.s += how == 1;
		assert_int_equal(asks(speech->read), how == 1);
		if (how == 1)
			assert_false(answers(speech->answer));
		k.c += 100000;
		k.s += 200000;
		assert_true(sends(DIR_C2S, DESK_SYN, NULL) && sends(DIR_S2C, DESK_SYN | DESK_ACK, NULL) &&
			    sends(DIR_C2S, DESK_ACK, NULL));
		assert_false(asks(speech->read)); /* it has no setup */
		end(NULL);
		begin(NULL);
	}
}

static void what_holds_no_more(void **state)
{
	struct once_lease l = lease(), x;

	(void)state;
	x = l, x.permit = PERMIT + 1u;
	assert_false(inspector_resume(desk_i, &x, NULL, true));
	x = l, x.family = 5;
	assert_false(inspector_resume(desk_i, &x, NULL, true));
	x = l, x.kept[1] = PROTO_MODBUS; /* a protocol that the permit lacks */
	assert_false(inspector_resume(desk_i, &x, NULL, true));
	x = l, x.kept[0] = 0xff;
	assert_false(inspector_resume(desk_i, &x, NULL, true));
	x = l, x.kept[4] = 7; /* no such slot */
	assert_false(inspector_resume(desk_i, &x, NULL, true));
	x = l, x.n_kept = ONCE_KEPT + 1u;
	assert_false(inspector_resume(desk_i, &x, NULL, true));
	x = l, x.n_kept = 1;
	assert_false(inspector_resume(desk_i, &x, NULL, true));
	/* the permit allows another slot by now: the request is refused */
	load(PERMIT, 3);
	assert_true(inspector_resume(desk_i, &l, NULL, true));
	assert_false(asks(speech->read));
}

/* Packets came while no worker lived. */
static void something_may_have_passed(void **state)
{
	struct once_lease l = lease();

	(void)state;
	assert_true(inspector_resume(desk_i, &l, NULL, false));
	assert_true(asks(speech->read));
	for (unsigned n = 0; n < 2; n++) {
		end(NULL);
		begin(NULL);
		*(n == 0 ? &lane.when_down : &lane.when_overloaded) = FAIL_HOLD;
		load(PERMIT, 2);
		l = lease();
		assert_false(inspector_resume(desk_i, &l, NULL, false));
		assert_true(inspector_resume(desk_i, &l, NULL, true));
	}
}

/* Accepted operations by the records. */
static uint64_t counted(void)
{
	uint64_t n = 0;

	desk_clear();
	inspector_finish(desk_i);
	for (size_t e = 0; e < desk.n_events; e++)
		if (desk.events[e].kind == EVENT_COUNTS && !desk.events[e].s2c)
			n += desk.events[e].count;
	return n;
}

/* The last exchange of the lease is judged once more, by the present rows, and counted with what
 * passed before it. */
static void the_last_exchange(void **state)
{
	struct once_template t = { .permit = PERMIT };

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		struct once_lease l = lease();

		l.last = 0;
		t.length = (uint16_t)bytes_from(speech->read, l.request);
		t.answer = (uint16_t)bytes_from(speech->answer, l.answer);
		memcpy(t.request, l.request, t.length);
		load(PERMIT, n == 0 ? 2 : 3);
		assert_int_equal(inspector_resume(desk_i, &l, &t, true), n == 0);
		inspector_recount(desk_i, &l, &t, 6);
		if (n == 0) {
			assert_true(asks(speech->read) && answers(speech->answer));
			assert_int_equal(counted(), 2 * 8); /* of two items each */
		} else {
			assert_false(asks(speech->read));
		}
		end(NULL);
		begin(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(goes_on, begin, end),
		cmocka_unit_test_setup_teardown(the_last_answer_is_known, begin, end),
		cmocka_unit_test_setup_teardown(a_new_session_on_its_ports, begin, end),
		cmocka_unit_test_setup_teardown(it_had_ended, begin, end),
		cmocka_unit_test_setup_teardown(what_holds_no_more, begin, end),
		cmocka_unit_test_setup_teardown(something_may_have_passed, begin, end),
		cmocka_unit_test_setup_teardown(the_last_exchange, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
