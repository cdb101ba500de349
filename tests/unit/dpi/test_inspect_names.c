/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector on lanes for naming and on mixed lanes: whether a session has the promised
 * protocol, and how weak TLS is counted and told.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/hellos.h"
#include "tests/unit/dpi/inspect_setup.h"

static size_t good_answer(uint8_t *out)
{
	return server_hello(out, 0x0304, 0x1301, false);
}

static void tls_is_followed_to_its_servers_hello(void **state)
{
	struct conn k = desk_conn(P_TLS);
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello(hello);

	(void)state;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n), OUTCOME_ACCEPT);
	assert_int_equal(desk_count(EVENT_FLOW, R_CONFIRMED), 0);
	n = good_answer(hello);
	assert_int_equal(desk_send(&k, DIR_S2C, hello, n), OUTCOME_CONFIRMED);
	assert_int_equal(desk_count(EVENT_FLOW, R_CONFIRMED), 1);
	assert_int_equal(desk.flows[0].info.protocol, PROTO_TLS);
	assert_int_equal(stats().pool_used, 0);
	assert_int_equal(stats().reasons[R_TLS_UNSEEN] + stats().reasons[R_TLS_WEAK], 0);
	assert_int_equal(desk.n_events, 1);
	/* A packet that was already on its way into the queue. */
	assert_int_equal(desk_text(&k, DIR_S2C, "anything"), OUTCOME_CONFIRMED);
}

static void tls_hellos_in_pieces(void **state)
{
	uint8_t client[HELLO_ROOM], server[HELLO_ROOM];
	size_t n = client_hello(client), m = server_hello(server, 0x0301, 0x000a, false);

	(void)state;
	for (size_t cut = 1; cut < 40; cut++) {
		struct conn k = desk_conn(P_TLS);

		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, client, cut), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, client + cut, n - cut), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_S2C, server, m - cut), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_S2C, server + m - cut, cut), OUTCOME_CONFIRMED);
	}
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(stats().reasons[R_TLS_WEAK], 39);
}

static const struct event *weak_event(size_t n)
{
	for (size_t i = 0; i < desk.n_events; i++)
		if (desk.events[i].kind == EVENT_WEAK && n-- == 0)
			return &desk.events[i];
	return NULL;
}

static size_t weak_events(void)
{
	size_t n = 0;

	while (weak_event(n) != NULL)
		n++;
	return n;
}

/* A session up to the hellos; its server chooses this version and suite. */
static struct conn greet(uint32_t permit, uint16_t version, uint16_t suite)
{
	struct conn k = desk_conn(permit);
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello(hello);

	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n), OUTCOME_ACCEPT);
	n = server_hello(hello, version, suite, false);
	assert_int_equal(desk_send(&k, DIR_S2C, hello, n), OUTCOME_CONFIRMED);
	return k;
}

/* If the kernel queues a packet of a session that is no longer inspected, a new session begins on
 * its ports. */
static void a_session_anew_is_named_anew(void **state)
{
	static const char *const says[] = { "SSH-2.0-other\r\n", "GET / HTTP/1.1\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct conn k = greet(P_TLS, 0x0304, 0x1301), next = k;

		/* The SYN-ACK of the session is repeated, and passes. SYN-ACKs that answer no SYN
		 * do not. */
		assert_int_equal(desk_segment(&k, DIR_S2C, 77000u, 0xfffffff1u, DESK_SYN | DESK_ACK, NULL, 0),
				 OUTCOME_CONFIRMED);
		assert_int_equal(desk_segment(&k, DIR_S2C, 5000u, 0xfffffff1u, DESK_SYN | DESK_ACK, NULL, 0),
				 OUTCOME_DROP);
		assert_int_equal(desk_segment(&k, DIR_S2C, 77000u, 9000u, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_DROP);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_SYN | DESK_ACK, NULL, 0), OUTCOME_DROP);
		assert_int_equal(desk_text(&k, DIR_S2C, "goes on"), OUTCOME_CONFIRMED);
		next.c = 123456u;
		next.s = 987654u;
		assert_int_equal(desk_segment(&next, DIR_C2S, next.c, 0, DESK_SYN, "early", 5), OUTCOME_DROP);
		assert_int_equal(desk_handshake(&next), OUTCOME_ACCEPT);
		assert_int_equal(desk_text(&next, DIR_C2S, says[i]), OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), i + 1);
	}
}

