/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O of EtherNet/IP through the whole inspector: connections are opened over TCP in all possible
 * ways, and their datagrams are sent over UDP. Policies change before, during and after that.
 *
 * LINK: $(INSPECT_PARTS) dpi/enip/%.c appliance/wire/tag.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#define desk_clear desk_clear_policy /* both desks have one */
#include "tests/unit/dpi/enip_desk.h"
#undef desk_clear

/* The codes of all services, and those of services that only read. */
#define DESK_PROTOCOL PROTO_ENIP
#define DESK_CODES                                                                                                     \
	{ 0, ENIP_OPEN_OUTPUT }, { ENIP_OPEN_INPUT, ENIP_LAST },                                                       \
	{                                                                                                              \
		ENIP_OPEN_INPUT, ENIP_OPEN_INPUT                                                                       \
	}
#include "dpi/inspect/deeds.h"
#include "tests/unit/dpi/inspect_setup.h"

#define PORT_REQUESTS 44818
#define PORT_IO 2222
#define OUTPUT_BYTES 6u /* the sequence number and four bytes of data */
#define INPUT_BYTES 40u
#define MS 1000000ull

static int with_enip(void **state)
{
	desk_enforcer = &enip_enforcer;
	/* as on a box: the packet mark names the direction, because the ports do not */
	desk_directed = true;
	return setup(state);
}

/* ---- what both ends say ---- */

static struct conn session_of(uint32_t permit, uint8_t host)
{
	struct note version = NOTE(1, 0, 0, 0), w = encap_note(ENCAP_REGISTER, 0, 7, &version);
	struct conn k = desk_conn(permit);

	k.host = host;
	k.server_port = PORT_REQUESTS;
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, w.b, w.n), OUTCOME_ACCEPT);
	w = encap_note(ENCAP_REGISTER, HANDLE, 7, &version);
	assert_int_equal(desk_send(&k, DIR_S2C, w.b, w.n), OUTCOME_ACCEPT);
	return k;
}

static struct conn session(uint32_t permit)
{
	return session_of(permit, 0);
}

static struct conn beside(const struct conn *k, uint32_t permit)
{
	struct conn d = desk_conn(permit);

	d.family = k->family;
	d.host = k->host;
	d.client_port = d.server_port = PORT_IO;
	return d;
}

static unsigned say(struct conn *k, enum direction dir, struct note w)
{
	return desk_send(k, dir, w.b, w.n);
}

static const uint8_t to_outputs[] = { 0x20, 4, 0x24, 151, 0x2c, 150, 0x2c, 100 };
static const uint8_t to_inputs[] = { 0x20, 4, 0x24, 151, 0x2c, 152, 0x2c, 100 };

/* Sizes and types of both directions, as a Forward Open states them; the large form has 32 bits for
 * them. */
struct wish {
	uint16_t serial;
	uint8_t transport;
	uint16_t out, in;
	bool output, large, no_out, no_in, config;
	uint8_t multiplier;
	uint32_t interval; /* microseconds */
};

static const struct wish outputs = {
	.serial = 5, .transport = 1, .out = OUTPUT_BYTES, .in = INPUT_BYTES, .output = true
};
static const struct wish inputs = { .serial = 6, .transport = 1, .out = 2, .in = INPUT_BYTES };

static struct note path_of(const struct wish *w)
{
	struct note path = NOTE(1, 0); /* over the backplane to slot 0 */

	put_bytes(&path, w->output ? to_outputs : to_inputs, sizeof(to_outputs));
	if (w->config)
		put(put(put(&path, 0x80, 1), 1, 1), 0x1234, 2);
	return path;
}

static void put_way(struct note *data, const struct wish *w, uint16_t bytes, bool none)
{
	put(data, w->interval != 0 ? w->interval : 10000, 4);
	if (w->large)
		put(data, bytes | (none ? 0u : 2u << 29), 4);
	else
		put(data, bytes | (none ? 0u : 2u << 13), 2);
}

static struct note wish_note(const struct wish *w)
{
	struct note data = NOTE(7, 249), path = NOTE(0x20, 6, 0x24, 1), to = path_of(w);

