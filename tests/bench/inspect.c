/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cost of the inspector itself, without kernel, queue or gate: time for a packet of a live
 * Modbus session, time and memory for a new flow, and nDPI's part of both. To leave nDPI out, its
 * functions are replaced (--wrap of the linker): in every second measurement they report that there
 * is no state left, which the inspector can handle.
 *
 *   inspect        prints one line of JSON; medians of REPEATS, with and without the library in
 *                  turn
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "dpi/inspect/inspect.h"
#include "dpi/modbus/words.h"
#include "dpi/name.h"

#define REPEATS 15
#define PAIRS 20000u
#define FLOWS 2000u
#define HELD 7000u /* less than the share of one kind of lane */
#define CLIENT 0x0a010002u
#define SERVER 0x0a020002u
#define PERMIT_MODBUS 1u
#define PERMIT_TLS 2u

/* ---- the outside ----------------------------------------------------------------------------- */

static uint64_t dropped;

static void hear_decision(void *ctx, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit, enum reason r)
{
	(void)ctx;
	(void)queue;
	(void)id;
	(void)permit;
	(void)r;
	dropped += o == OUTCOME_DROP;
}

/* ---- with and without the library ------------------------------------------------------------ */

static bool library;
static uint64_t library_calls, library_ns;

uint32_t __real_name_open(struct namer *n);
uint32_t __wrap_name_open(struct namer *n);
struct name_answer __real_name_packet(struct namer *n, uint32_t slot, enum direction dir, struct bytes ip,
				      uint64_t now_ms);
struct name_answer __wrap_name_packet(struct namer *n, uint32_t slot, enum direction dir, struct bytes ip,
				      uint64_t now_ms);

uint32_t __wrap_name_open(struct namer *n)
{
	return library ? __real_name_open(n) : NAME_SLOT_NONE;
}

struct name_answer __wrap_name_packet(struct namer *n, uint32_t slot, enum direction dir, struct bytes ip,
				      uint64_t now_ms)
{
	uint64_t start = clock_mono().ns;
	struct name_answer a = __real_name_packet(n, slot, dir, ip, now_ms);

	library_ns += clock_mono().ns - start;
	library_calls++;
	return a;
}

/* ---- packets --------------------------------------------------------------------------------- */

#define SYN 2u
#define ACK 16u
#define RST 4u

struct conn {
	uint16_t port, service;
	uint32_t permit;
	uint32_t seq[2]; /* the next byte of each direction */
};