static void weak_tls_is_told_once_and_counted(void **state)
{
	const struct event *e;
	uint64_t count = 0;

	(void)state;
	for (unsigned n = 0; n < 5; n++)
		greet(P_TLS, 0x0301, 0x000a);
	assert_int_equal(weak_events(), 1);
	e = weak_event(0);
	assert_int_equal(e->code, WEAK_TLS);
	assert_int_equal(e->verdict, EV_ALLOW);
	assert_int_equal(e->reason, R_TLS_WEAK);
	assert_int_equal(e->count, 1);
	assert_int_equal(e->protocol, PROTO_TLS);
	assert_int_equal(e->value, event_weak_value(0x0304, 0x0301, 0x000a));
	assert_int_equal(e->space, WEAK_HELLO);
	assert_string_equal(e->text[EVENT_OBJECT], "tos.example");
	assert_int_not_equal(e->conduit, EVENT_NO_CONDUIT);
	/* Another version and suite has a record of its own; a good one has none. */
	greet(P_TLS, 0x0303, 0x009c);
	greet(P_TLS, 0x0303, 0xc02f);
	assert_int_equal(weak_events(), 2);
	assert_int_equal(weak_event(1)->code, WEAK_TLS_LESSER);
	assert_int_equal(stats().reasons[R_TLS_WEAK], 5);
	assert_int_equal(stats().reasons[R_TLS_LESSER], 1);
	/* After an hour the further sessions are reported. */
	desk_now += 3600u * 1000000000ull;
	inspector_tick(desk_i);
	assert_int_equal(weak_events(), 3);
	assert_int_equal(weak_event(2)->count, 4);
	assert_int_equal(weak_event(2)->address, 3600);
	for (size_t n = 0; n < 3; n++)
		count += weak_event(n)->count;
	assert_int_equal(count, 6);
	/* Nothing is reported in the next hour: this kind is forgotten, and its next session counts
	 * as a first one. */
	desk_now += 3600u * 1000000000ull;
	inspector_tick(desk_i);
	assert_int_equal(weak_events(), 3);
	greet(P_TLS, 0x0301, 0x000a);
	assert_int_equal(weak_events(), 4);
}

static size_t undeclared(void)
{
	return desk_count(EVENT_UNDECLARED, R_TLS_UNDECLARED);
}

static const struct event *undeclared_event(size_t n)
{
	for (size_t i = 0; i < desk.n_events; i++)
		if (desk.events[i].kind == EVENT_UNDECLARED && n-- == 0)
			return &desk.events[i];
	return NULL;
}

/* The same table with these names; "" = none. */
static void declare(const char *names, uint32_t generation)
{
	uint8_t digest[32], *image;
	size_t n;

	desk_names = names;
	image = desk_image(1, &n);
	assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
	free(image);
	inspector_generations(desk_i, (struct event_generation){ generation, generation }, bytes_of(NULL, 0));
}

static int end_of_names(void **state)
{
	desk_names = "";
	return teardown(state);
}

/* A session up to the hellos; its client asks for this server. */
static struct conn ask(uint32_t permit, const char *name)
{
	struct conn k = desk_conn(permit);
	uint8_t hello[HELLO_ROOM];

	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, client_hello_for(hello, name)), OUTCOME_ACCEPT);
	/* What the client sends before the server's hello does not matter. */
	assert_int_equal(desk_text(&k, DIR_C2S, "early"), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, hello, server_hello(hello, 0x0304, 0x1301, false)), OUTCOME_CONFIRMED);
	return k;
}

#define NAMES "\020*.vendor.example\013tos.example"

