/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evasion by overlap, all cases: every three chunks of a PDU of eight bytes (in units of two
 * bytes), each with the allowed or the forbidden content, each lost or not between the box and the
 * receiver. There are receivers that keep the first copy of a byte, and others that keep the last.
 * None may ever read the forbidden PDU.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_desk.h"

#define PDU 8u
#define UNIT 2u
#define CHUNKS 10u /* from byte to byte: 0-2, 0-4, 0-6, 0-8, 2-4, 2-6, 2-8, 4-6, 4-8, 6-8 */

struct receiver {
	uint8_t bytes[PDU];
	bool have[PDU];
	uint32_t next;
	bool keeps_last;
};

static void receive(struct receiver *r, uint32_t at, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (at + i < r->next || (r->have[at + i] && !r->keeps_last))
			continue;
		r->bytes[at + i] = p[i];
		r->have[at + i] = true;
	}
	while (r->next < PDU && r->have[r->next])
		r->next++;
}

static void chunk(unsigned i, uint32_t *ret_at, uint32_t *ret_n)
{
	for (uint32_t at = 0; at < PDU; at += UNIT) {
		for (uint32_t n = UNIT; at + n <= PDU; n += UNIT) {
			if (i-- == 0) {
				*ret_at = at;
				*ret_n = n;
				return;
			}
		}
	}
}

/* One run: three chunks, with their contents and losses as bits. True if the receiver has a whole
 * PDU. */
static bool run(const unsigned which[3], unsigned forbidden, unsigned lost, bool keeps_last)
{
	struct conn k = desk_conn(P_TOY);
	struct receiver r = { .keeps_last = keeps_last };
	uint8_t text[2][PDU];
	uint32_t ids[3], at[3], n[3], first;

	toy_pdu(text[0], PDU, 3);
	toy_pdu(text[1], PDU, TOY_FORBIDDEN);
	desk_handshake(&k);
	first = desk_id;
	for (unsigned c = 0; c < 3; c++) {
		bool before[3] = { false };

		for (unsigned o = 0; o < c; o++)
			before[o] = desk.outcome[ids[o] % DESK_IDS] != 0;
		chunk(which[c], &at[c], &n[c]);
		desk_segment(&k, DIR_C2S, k.c + at[c], k.s, DESK_ACK, text[forbidden >> c & 1u] + at[c], n[c]);
		ids[c] = desk_id;
		/* Packets that were decided since the last call leave the box now, in the order of
		 * their numbers. */
		for (uint32_t from = 0; from < PDU; from += UNIT) {
			for (unsigned o = 0; o <= c; o++) {
				if ((o < c && before[o]) || at[o] != from ||
				    desk.outcome[ids[o] % DESK_IDS] < OUTCOME_ACCEPT || (lost >> o & 1u))
					continue;
				receive(&r, at[o], text[forbidden >> o & 1u] + at[o], n[o]);
			}
		}
		if (r.next > 0)
			desk_segment(&k, DIR_S2C, k.s, k.c + r.next, DESK_ACK, NULL, 0);
	}
	assert_true(desk_id > first);
	if (r.next == PDU)
		assert_int_not_equal(r.bytes[2], TOY_FORBIDDEN);
	return r.next == PDU;
}

static void no_receiver_reads_it(void **state)
{
	unsigned complete = 0, runs = 0;

	(void)state;
	desk_open((struct inspector_limits){ .flows = 256, .pool_bytes = 1u << 20, .table_bytes = 1u << 16 });
	for (unsigned t = 0; t < CHUNKS * CHUNKS * CHUNKS; t++) {
		unsigned which[3] = { t % CHUNKS, t / CHUNKS % CHUNKS, t / CHUNKS / CHUNKS };

		for (unsigned bits = 0; bits < 128; bits++) {
			complete += run(which, bits & 7u, bits >> 3 & 7u, bits >> 6);
			runs++;
		}
		inspector_finish(desk_i); /* otherwise live flows would fill the table */
		desk_clear();
	}
	printf("%u runs, a whole PDU arrived in %u\n", runs, complete);
	assert_true(complete > 1000); /* the allowed PDU does arrive in many runs */
	desk_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_receiver_reads_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