	put(put(put(put(put(&data, 0, 4), 0x200u + w->serial, 4), w->serial, 2), 0x4d, 2), 0x32952bf3, 4);
	put(put(&data, w->multiplier, 1), 0, 3);
	put_way(&data, w, w->out, w->no_out);
	put_way(&data, w, w->in, w->no_in);
	put(put(&data, w->transport, 1), to.n / 2, 1);
	put_bytes(&data, to.b, to.n);
	return cip_note(w->large ? 0x5b : 0x54, &path, &data);
}

static struct note granted_note(const struct wish *w, uint32_t out)
{
	struct note data = { .n = 0 };

	put(put(put(put(put(&data, out, 4), 0x200u + w->serial, 4), w->serial, 2), 0x4d, 2), 0x32952bf3, 4);
	put(put(put(&data, w->interval != 0 ? w->interval : 10000, 4), w->interval != 0 ? w->interval : 10000, 4), 0,
	    2);
	return reply_note(w->large ? 0x5b : 0x54, 0, &data);
}

static unsigned ask_io(struct conn *k, const struct wish *w)
{
	struct note cip = wish_note(w);

	return say(k, DIR_C2S, request_note(w->serial, &cip));
}

static unsigned grant_io(struct conn *k, const struct wish *w)
{
	struct note cip = granted_note(w, 0x100u + w->serial);

	return say(k, DIR_S2C, request_note(w->serial, &cip));
}

static void open_io(struct conn *k, const struct wish *w)
{
	assert_int_equal(ask_io(k, w), OUTCOME_ACCEPT);
	assert_int_equal(grant_io(k, w), OUTCOME_ACCEPT);
}

static unsigned ask_close(struct conn *k, uint16_t serial)
{
	struct note path = path_of(&outputs), close = close_note(serial, &path);

	return say(k, DIR_C2S, request_note(77, &close));
}

static unsigned answer_close(struct conn *k, uint16_t serial, uint8_t status)
{
	struct note data = { .n = 0 }, w;

	put(put(put(put(&data, serial, 2), 0x4d, 2), 0x32952bf3, 4), 0, 2);
	w = reply_note(0x4e, status, &data);
	return say(k, DIR_S2C, request_note(77, &w));
}

static struct note io_note(uint32_t id, size_t bytes)
{
	struct note w = { .n = 0 };

	put(put(put(put(put(&w, 2, 2), 0x8002, 2), 8, 2), id, 4), 1, 4);
	put(put(&w, 0xb1, 2), bytes, 2);
	for (size_t i = 0; i < bytes; i++)
		put(&w, i, 1);
	return w;
}

static unsigned datagram(const struct conn *d, enum direction dir, struct note w)
{
	return desk_datagram(d, dir, w.b, w.n);
}

/* Output goes from the originator to 0x100 + serial; input comes back to 0x200 + serial. */
static unsigned output(const struct conn *d, const struct wish *w, size_t bytes)
{
	return datagram(d, DIR_C2S, io_note(0x100u + w->serial, bytes));
}

static unsigned input(const struct conn *d, const struct wish *w, size_t bytes)
{
	return datagram(d, DIR_S2C, io_note(0x200u + w->serial, bytes));
}

/* ---- connection numbers and sizes ---- */

static void numbers_and_sizes(void **state)
{
	(void)state;
	for (unsigned large = 0; large < 2; large++)
		for (unsigned class = 0; class < 2; class ++) {
			struct conn k = session_of(P_TOY, (uint8_t)(2 * large + class)), d = beside(&k, P_TOY);
			struct wish w = outputs;

			w.large = large == 1;
			w.transport = (uint8_t) class;
			assert_int_equal(output(&d, &w, 1), OUTCOME_DROP);
			assert_int_equal(ask_io(&k, &w), OUTCOME_ACCEPT);
			assert_int_equal(output(&d, &w, 1), OUTCOME_DROP); /* not answered yet */
			assert_int_equal(grant_io(&k, &w), OUTCOME_ACCEPT);
			for (size_t n = 0; n < INPUT_BYTES + 3; n++) {
				assert_int_equal(output(&d, &w, n), n <= OUTPUT_BYTES ? OUTCOME_ACCEPT : OUTCOME_DROP);
				assert_int_equal(input(&d, &w, n), n <= INPUT_BYTES ? OUTCOME_ACCEPT : OUTCOME_DROP);
			}
			/* Each direction has its own number. */
			assert_int_equal(datagram(&d, DIR_C2S, io_note(0x200u + w.serial, 2)), OUTCOME_DROP);
			assert_int_equal(datagram(&d, DIR_S2C, io_note(0x100u + w.serial, 2)), OUTCOME_DROP);
			for (unsigned bit = 0; bit < 32; bit++)
				assert_int_equal(datagram(&d, DIR_C2S, io_note((0x100u + w.serial) ^ 1u << bit, 2)),
						 OUTCOME_DROP);
			desk_clear();
		}
}