static void undeclared_servers_are_told_once_and_counted(void **state)
{
	const struct event *e;

	(void)state;
	ask(P_TLS, "evil.example"); /* nobody declares anything */
	declare(NAMES, 5);
	ask(P_TLS, "tos.example");
	ask(P_TLS, "TOS.example");
	ask(P_TLS, "a.vendor.example");
	assert_int_equal(undeclared(), 0);
	for (unsigned n = 0; n < 4; n++)
		ask(P_TLS, n % 2 == 0 ? "Cloud.Example" : "cloud.example");
	ask(P_TLS, "");
	ask(P_TLS, "a b");
	assert_int_equal(undeclared(), 2);
	e = undeclared_event(0);
	assert_int_equal(e->generation.number, 5);
	assert_string_equal(e->text[EVENT_OBJECT], "cloud.example");
	assert_int_equal(e->count, 1);
	assert_int_equal(e->verdict, EV_ALLOW);
	assert_int_equal(e->space, UNDECLARED_NAME);
	assert_int_equal(e->conduit, P_TLS);
	assert_int_equal(e->server_port, 443);
	assert_string_equal(undeclared_event(1)->text[EVENT_OBJECT], "");
	assert_int_equal(undeclared_event(1)->space, UNDECLARED_NAME);
	/* After an hour the further sessions are reported. */
	desk_now += 3600u * 1000000000ull;
	inspector_tick(desk_i);
	assert_int_equal(undeclared(), 4);
	assert_int_equal(undeclared_event(2)->count, 3);
	assert_string_equal(undeclared_event(2)->text[EVENT_OBJECT], "cloud.example");
	assert_int_equal(undeclared_event(3)->count, 1);
	assert_int_equal(undeclared_event(3)->address, 3600);
	assert_int_equal(weak_events(), 0);
}

/*
 * The list of names changes while sessions exist that are no longer inspected. Nobody knows which
 * of them are still alive, so nothing is reported about them. When a packet of one comes under
 * another permit, its name is still known; the name is then reported once, if no list has it.
 */
static void lists_change_under_sessions(void **state)
{
	static const uint32_t permits[] = { P_TLS_OR_SSH, P_TLS_LATE, P_TLS };
	struct conn k, other;

	(void)state;
	declare(NAMES, 5);
	k = ask(P_TLS, "a.vendor.example");
	other = ask(P_TLS, "tos.example");
	declare("\013tos.example", 6);
	inspector_tick(desk_i);
	assert_int_equal(undeclared(), 0);
	for (size_t n = 0; n < 3; n++) {
		k.permit = other.permit = permits[n];
		assert_int_equal(desk_text(&k, DIR_C2S, "more"), OUTCOME_CONFIRMED);
		assert_int_equal(desk_text(&other, DIR_C2S, "more"), OUTCOME_CONFIRMED);
		assert_int_equal(undeclared(), 1);
	}
	assert_string_equal(undeclared_event(0)->text[EVENT_OBJECT], "a.vendor.example");
	assert_int_equal(undeclared_event(0)->conduit, P_TLS_OR_SSH);
	assert_int_equal(undeclared_event(0)->generation.number, 6);
	/* The name is declared again, and then no longer: each change is noticed at the next
	 * packet. */
	declare(NAMES, 7);
	assert_int_equal(desk_text(&k, DIR_C2S, "more"), OUTCOME_CONFIRMED);
	declare("\003tos", 8);
	assert_int_equal(desk_text(&k, DIR_S2C, "more"), OUTCOME_CONFIRMED);
	assert_int_equal(desk_text(&other, DIR_S2C, "more"), OUTCOME_CONFIRMED);
	assert_int_equal(undeclared(), 3);
	assert_string_equal(undeclared_event(2)->text[EVENT_OBJECT], "tos.example");
}

/* The name of a session that has ended is not reported because of later packets: a SYN of a new
 * session on its ports, or its own RST. */
static void sessions_that_are_over(void **state)
{
	struct conn k, again;

	(void)state;
	declare(NAMES, 5);
	k = ask(P_TLS, "a.vendor.example");
	again = k;
	declare("\013tos.example", 6);
	desk_segment(&again, DIR_C2S, again.c + 100000, 0, DESK_SYN, NULL, 0);
	assert_int_equal(undeclared(), 0);
	declare("\003tos", 7);
	desk_segment(&k, DIR_C2S, k.c, k.s, DESK_RST | DESK_ACK, NULL, 0);
	assert_int_equal(undeclared(), 0);
}

/* A hello that the server did not get counts as a hello without a name: the client might send
 * another one in its place, which nobody reads. */
