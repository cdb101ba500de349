/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same stream of a client, cut in two ways: into large segments in order, and into small ones
 * that are repeated, swapped and overlapped as the input says. Both must give the same sequence of
 * judged PDUs and the same end. The last byte of a forbidden PDU must never be delivered.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/dpi/inspect_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAM_MAX 1500u
#define PDUS_MAX 512u

struct seen {
	struct {
		uint64_t offset;
		uint32_t length;
		uint32_t function;
		bool allowed;
	} pdus[PDUS_MAX];
	size_t n;
	bool refused;
	size_t delivered; /* number of contiguous bytes that the receiver has */
};

static uint8_t arrived[STREAM_MAX + 1];

static void must(bool x)
{
	if (!x)
		abort();
}

static void deliver(uint32_t from, uint32_t n)
{
	memset(arrived + from, 1, n);
}

static void take_seen(struct seen *s, uint32_t total)
{
	s->n = desk.n_pdus;
	s->refused = false;
	must(s->n <= PDUS_MAX);
	for (size_t i = 0; i < s->n; i++) {
		s->pdus[i].offset = desk.pdus[i].offset;
		s->pdus[i].length = desk.pdus[i].length;
		s->pdus[i].function = desk.pdus[i].function;
		s->pdus[i].allowed = desk.pdus[i].allowed;
	}
	for (s->delivered = 0; s->delivered < total && arrived[s->delivered]; s->delivered++)
		;
	for (size_t i = 0; i < desk.n_flows; i++)
		s->refused |= desk.flows[i].v == EV_DENY;
	/* The invariant: nobody can read the last byte of a forbidden PDU, nor what follows it. */
	for (size_t i = 0; i < s->n; i++)
		must(s->pdus[i].allowed || s->delivered < s->pdus[i].offset + s->pdus[i].length);
	must(desk.twice == 0);
}

static bool same(const struct seen *a, const struct seen *b)
{
	if (a->n != b->n || a->refused != b->refused)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->pdus[i].offset != b->pdus[i].offset || a->pdus[i].length != b->pdus[i].length ||
		    a->pdus[i].function != b->pdus[i].function || a->pdus[i].allowed != b->pdus[i].allowed)
			return false;
	return true;
}

/* An empty stream. The clock moves on because records are limited for each second; otherwise they
 * would be kept back and written together each time. */
static void begin(uint32_t total)
{
	desk_clear();
	desk_id = 0;
	desk_now += 1000000000u;
	memset(arrived, 0, total);
}

/* In order, 700 bytes a segment, every one acknowledged. */
static void run_plain(uint32_t permit, const uint8_t *stream, uint32_t total, struct seen *s)
{
	struct conn k = desk_conn(permit);
	uint32_t from = k.c + 1;

	begin(total);
	desk_handshake(&k);
	for (uint32_t at = 0; at < total; at += 700) {
		uint32_t n = total - at < 700 ? total - at : 700;

		if (desk_segment(&k, DIR_C2S, from + at, k.s, DESK_ACK, stream + at, n) != OUTCOME_ACCEPT)
			break;
		deliver(at, n);
		desk_segment(&k, DIR_S2C, k.s, from + at + n, DESK_ACK, NULL, 0);
	}
	take_seen(s, total);
}

/* Sends segments as `how` says: each byte chooses the size of a segment and what is done with
 * it. */
static void run_cut(uint32_t permit, const uint8_t *stream, uint32_t total, const uint8_t *how, size_t n_how,
		    struct seen *s)
{
	struct conn k = desk_conn(permit);
	uint32_t from, at = 0;
	size_t h = 0;
	bool refused = false;

	begin(total);
	k.c = 0xffffff00u;
	desk_handshake(&k);
	from = k.c;
	while (at < total && !refused) {
		uint8_t c = n_how > 0 ? how[h++ % n_how] : 7;
		uint32_t n = 1 + (c & 31u), back = 0, ids[2], at2[2], n2[2];
		unsigned count = 1;

		if (n > total - at)
			n = total - at;
		if ((c & 0xe0) == 0x20) /* begins with bytes that were sent before */
			back = at < 9 ? at : 9;
		at2[0] = at - back;
		n2[0] = n + back;
		if ((c & 0xe0) == 0x40 && n > 1) { /* two halves, the second one first */
			at2[0] = at + n / 2;
			n2[0] = n - n / 2;
			at2[1] = at;
			n2[1] = n / 2;
			count = 2;
		}
		for (unsigned i = 0; i < count; i++) {
			desk_segment(&k, DIR_C2S, from + at2[i], k.s, DESK_ACK, stream + at2[i], n2[i]);
			ids[i] = desk_id;
		}
		for (unsigned i = 0; i < count; i++) {
			if (desk.outcome[ids[i] % DESK_IDS] == OUTCOME_ACCEPT)
				deliver(at2[i], n2[i]);
			else
				refused = true;
		}
		at += n;
		if ((c & 0xe0) == 0x60) /* repeated whole */
			must(desk_segment(&k, DIR_C2S, from + at - n, k.s, DESK_ACK, stream + at - n, n) ==
			     (refused ? OUTCOME_DROP : OUTCOME_ACCEPT));
		if ((c & 0xe0) == 0x80 && !refused) /* acknowledged so far */
			desk_segment(&k, DIR_S2C, k.s, from + at, DESK_ACK, NULL, 0);
	}
	take_seen(s, total);
	/* A flow that was refused delivers nothing more. */
	if (s->refused)
		must(desk_segment(&k, DIR_C2S, from + at, k.s, DESK_ACK, stream, 1) == OUTCOME_DROP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen plain, cut;
	uint32_t permit;
	size_t n_how;

	if (desk_i == NULL)
		desk_open((struct inspector_limits){ .flows = 64, .pool_bytes = 1u << 20, .table_bytes = 1u << 16 });
	if (size < 2)
		return 0;
	/* bytes ahead of a gap wait, or pass */
	permit = data[0] & 0x20 ? P_TOY_PICK_UP : P_TOY;
	n_how = data[0] % 32u;
	if (n_how > size - 1)
		n_how = size - 1;
	if (size - 1 - n_how > STREAM_MAX)
		size = STREAM_MAX + 1 + n_how;
	run_plain(permit, data + 1 + n_how, (uint32_t)(size - 1 - n_how), &plain);
	run_cut(permit, data + 1 + n_how, (uint32_t)(size - 1 - n_how), data + 1, n_how, &cut);
	must(same(&plain, &cut));
	inspector_finish(desk_i); /* otherwise live flows would fill the table */
	return 0;
}