/* Every byte of the items of a datagram matters, except the sequence number and the data. */
static void datagrams_are_exact(void **state)
{
	struct conn k = session(P_TOY), d = beside(&k, P_TOY);
	const struct note good = io_note(0x100u + outputs.serial, OUTPUT_BYTES);

	(void)state;
	open_io(&k, &outputs);
	for (size_t at = 0; at < good.n; at++)
		for (unsigned v = 0; v < 256; v++) {
			struct note w = good;
			bool free = (at >= 10 && at < 14) || at >= 18;

			w.b[at] = (uint8_t)v;
			assert_int_equal(datagram(&d, DIR_C2S, w),
					 v == good.b[at] || free ? OUTCOME_ACCEPT : OUTCOME_DROP);
			desk_clear();
		}
	for (size_t n = 0; n <= good.n + 2; n++) {
		struct note w = good;

		w.n = n;
		assert_int_equal(datagram(&d, DIR_C2S, w), n == good.n ? OUTCOME_ACCEPT : OUTCOME_DROP);
	}
}

static void one_way_alone(void **state)
{
	struct conn k = session(P_TOY), d = beside(&k, P_TOY);
	struct wish w = outputs, none = outputs;

	(void)state;
	w.no_in = true;
	open_io(&k, &w);
	assert_int_equal(output(&d, &w, 2), OUTCOME_ACCEPT);
	assert_int_equal(input(&d, &w, 0), OUTCOME_DROP);
	w = inputs;
	w.no_out = true;
	open_io(&k, &w);
	assert_int_equal(output(&d, &w, 0), OUTCOME_DROP);
	assert_int_equal(input(&d, &w, INPUT_BYTES), OUTCOME_ACCEPT);
	/* No direction is opened: the request configures an open connection, which goes on as it
	 * is. */
	none.no_out = none.no_in = true;
	open_io(&k, &none);
	assert_int_equal(output(&d, &outputs, 2), OUTCOME_ACCEPT);
	assert_int_equal(ask_close(&k, outputs.serial), OUTCOME_ACCEPT);
	assert_int_equal(answer_close(&k, outputs.serial, 0), OUTCOME_ACCEPT);
	assert_int_equal(output(&d, &outputs, 2), OUTCOME_DROP);
}

/* ---- what is a write ---- */

static void reads_take_inputs_alone(void **state)
{
	struct conn k, d;
	struct wish w = inputs;

	(void)state;
	/* A heartbeat has no data for the device: it contains only its sequence number. */
	k = session(P_TOY_READS);
	d = beside(&k, P_TOY_READS);
	open_io(&k, &inputs);
	assert_int_equal(output(&d, &inputs, 2), OUTCOME_ACCEPT);
	assert_int_equal(output(&d, &inputs, 3), OUTCOME_DROP);
	assert_int_equal(output(&d, &inputs, OUTPUT_BYTES), OUTCOME_DROP);
	assert_int_equal(input(&d, &inputs, INPUT_BYTES), OUTCOME_ACCEPT);
	/* One byte more, a transport class without sequence numbers, or a configuration: these send
	 * something to the device. */
	for (unsigned how = 0; how < 4; how++) {
		k = session(P_TOY_READS);
		w = inputs;
		w.out = how == 0 ? 3 : 2;
		w.transport = how == 1 ? 0 : 1;
		w.config = how == 2;
		w.large = how == 3;
		w.output = how == 3;
		assert_int_equal(ask_io(&k, &w), how == 3 ? OUTCOME_ACCEPT : OUTCOME_DROP);
		assert_int_equal(grant_io(&k, &w), how == 3 ? OUTCOME_ACCEPT : OUTCOME_DROP);
	}
	assert_int_equal(desk_count(EVENT_PDU, R_ENIP_FUNCTION), 3);
	w.transport = 0;
	w.out = 0;
	k = session(P_TOY_READS);
	open_io(&k, &w);
}

/* ---- how it ends ---- */