static void hello_for_nobody_but_us(void **state)
{
	uint8_t hello[HELLO_ROOM], other[HELLO_ROOM];
	size_t n = client_hello_for(hello, "tos.vendor.example");
	struct conn k;

	(void)state;
	assert_int_equal(client_hello_for(other, "bad.vendor.exampla"), n);
	declare("\022tos.vendor.example", 5);
	/* The same bytes of the stream, repeated with other contents. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, n);
	assert_int_equal(undeclared(), 0);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - (uint32_t)n, k.s, DESK_ACK, other, n), OUTCOME_CONFIRMED);
	assert_int_equal(undeclared(), 1);
	assert_string_equal(undeclared_event(0)->text[EVENT_OBJECT], "");
	/* An acknowledgement of bytes that the server never sent. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, n);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s + 5000, DESK_ACK, "x", 1), OUTCOME_CONFIRMED);
	inspector_finish(desk_i);
	assert_int_equal(undeclared(), 2);
	assert_int_equal(undeclared_event(1)->count, 1);
	/* Once the server has answered the hello, bytes behind it change nothing. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, n);
	assert_int_equal(desk_text(&k, DIR_S2C, "220 welcome\r\n"), OUTCOME_CONFIRMED);
	inspector_finish(desk_i);
	assert_int_equal(undeclared(), 2);
}

/* A client that invents names fills only its conduit's part of the table, and takes no place from
 * weak TLS. The counts are right. */
static void made_up_names_are_one_sum(void **state)
{
	uint64_t count = 0;
	size_t named = 0;
	char name[32];

	(void)state;
	declare(NAMES, 5);
	for (unsigned n = 0; n < 200; n++) {
		snprintf(name, sizeof(name), "x%u.example", n);
		ask(P_TLS, name);
	}
	greet(P_TLS, 0x0301, 0x000a);
	assert_int_equal(weak_events(), 1);
	assert_int_equal(weak_event(0)->client.family, 4);
	inspector_finish(desk_i);
	for (size_t n = 0; n < undeclared(); n++) {
		count += undeclared_event(n)->count;
		named += undeclared_event(n)->space == UNDECLARED_NAME;
	}
	assert_int_equal(count, 200);
	assert_int_equal(named, 64);
}

/* A policy that only observes records the name as well. A hello that cannot be read, or is not
 * complete, counts as one without a name. */
static void names_nobody_could_read(void **state)
{
	uint8_t hello[HELLO_ROOM];
	struct conn k;
	size_t n;

	(void)state;
	declare(NAMES, 5);
	ask(P_TLS_OBSERVE, "evil.example");
	assert_int_equal(undeclared(), 1);
	n = client_hello_for(hello, "evil.example");
	hello[n - 13] = 90; /* the name is longer than the list that contains it */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n), OUTCOME_CONFIRMED);
	assert_int_equal(undeclared(), 2);
	assert_string_equal(undeclared_event(1)->text[EVENT_OBJECT], "");
	assert_int_equal(stats().reasons[R_TLS_UNSEEN], 1);
	/* The server spoke first. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_S2C, hello, server_hello(hello, 0x0304, 0x1301, false)), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, client_hello_for(hello, "evil.example")), OUTCOME_CONFIRMED);
	/* The server sends before the client's hello is complete. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, client_hello_for(hello, "evil.example") - 1), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, hello, server_hello(hello, 0x0304, 0x1301, false)), OUTCOME_CONFIRMED);
	/* The reading stops in the middle of the name, as it does when there is no room: the part
	 * that was read is not taken as a name. */
	k = desk_conn(P_TLS);
	n = client_hello_for(hello, "tos.example.evil.example");
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n - 13), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_S2C, "220 welcome\r\n"), OUTCOME_CONFIRMED);
	assert_int_equal(undeclared(), 2);
	declare("\003tos", 6);
	inspector_tick(desk_i);
	assert_int_equal(undeclared(), 2 + 1);
	assert_int_equal(undeclared_event(2)->count, 3);
	/* A hello in two segments, cut at any byte, gives the same name. */
	n = client_hello_for(hello, "cut.example");
	for (size_t cut = 1; cut < n; cut++) {
		k = desk_conn(P_TLS);
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, hello, cut), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, hello + cut, n - cut), OUTCOME_ACCEPT);
	}
	inspector_finish(desk_i);
	assert_int_equal(undeclared(), 5);
	assert_int_equal(undeclared_event(4)->count, n - 2);
}