static uint32_t sum(uint32_t s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static void put(struct inspector *i, struct conn *k, enum direction dir, uint8_t flags, const void *data, size_t n)
{
	static uint32_t id;
	uint8_t b[512] = { 0 }, pseudo[12] = { 0 };
	struct outbuf o = outbuf_of(b, sizeof(b)), ps = outbuf_of(pseudo, sizeof(pseudo));
	uint32_t from = dir == DIR_C2S ? CLIENT : SERVER, to = dir == DIR_C2S ? SERVER : CLIENT, s;
	struct packet p = { .queue = 1000,
			    .id = ++id,
			    .mark = mark_make(k->permit, k->permit == PERMIT_MODBUS ? 28 : 1, MARK_UNJUDGED) };

	out_be16(&o, 0x4500);
	out_be16(&o, (uint16_t)(40 + n));
	out_be32(&o, 0);
	out_be16(&o, 0x4006);
	out_be16(&o, 0);
	out_be32(&o, from);
	out_be32(&o, to);
	s = ~sum(0, b, 20);
	b[10] = (uint8_t)(s >> 8);
	b[11] = (uint8_t)s;
	out_be16(&o, dir == DIR_C2S ? k->port : k->service);
	out_be16(&o, dir == DIR_C2S ? k->service : k->port);
	out_be32(&o, k->seq[dir]);
	out_be32(&o, flags & ACK ? k->seq[1 - dir] : 0);
	out_be16(&o, (uint16_t)(0x5000 | flags));
	out_be16(&o, 64000);
	out_be32(&o, 0);
	out_bytes(&o, data, n);
	out_be32(&ps, from);
	out_be32(&ps, to);
	out_be16(&ps, 6);
	out_be16(&ps, (uint16_t)(20 + n));
	s = ~sum(sum(0, pseudo, sizeof(pseudo)), b + 20, 20 + n);
	b[36] = (uint8_t)(s >> 8);
	b[37] = (uint8_t)s;
	p.ip = bytes_of(b, o.len);
	k->seq[dir] += (uint32_t)n + ((flags & SYN) != 0);
	inspector_packet(i, &p);
}

static struct conn connect_to(struct inspector *i, uint16_t port, uint32_t permit)
{
	struct conn k = {
		.port = port, .service = permit == PERMIT_MODBUS ? 502 : 443, .permit = permit, .seq = { 1000, 9000 }
	};

	put(i, &k, DIR_C2S, SYN, NULL, 0);
	put(i, &k, DIR_S2C, SYN | ACK, NULL, 0);
	put(i, &k, DIR_C2S, ACK, NULL, 0);
	return k;
}

static void ask(struct inspector *i, struct conn *k, uint8_t id)
{
	const uint8_t request[] = { 0, id, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1 },
		      answer[] = { 0, id, 0, 0, 0, 5, 1, 3, 2, 0, 7 };

	put(i, k, DIR_C2S, ACK, request, sizeof(request));
	put(i, k, DIR_S2C, ACK, answer, sizeof(answer));
}

static void greet(struct inspector *i, struct conn *k)
{
	uint8_t hello[52] = { 0x16, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3 },
		back[47] = { 0x16, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3 };

	hello[45] = 4; /* two cipher suites, one way to compress */
	hello[46] = 0x13;
	hello[47] = 1;
	hello[48] = 0x13;
	hello[49] = 2;
	hello[50] = 1;
	back[44] = 0x13;
	back[45] = 1;
	put(i, k, DIR_C2S, ACK, hello, sizeof(hello));
	put(i, k, DIR_S2C, ACK, back, sizeof(back));
}

/* ---- the inspector --------------------------------------------------------------------------- */

static struct inspector *open_inspector(void)
{
	static const struct inspector_limits limits = {
		.outside = { .decide = hear_decision }, .flows = 16384, .pool_bytes = 8u << 20, .table_bytes = 1u << 16
	};
	struct number_range ranges[] = { { 502, 502 }, { 443, 443 }, { 0, 99 }, { 3, 3 }, { 1, 1 } };
	struct space_set space = { MODBUS_HOLDING, { false, 2, 1 } };
	struct command_permit permits[] = {
		{ .permit = PERMIT_MODBUS, .lane = 28, .ports = { false, 0, 1 }, .first_grant = 0, .n_grants = 1 },
		{ .permit = PERMIT_TLS, .lane = 1, .ports = { false, 1, 1 }, .first_grant = 1, .n_grants = 1 },
	};
	struct command_grant grants[] = { { .protocol = PROTO_MODBUS, .line = 1, .first_row = 0, .n_rows = 1 },
					  { .protocol = PROTO_TLS, .line = 2, .whole = true } };
	struct command_row row = { .services = { false, 3, 1 },
				   .targets = { { false, 4, 1 } },
				   .values = { .any = true },
				   .n_spaces = 1,
				   .line = 1 };
	struct command_table t = { .permits = permits,
				   .n_permits = 2,
				   .grants = grants,
				   .n_grants = 2,
				   .rows = &row,
				   .n_rows = 1,
				   .spaces = &space,
				   .n_spaces = 1,
				   .ranges = ranges,
				   .n_ranges = 5 };
	struct inspector *i = inspector_new(&limits);
	static uint8_t image[1 << 16];
	struct outbuf o = outbuf_of(image, sizeof(image));
	uint8_t digest[32];

	for (unsigned k = 1; k < TARGET_MAX; k++)
		row.targets[k].any = true;
	if (i == NULL || !commands_encode(&t, &o) || !inspector_table(i, bytes_of(image, o.len), digest)) {
		fprintf(stderr, "inspect: no inspector, or a table that it does not take\n");
		exit(3);
	}
	return i;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double v[REPEATS])
{
	qsort(v, REPEATS, sizeof(*v), by_value);
	return v[REPEATS / 2];
}

/* Nanoseconds for a packet of a live session. */
static double session(struct inspector *i, uint16_t port)
{
	struct conn k = connect_to(i, port, PERMIT_MODBUS);
	uint64_t start;

	for (unsigned n = 0; n < 4; n++) /* nDPI gets no later packet of this flow */
		ask(i, &k, (uint8_t)n);
	start = clock_mono().ns;
	for (unsigned n = 0; n < PAIRS; n++)
		ask(i, &k, (uint8_t)n);
	return (double)(clock_mono().ns - start) / (2.0 * PAIRS);
}

/* Nanoseconds for a connection: handshake, one exchange, reset. */
static double opening(struct inspector *i, uint32_t permit)
{
	uint64_t start = clock_mono().ns;

	for (unsigned n = 0; n < FLOWS; n++) {
		struct conn k = connect_to(i, (uint16_t)(1024 + n), permit);

		if (permit == PERMIT_MODBUS)
			ask(i, &k, 1);
		else
			greet(i, &k);
		put(i, &k, DIR_C2S, RST, NULL, 0);
	}
	return (double)(clock_mono().ns - start) / FLOWS;
}

static double resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
		exit(3);
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Bytes that become resident for a flow that has asked once. */
static double held(void)
{
	struct inspector *i = open_inspector();
	double before = resident(), bytes;

	for (unsigned n = 0; n < HELD; n++) {
		struct conn k = connect_to(i, (uint16_t)(1024 + n), PERMIT_MODBUS);

		ask(i, &k, 1);
	}
	bytes = (resident() - before) / HELD;
	inspector_free(i);
	return bytes;
}

int main(void)
{
	double live[REPEATS], with[2][REPEATS], without[2][REPEATS], calls[2], in_library[2], bytes[2];
	struct inspector *i;

	for (int l = 0; l < 2; l++) {
		library = l == 1;
		/* comes first: a heap that was used before would hide some memory */
		bytes[l] = held();
	}
	i = open_inspector();
	for (int r = 0; r < REPEATS; r++) {
		library = true;
		live[r] = session(i, (uint16_t)(50000 + r));
		for (uint32_t p = 0; p < 2; p++) {
			library = false;
			without[p][r] = opening(i, p + 1);
			library = true;
			library_calls = library_ns = 0;
			with[p][r] = opening(i, p + 1);
			calls[p] = (double)library_calls / FLOWS;
			in_library[p] = (double)library_ns / FLOWS;
		}
	}
	inspector_free(i);
	if (dropped > 0) {
		fprintf(stderr, "inspect: %lu packets were dropped: this measures something else\n", dropped);
		return 3;
	}
	printf("{\"session_ns_per_packet\":%.0f,\"modbus_ns_per_connection\":%.0f,\"modbus_without_ndpi_ns\":%.0f,"
	       "\"modbus_ndpi_calls\":%.1f,\"modbus_in_ndpi_ns\":%.0f,\"tls_ns_per_connection\":%.0f,\"tls_without_"
	       "ndpi_ns\":%.0f,"
	       "\"tls_ndpi_calls\":%.1f,\"tls_in_ndpi_ns\":%.0f,\"flow_bytes\":%.0f,\"flow_bytes_without_ndpi\":%.0f,"
	       "\"repeats\":%d}\n",
	       median(live), median(with[0]), median(without[0]), calls[0], in_library[0], median(with[1]),
	       median(without[1]), calls[1], in_library[1], bytes[1], bytes[0], REPEATS);
	return 0;
}