static void closed(void **state)
{
	struct conn k = session(P_TOY), d = beside(&k, P_TOY), other = session(P_TOY);

	(void)state;
	open_io(&k, &outputs);
	open_io(&k, &inputs);
	assert_int_equal(ask_close(&k, outputs.serial), OUTCOME_ACCEPT);
	/* the connection is open until the device confirms the request */
	assert_int_equal(output(&d, &outputs, 2), OUTCOME_ACCEPT);
	assert_int_equal(answer_close(&k, outputs.serial, 1), OUTCOME_ACCEPT);
	assert_int_equal(output(&d, &outputs, 2), OUTCOME_ACCEPT);
	assert_int_equal(ask_close(&k, outputs.serial), OUTCOME_ACCEPT);
	assert_int_equal(answer_close(&k, outputs.serial, 0), OUTCOME_ACCEPT);
	assert_int_equal(output(&d, &outputs, 2), OUTCOME_DROP);
	assert_int_equal(input(&d, &outputs, 2), OUTCOME_DROP);
	assert_int_equal(output(&d, &inputs, 2), OUTCOME_ACCEPT);
	/* Closed over another session of the same hosts. */
	assert_int_equal(ask_close(&other, inputs.serial), OUTCOME_ACCEPT);
	assert_int_equal(answer_close(&other, inputs.serial, 0), OUTCOME_ACCEPT);
	assert_int_equal(output(&d, &inputs, 2), OUTCOME_DROP);
}

/* A session may close the connections that it opened. Only a number of them is remembered, and the
 * oldest are forgotten. */
static void whose_it_is_to_close(void **state)
{
	struct conn k = session(P_TOY_READS);
	struct wish w = inputs;

	(void)state;
	for (uint16_t i = 0; i < ENIP_IO_MAX + 1; i++) {
		w.serial = (uint16_t)(100 + i);
		open_io(&k, &w);
	}
	for (uint16_t i = 1; i < ENIP_IO_MAX + 1; i++) {
		assert_int_equal(ask_close(&k, (uint16_t)(100 + i)), OUTCOME_ACCEPT);
		assert_int_equal(answer_close(&k, (uint16_t)(100 + i), 0), OUTCOME_ACCEPT);
	}
	assert_int_equal(ask_close(&k, 100), OUTCOME_DROP);
}

/* A connection ends when it is silent for as long as both ends would wait, but not before ten
 * seconds. The end of a session ends no connection. */
static void timed_out(void **state)
{
	(void)state;
	for (unsigned multiplier = 0; multiplier < 10; multiplier++) {
		struct conn k = session(P_TOY), d = beside(&k, P_TOY);
		struct wish w = outputs;
		uint64_t wait;

		w.multiplier = (uint8_t)multiplier;
		w.interval = 500000;
		wait = 500ull << (2 + (multiplier < 7 ? multiplier : 7));
		wait = (wait < 10000 ? 10000 : wait) * MS;
		open_io(&k, &w);
		desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
		desk_segment(&k, DIR_C2S, k.c, k.s, DESK_RST | DESK_ACK, NULL, 0);
		for (unsigned i = 0; i < 20; i++) {
			desk_now += wait - MS;
			assert_int_equal(i % 2 ? output(&d, &w, 2) : input(&d, &w, 2), OUTCOME_ACCEPT);
		}
		desk_now += wait;
		assert_int_equal(output(&d, &w, 2), OUTCOME_DROP);
	}
}

static void a_number_is_one_connection(void **state)
{
	struct conn k = session(P_TOY), d = beside(&k, P_TOY);
	struct wish first = outputs, second = inputs;
	struct note answer = granted_note(&second, 0x100u + first.serial);

	(void)state;
	open_io(&k, &first);
	assert_int_equal(ask_io(&k, &second), OUTCOME_ACCEPT);
	assert_int_equal(output(&d, &first, OUTPUT_BYTES), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_S2C, request_note(second.serial, &answer)), OUTCOME_ACCEPT);
	/* The device no longer knows the first connection: it takes a heartbeat with its number. */
	assert_int_equal(output(&d, &first, OUTPUT_BYTES), OUTCOME_DROP);
	assert_int_equal(output(&d, &first, 2), OUTCOME_ACCEPT);
}

/* ---- changes of the policy ---- */