static void another_generation_writes_its_sums(void **state)
{
	(void)state;
	greet(P_TLS, 0x0301, 0x000a);
	greet(P_TLS, 0x0301, 0x000a);
	greet(P_TLS, 0x0301, 0x000a);
	assert_int_equal(weak_events(), 1);
	inspector_generations(desk_i, (struct event_generation){ 7, 77 }, bytes_of(NULL, 0));
	inspector_tick(desk_i);
	assert_int_equal(weak_events(), 2);
	assert_int_equal(weak_event(1)->count, 2);
	greet(P_TLS, 0x0301, 0x000a);
	assert_int_equal(weak_events(), 3);
	assert_int_equal(weak_event(2)->generation.number, 7);
}

/* Each conduit has its part of the table: further kinds are counted in one sum, and its count is
 * right. */
static void many_kinds_are_one_sum(void **state)
{
	uint64_t count = 0;
	size_t with_ends = 0;

	(void)state;
	for (unsigned n = 0; n < 200; n++)
		greet(P_TLS, 0x0301, (uint16_t)(0xc100 + n));
	for (size_t n = 0; n < weak_events(); n++)
		with_ends += weak_event(n)->client.family != 0;
	assert_int_equal(with_ends, 64);
	assert_int_equal(weak_events(), 65);
	inspector_finish(desk_i);
	for (size_t n = 0; n < weak_events(); n++)
		count += weak_event(n)->count;
	assert_int_equal(count, 200);
	assert_int_equal(stats().reasons[R_TLS_WEAK], 200);
}

/* If a hello cannot be read for any reason, the session goes on as if it were not read. */
static void nothing_stops_it(void **state)
{
	uint8_t hello[HELLO_ROOM], other[HELLO_ROOM];
	size_t n = client_hello(hello);
	struct conn k;

	(void)state;
	/* The server's answer is no hello. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, n);
	assert_int_equal(desk_text(&k, DIR_S2C, "220 welcome\r\n"), OUTCOME_CONFIRMED);
	/* A client's hello that is wrong behind the bytes by which TLS is recognised. */
	memcpy(other, hello, n);
	other[43] = 200;
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, other, n), OUTCOME_CONFIRMED);
	/* The hello repeated with other bytes; and an acknowledgement of bytes that nobody saw. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, n);
	hello[30] ^= 1;
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c - (uint32_t)n, k.s, DESK_ACK, hello, n), OUTCOME_CONFIRMED);
	hello[30] ^= 1;
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, n);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 5000, DESK_ACK, "x", 1), OUTCOME_CONFIRMED);
	assert_int_equal(stats().reasons[R_TLS_UNSEEN], 4);
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(stats().dropped, 0);
	/* A server that declines with an alert has no session, and no hello is missing. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, n);
	assert_int_equal(desk_send(&k, DIR_S2C, "\x15\x03\x03\x00\x02\x02\x28", 7), OUTCOME_CONFIRMED);
	assert_int_equal(stats().reasons[R_TLS_UNSEEN], 4);
	assert_int_equal(weak_events(), 0);
}

/* Under a permit without TLS the session ends, like one that is no longer inspected. Under another
 * permit with TLS its hellos are read to the end. */
static void permits_change_between_the_hellos(void **state)
{
	static const uint32_t to[] = { P_TLS_OR_SSH, P_TLS_OBSERVE, P_TCP, P_SSH };
	uint8_t hello[HELLO_ROOM];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct conn k = desk_conn(P_TLS);
		size_t n = client_hello(hello);

		desk_handshake(&k);
		desk_send(&k, DIR_C2S, hello, n);
		/* Whether the hello is acknowledged or not makes no difference. */
		if (i % 2 == 0)
			desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
		k.permit = to[i];
		n = server_hello(hello, 0x0301, 0x000a, false);
		assert_int_equal(desk_send(&k, DIR_S2C, hello, n), to[i] == P_SSH   ? OUTCOME_DROP
								   : to[i] == P_TCP ? OUTCOME_ACCEPT
										    : OUTCOME_CONFIRMED);
	}
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
}

static void segments_out_of_order(void **state)
{
	uint8_t client[HELLO_ROOM], server[HELLO_ROOM];
	size_t n = client_hello(client), m = server_hello(server, 0x0301, 0x000a, false);
	struct conn k = desk_conn(P_TLS);

	(void)state;
	desk_handshake(&k);
	/* The second half of the hello first, the first half twice. */
	desk_segment(&k, DIR_C2S, k.c + 60, k.s, DESK_ACK, client + 60, n - 60);
	desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, client, 60);
	desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, client, 60);
	k.c += (uint32_t)n;
	desk_segment(&k, DIR_S2C, k.s + 50, k.c, DESK_ACK, server + 50, m - 50);
	assert_int_equal(weak_events(), 0);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, server, 50), OUTCOME_CONFIRMED);
	assert_int_equal(weak_events(), 1);
	assert_int_equal(stats().dropped, 0);
}