static void changes(void **state)
{
	struct conn k = session(P_TOY), d = beside(&k, P_TOY), again;

	(void)state;
	open_io(&k, &outputs);
	open_io(&k, &inputs);
	/* While both connections are used: the one that the new rows allow goes on without a pause,
	 * the other stops at its next datagram. */
	d.permit = P_TOY_READS;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(output(&d, &inputs, 2), OUTCOME_ACCEPT);
		assert_int_equal(input(&d, &inputs, INPUT_BYTES), OUTCOME_ACCEPT);
		assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_DROP);
		assert_int_equal(input(&d, &outputs, INPUT_BYTES), OUTCOME_DROP);
	}
	assert_int_equal(desk.events[desk.n_events - 1].function, ENIP_OPEN_OUTPUT);
	assert_int_equal(desk.events[desk.n_events - 1].reason, R_ENIP_FUNCTION);
	/* And back to the old policy, before the originator gave the connection up. */
	d.permit = P_TOY;
	assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_ACCEPT);
	/* The policy changes between the request and its answer: the connection is open, and may
	 * not be used. */
	k = session(P_TOY);
	assert_int_equal(ask_io(&k, &outputs), OUTCOME_ACCEPT);
	k.permit = d.permit = P_TOY_READS;
	grant_io(&k, &outputs);
	assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_DROP);
	/* The policy changes before the request: the connection cannot be opened. */
	again = session(P_TOY_READS);
	assert_int_equal(ask_io(&again, &outputs), OUTCOME_DROP);
	/* A policy that only observes records the datagrams, and they pass. */
	d.permit = P_TOY_OBSERVE;
	desk_clear();
	assert_int_equal(datagram(&d, DIR_C2S, io_note(9999, 2)), OUTCOME_ACCEPT);
	assert_int_equal(desk_count(EVENT_PDU, R_NOT_OPENED), 1);
	assert_int_equal(desk.events[0].function, ENIP_CONNECTED_DATA);
}

struct foretold {
	unsigned n;
	uint32_t service;
	uint64_t count;
	enum reason reason;
};

static void note_foretold(void *ctx, const struct deed *d, const struct pdu *refused)
{
	struct foretold *f = ctx;

	f->n++;
	f->service = d->operation.service;
	f->count = d->count;
	f->reason = refused->reason;
}

static struct foretold foretell(const struct conn *k, uint8_t l4proto, uint32_t permit)
{
	struct session_ends ends = { .client = { .family = 4, .b = { 10, 20, 0, (uint8_t)(10 + k->host) } },
				     .server = { .family = 4, .b = { 10, 30, 1, 10 } },
				     .client_port = k->client_port,
				     .server_port = k->server_port,
				     .l4proto = l4proto };
	struct foretold ret = { 0 };
	struct command_table t;
	struct impact impact;
	size_t n;
	uint8_t *image = desk_image(1, &n);

	assert_true(inspector_try_table(desk_i, bytes_of(image, n), &t));
	inspector_foretell(desk_i, &t, &ends, permit, note_foretold, &ret, &impact);
	free(image);
	assert_true(impact.known);
	assert_int_equal(impact.reason, R_NONE);
	assert_int_equal(impact.forgotten, 0);
	return ret;
}

/* A dry run of a narrower policy names the flow of datagrams that will stop, although its
 * connection was opened in another flow. */
static void told_before(void **state)
{
	struct conn k = session(P_TOY), d = beside(&k, P_TOY);
	struct foretold f;

	(void)state;
	open_io(&k, &outputs);
	open_io(&k, &inputs);
	assert_int_equal(output(&d, &inputs, 2), OUTCOME_ACCEPT);
	/* no datagram of the kind that will be refused has passed */
	assert_int_equal(foretell(&d, IP_UDP, P_TOY_READS).n, 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_ACCEPT);
	for (unsigned over = 0; over < 2; over++) {
		f = foretell(&d, IP_UDP, P_TOY_READS);
		assert_int_equal(f.n, 1);
		assert_int_equal(f.service, ENIP_OPEN_OUTPUT);
		assert_int_equal(f.count, 3);
		assert_int_equal(f.reason, R_ENIP_FUNCTION);
		assert_int_equal(foretell(&d, IP_UDP, P_TOY).n, 0);
		/* the session that opened the connection has ended, and the connection goes on */
		if (over == 0)
			desk_segment(&k, DIR_C2S, k.c, k.s, DESK_RST | DESK_ACK, NULL, 0);
	}
	/* Refused datagrams do not count as passed. */
	d.permit = P_TOY_READS;
	assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_DROP);
	assert_int_equal(foretell(&d, IP_UDP, P_TOY_READS).count, 3);
	/* A connection that has ended is not reported as one that will stop. */
	desk_now += 11000 * MS;
	assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_DROP);
	assert_int_equal(foretell(&d, IP_UDP, P_TOY_READS).n, 0);
}