static void ssh_on_a_tls_conduit(void **state)
{
	struct conn k = desk_conn(P_TLS);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "SSH-2.0-OpenSSH_9.2p1\r\n"), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 1);
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
	assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), 1);
	assert_int_equal(desk.events[0].protocol, PROTO_SSH);
	/* The server may be the one that sends the other protocol. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_S2C, "SSH-2.0-OpenSSH_9.2p1\r\n"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), 2);
	/* A banner in two parts, neither of which is a banner: it is not TLS either, and nothing of
	 * it passes. */
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "SS"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_UNRECOGNISED), 1);
}

static void ssh_both_ends(void **state)
{
	struct conn k = desk_conn(P_SSH);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_S2C, "SSH-2.0-Open"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_S2C, "SSH_9.2p1\r\n"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_C2S, "SSH-2.0-PuTTY\r\n"), OUTCOME_CONFIRMED);
	/* The client answers a banner with another protocol. */
	k = desk_conn(P_TLS_OR_SSH);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_S2C, "SSH-2.0-OpenSSH\r\n"), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), 1);
}

static void http_and_postgresql(void **state)
{
	struct conn k = desk_conn(P_HTTP);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "POST /gate/in HTTP/1.1\r\nHost: x\r\n\r\n"), OUTCOME_CONFIRMED);
	k = desk_conn(P_HTTP);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, "\x00\x01\x00\x00\x00\x06\x01\x05\x00\x00\xff\x00", 12), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), 1);
	k = desk_conn(P_POSTGRESQL);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, "\x00\x00\x00\x08\x04\xd2\x16\x2f", 8), OUTCOME_CONFIRMED);
	k = desk_conn(P_POSTGRESQL);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, "\x00\x00\x00\x54\x00\x03\x00\x00user\x00tos\x00", 17),
			 OUTCOME_CONFIRMED);
	k = desk_conn(P_POSTGRESQL);
	desk_handshake(&k);
	/* these bytes could still become an answer */
	assert_int_equal(desk_text(&k, DIR_S2C, "R"), OUTCOME_ACCEPT);
}

/* Some header lines are read in different ways by different servers. They are found in whichever
 * segment of the first header they come. Until this header ends the inspector sees the session,
 * even if the server answers earlier. */
static void http_header_in_pieces(void **state)
{
	static const char *const last[] = { "Host: x\r\n\r\n", "Host: x\n\r\n", "Host: x\r\n\n", "X: a\r\r\n\r\n" };

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(last) / sizeof(last[0]); i++) {
		struct conn k = desk_conn(P_HTTP);
		bool good = i / 2 == 0;

		desk_clear();
		desk_handshake(&k);
		assert_int_equal(desk_text(&k, DIR_C2S, "GE"), OUTCOME_ACCEPT);
		assert_int_equal(desk_text(&k, DIR_C2S, "T / HTTP/1.1\r\n"), OUTCOME_ACCEPT);
		assert_int_equal(desk_text(&k, DIR_C2S, "Accept: */*\r\n"), OUTCOME_ACCEPT);
		if (i % 2 == 1)
			assert_int_equal(desk_text(&k, DIR_S2C, "HTTP/1.1 100 Continue\r\n\r\n"), OUTCOME_ACCEPT);
		assert_int_equal(desk_text(&k, DIR_C2S, last[i / 2]), good ? OUTCOME_CONFIRMED : OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_AMBIGUOUS), good ? 0 : 1);
	}
}

static void undecided_bytes_are_an_allowance(void **state)
{
	struct conn k = desk_conn(P_TLS_LATE);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_S2C, "hello"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_C2S, "abc"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_C2S, "d"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_UNRECOGNISED), 1);
	assert_int_equal(desk.n_resets, 1);
}

static void observe_records_and_lets_go(void **state)
{
	struct conn k = desk_conn(P_TLS_OBSERVE);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "SSH-2.0-OpenSSH_9.2p1\r\n"), OUTCOME_CONFIRMED);
	assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), 1);
	assert_int_equal(desk.events[0].verdict, EV_OBSERVE);
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(desk_text(&k, DIR_S2C, "SSH-2.0-OpenSSH_9.2p1\r\n"), OUTCOME_CONFIRMED);
}

static void mixed_lane(void **state)
{
	struct conn k = desk_conn(P_MIXED);
	uint8_t pdu[64];

	(void)state;
	/* HTTP is recognised and passes; on a lane for commands its packets still come to the
	 * inspector. */
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "GET / HTTP/1.1\r\n\r\n"), OUTCOME_ACCEPT);
	assert_int_equal(desk.flows[0].info.protocol, PROTO_HTTP);
	assert_int_equal(desk_text(&k, DIR_S2C, "HTTP/1.1 200 OK\r\n\r\n"), OUTCOME_ACCEPT);
	/* The toy protocol is enforced from its first byte on, however it is cut. */
	for (uint8_t cut = 1; cut < 12; cut++) {
		k = desk_conn(P_MIXED);
		desk_handshake(&k);
		toy_pdu(pdu, 12, TOY_FORBIDDEN);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, cut), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu + cut, 12u - cut), OUTCOME_DROP);
	}
	k = desk_conn(P_MIXED);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, 3)), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, pdu, toy_pdu(pdu, 12, 3)), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, TOY_FORBIDDEN)), OUTCOME_DROP);
	/* No other protocol passes. */
	k = desk_conn(P_MIXED);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "SSH-2.0-x\r\n"), OUTCOME_DROP);
	/* A segment that begins like HTTP, followed by a forbidden PDU, is neither protocol. */
	k = desk_conn(P_MIXED);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "GE"), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
}

/* On a lane for commands no bytes pass undecided: a command cannot hide behind bytes of an unknown
 * protocol. */
static void undecided_bytes_hide_no_command(void **state)
{
	struct conn k = desk_conn(P_MIXED_LATE);
	uint8_t pdu[64];

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "\xff\xff\xff\xff"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_UNRECOGNISED), 1);
	assert_int_equal(desk_send(&k, DIR_C2S, pdu, toy_pdu(pdu, 12, TOY_FORBIDDEN)), OUTCOME_DROP);
	/* Bytes that may still become one of the promised protocols wait, whether the permit has
	 * undecided_bytes or not. */
	k = desk_conn(P_MIXED_LATE);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "GE"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_C2S, "T / HTTP/1.1\r\n\r\n"), OUTCOME_ACCEPT);
	assert_int_equal(desk.n_resets, 1);
}

static void transport_only(void **state)
{
	struct conn k = desk_conn(P_TCP);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "whatever"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_S2C, "whatever"), OUTCOME_ACCEPT);
	k = desk_conn(P_TCP);
	assert_int_equal(desk_text(&k, DIR_C2S, "half-way"), OUTCOME_ACCEPT);
}

static unsigned datagram(struct conn *k, enum direction dir, const void *payload, size_t n)
{
	uint8_t *u = desk_packet + (k->family == 4 ? 20 : 40);
	size_t size;

	put16(u, dir == DIR_C2S ? k->client_port : k->server_port);
	put16(u + 2, dir == DIR_C2S ? k->server_port : k->client_port);
	put16(u + 4, (uint32_t)(8 + n));
	memcpy(u + 8, payload, n);
	size = desk_ip(desk_packet, k, dir, 17, 8 + n, 6);
	return desk.outcome[desk_hand(size, k->permit, 10, false) % DESK_IDS];
}

static void dns_over_udp(void **state)
{
	static const char query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
				    "example\x03"
				    "com\x00"
				    "\x00\x01\x00\x01";
	struct conn k = desk_conn(P_DNS);

	(void)state;
	assert_int_equal(datagram(&k, DIR_C2S, query, sizeof(query) - 1), OUTCOME_CONFIRMED);
	k = desk_conn(P_DNS);
	k.family = 6;
	assert_int_equal(datagram(&k, DIR_C2S, query, sizeof(query) - 1), OUTCOME_CONFIRMED);
	/* A tunnel on this port: it is not recognised, all its packets are dropped, and no reset is
	 * sent. */
	k = desk_conn(P_DNS);
	assert_int_equal(datagram(&k, DIR_C2S, "\x9a\x01 some tunnel or other, not a question", 40), OUTCOME_DROP);
	assert_int_equal(datagram(&k, DIR_C2S, query, sizeof(query) - 1), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_UNRECOGNISED), 1);
	assert_int_equal(desk.n_resets, 0);
	/* After two minutes of silence the ports can be used again. */
	desk_now += 121000000000u;
	inspector_tick(desk_i);
	assert_int_equal(datagram(&k, DIR_C2S, query, sizeof(query) - 1), OUTCOME_CONFIRMED);
}