/* A connection is opened once and used for months: its datagrams count in each hour as a use of the
 * request that opened it. */
static void uses_are_counted(void **state)
{
	struct conn k = session(P_TOY), d = beside(&k, P_TOY);
	uint64_t told[2] = { 0 };

	(void)state;
	open_io(&k, &outputs);
	for (unsigned i = 0; i < 1500; i++) {
		desk_now += 5000 * MS; /* so that its session ends soon */
		inspector_tick(desk_i);
		if (i == 750) /* the request was reported in an earlier hour */
			desk.n_events = 0;
		assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_ACCEPT);
		assert_int_equal(input(&d, &outputs, INPUT_BYTES), OUTCOME_ACCEPT);
		assert_int_equal(output(&d, &outputs, OUTPUT_BYTES + 1), OUTCOME_DROP);
	}
	for (size_t i = 0; i < desk.n_events; i++) {
		const struct event *e = &desk.events[i];

		if (e->kind != EVENT_COUNTS)
			continue;
		assert_int_equal(e->function, ENIP_OPEN_OUTPUT);
		assert_int_equal(e->l4proto, IP_UDP);
		assert_int_equal(e->server_port, PORT_IO);
		assert_int_equal(e->conduit, P_TOY);
		assert_int_equal(e->s2c, 0);
		told[0]++;
		told[1] += e->count;
	}
	/* of one hour: the object of the configuration, and both connection points */
	assert_int_equal(told[0], 3);
	assert_in_range(told[1] / 3, 2 * 700, 2 * 740);
}

static void put_in_force(bool observes)
{
	uint8_t digest[32], *image;
	size_t n;

	desk_observes = observes;
	image = desk_image(1, &n);
	desk_observes = false;
	assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
	free(image);
}

/* A site observes first. A connection that was opened then, refused or not, goes on if the rows of
 * the enforcing policy allow it. */
static void opened_while_observed(void **state)
{
	struct foretold f;
	struct conn k, d;

	(void)state;
	put_in_force(true);
	k = session(P_TOY_READS);
	d = beside(&k, P_TOY_READS);
	open_io(&k, &outputs); /* refused by these rows, but it passes */
	assert_int_equal(desk_count(EVENT_PDU, R_ENIP_FUNCTION), 2);
	assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_ACCEPT);
	assert_int_equal(input(&d, &outputs, INPUT_BYTES), OUTCOME_ACCEPT);
	assert_int_equal(desk_count(EVENT_PDU, R_ENIP_FUNCTION), 4);
	assert_int_equal(desk_count(EVENT_PDU, R_NOT_OPENED), 0);
	f = foretell(&d, IP_UDP, P_TOY_READS);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.service, ENIP_OPEN_OUTPUT);
	assert_int_equal(f.count, 2);
	assert_int_equal(foretell(&d, IP_UDP, P_TOY).n, 0);
	/* Opened before the inspector was there: such connections do not go on under any policy
	 * that enforces. */
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(datagram(&d, DIR_C2S, io_note(9999, 2)), OUTCOME_ACCEPT);
	f = foretell(&d, IP_UDP, P_TOY);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.service, ENIP_CONNECTED_DATA);
	assert_int_equal(f.count, 4);
	assert_int_equal(f.reason, R_NOT_OPENED);
	put_in_force(false);
	assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_DROP);
	d.permit = P_TOY;
	assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_ACCEPT);
	assert_int_equal(input(&d, &outputs, INPUT_BYTES), OUTCOME_ACCEPT);
	assert_int_equal(datagram(&d, DIR_C2S, io_note(9999, 2)), OUTCOME_DROP);
	/* The inspector has not seen them for a while, so it no longer reports them. */
	desk_now += 31000 * MS;
	output(&d, &outputs, OUTPUT_BYTES);
	assert_int_equal(foretell(&d, IP_UDP, P_TOY).n, 0);
}