/* Some resolvers send the length of a query in a segment of its own. */
static void dns_over_tcp_in_pieces(void **state)
{
	static const char query[] = "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
				    "example\x03"
				    "com\x00"
				    "\x00\x01\x00\x01";

	(void)state;
	for (size_t cut = 1; cut < sizeof(query) - 1; cut++) {
		struct conn k = desk_conn(P_DNS);

		k.family = cut % 2 ? 4 : 6;
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, query, cut), cut < 14 ? OUTCOME_ACCEPT : OUTCOME_CONFIRMED);
		assert_int_equal(desk_send(&k, DIR_C2S, query + cut, sizeof(query) - 1 - cut), OUTCOME_CONFIRMED);
	}
	assert_int_equal(desk.n_resets, 0);
	/* Other bytes with a possible length in front are refused where they stop being a query. */
	for (size_t cut = 1; cut < 4; cut++) {
		struct conn k = desk_conn(P_DNS);

		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, "SSH-2.0-x\r\n", cut), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, "SSH-2.0-x\r\n" + cut, 11 - cut), OUTCOME_DROP);
	}
	assert_int_equal(desk.n_resets, 3);
}

static void named_flow_meets_another_permit(void **state)
{
	struct conn k = desk_conn(P_TLS);
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello(hello);

	(void)state;
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, n);
	desk_send(&k, DIR_S2C, hello, good_answer(hello));
	k.c += 70000; /* unseen: the flow was no longer queued */
	k.s += 90000;
	k.permit = P_TLS_OR_SSH;
	assert_int_equal(desk_text(&k, DIR_C2S, "data"), OUTCOME_CONFIRMED);
	k.permit = P_SSH;
	assert_int_equal(desk_text(&k, DIR_C2S, "data"), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 2);
	/* the reset uses the numbers of this packet */
	assert_int_equal(desk.resets[0].to_server.seq, k.c);
	assert_int_equal(desk.resets[0].to_client.seq, k.s);
}

static void data_before_its_hello_is_kept(void **state)
{
	struct conn k = desk_conn(P_TLS);
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello(hello);

	(void)state;
	desk_handshake(&k);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c + (uint32_t)n, k.s, DESK_ACK, "next", 4), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n), OUTCOME_ACCEPT);
	k.c += 4;
	assert_int_equal(desk_send(&k, DIR_S2C, hello, good_answer(hello)), OUTCOME_CONFIRMED);
	assert_int_equal(stats().pool_used, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define N(f) cmocka_unit_test_setup_teardown(f, setup, end_of_names)
	const struct CMUnitTest tests[] = {
		T(tls_is_followed_to_its_servers_hello),
		T(tls_hellos_in_pieces),
		T(a_session_anew_is_named_anew),
		T(weak_tls_is_told_once_and_counted),
		T(another_generation_writes_its_sums),
		N(undeclared_servers_are_told_once_and_counted),
		N(lists_change_under_sessions),
		N(sessions_that_are_over),
		N(hello_for_nobody_but_us),
		N(made_up_names_are_one_sum),
		N(names_nobody_could_read),
		T(many_kinds_are_one_sum),
		T(nothing_stops_it),
		T(permits_change_between_the_hellos),
		T(segments_out_of_order),
		T(ssh_on_a_tls_conduit),
		T(ssh_both_ends),
		T(http_and_postgresql),
		T(http_header_in_pieces),
		T(undecided_bytes_are_an_allowance),
		T(undecided_bytes_hide_no_command),
		T(observe_records_and_lets_go),
		T(mixed_lane),
		T(transport_only),
		T(dns_over_udp),
		T(dns_over_tcp_in_pieces),
		T(named_flow_meets_another_permit),
		T(data_before_its_hello_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