static void the_worker_is_new(void **state)
{
	struct conn k = session(P_TOY_PICK_UP), d = beside(&k, P_TOY_PICK_UP);

	open_io(&k, &outputs);
	assert_int_equal(output(&d, &outputs, 2), OUTCOME_ACCEPT);
	teardown(state);
	setup(state);
	assert_int_equal(input(&d, &outputs, 2), OUTCOME_DROP);
	assert_int_equal(output(&d, &outputs, 2), OUTCOME_DROP);
	open_io(&k, &inputs); /* the session is picked up, and opens another connection */
	assert_int_equal(output(&d, &inputs, 2), OUTCOME_ACCEPT);
}

/* ---- ways to open ---- */

static void over_a_connection(void **state)
{
	struct note router = NOTE(1, 0, 0x20, 2, 0x24, 1), w;
	struct conn k = session(P_TOY), d = beside(&k, P_TOY);
	struct note ask = open_note(3, 0x203, 0xa3, 0x43f4, &router), answer = opened_note(3, 0x103, 0x203);

	(void)state;
	assert_int_equal(say(&k, DIR_C2S, request_note(1, &ask)), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_S2C, request_note(1, &answer)), OUTCOME_ACCEPT);
	/* over the backplane and one hop further: two hops, which only a row for the whole protocol
	 * allows */
	w = wish_note(&outputs);
	assert_int_equal(say(&k, DIR_C2S, unit_note(0x103, 1, &w)), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_PDU, R_ENIP_ROUTE), 1);
	k = session(P_TOY);
	router = NOTE(0x20, 2, 0x24, 1);
	ask = open_note(3, 0x203, 0xa3, 0x43f4, &router);
	assert_int_equal(say(&k, DIR_C2S, request_note(1, &ask)), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_S2C, request_note(1, &answer)), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, unit_note(0x103, 1, &w)), OUTCOME_ACCEPT);
	w = granted_note(&outputs, 0x100u + outputs.serial);
	assert_int_equal(say(&k, DIR_S2C, unit_note(0x203, 1, &w)), OUTCOME_ACCEPT);
	assert_int_equal(output(&d, &outputs, OUTPUT_BYTES), OUTCOME_ACCEPT);
}

/* A path with more objects than are kept opens nothing. Data go to the device that was asked, or to
 * a multicast group. */
static void what_opens_nothing(void **state)
{
	static const struct {
		uint8_t family;
		uint32_t host;
		bool good;
	} hosts[] = {
		{ 2, 0, true }, { 2, 0xefc00120, true }, { 2, 0x0a140011, false }, { 2, 0xf0, false }, { 0, 0, false }
	};
	struct note path = NOTE(0x20, 4, 0x24, 151, 0x20, 4, 0x24, 2, 0x20, 4, 0x24, 3, 0x2c, 150, 0x2c, 100), ask;
	struct conn k = session(P_TOY);

	(void)state;
	ask = open_note(5, 0x205, 1, 0x4006, &path);
	assert_int_equal(say(&k, DIR_C2S, request_note(1, &ask)), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_PDU, R_ENIP_MANY), 1);
	for (unsigned i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct note w;

		k = session(P_TOY);
		ask = wish_note(&outputs);
		w = request_note(1, &ask);
		put(put(&w, 0x8001, 2), 16, 2);
		put(put(&w, 0, 1), hosts[i].family, 1);
		put(put(&w, 0x08, 1), 0xae, 1);
		for (unsigned b = 4; b-- > 0;)
			put(&w, hosts[i].host >> 8 * b, 1);
		put(&w, 0, 8);
		w.b[30] = 3;
		w.b[2] = (uint8_t)(w.n - 24);
		assert_int_equal(say(&k, DIR_C2S, w), hosts[i].good ? OUTCOME_ACCEPT : OUTCOME_DROP);
	}
	assert_int_equal(desk_count(EVENT_PDU, R_ENIP_FRAME), 3);
}

#define T(f) cmocka_unit_test_setup_teardown(f, with_enip, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(numbers_and_sizes),
		T(datagrams_are_exact),
		T(one_way_alone),
		T(reads_take_inputs_alone),
		T(closed),
		T(whose_it_is_to_close),
		T(timed_out),
		T(a_number_is_one_connection),
		T(changes),
		T(told_before),
		T(uses_are_counted),
		T(opened_while_observed),
		T(the_worker_is_new),
		T(over_a_connection),
		T(what_opens_nothing),
	};

	return cmocka_run_group_tests_name("enip io", tests, NULL, NULL);
}
