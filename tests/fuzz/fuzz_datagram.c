/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole lives of flows of datagrams. The input chooses flow, permit, direction and bytes, and lets
 * time pass. Each datagram must be decided at once and exactly once; no reset is sent, and nothing
 * stays in the pool. Under a permit that enforces, only whole PDUs pass, and none that it forbids.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/dpi/inspect_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOWS 6u
#define LIVES 4096u /* runs of one inspector; a new one would take longer than a run */

static void must(bool x)
{
	if (!x)
		abort();
}

/* What a server does that reads each datagram as PDUs. */
static void receive(const uint8_t *b, size_t n, uint32_t permit)
{
	unsigned whole = 0;

	for (size_t at = 0; at < n; at += b[at + 1], whole++) {
		must(n - at >= TOY_MIN && b[at] == TOY_MARK && b[at + 1] >= TOY_MIN && b[at + 1] <= n - at);
		must(b[at + 2] != TOY_FORBIDDEN && !(permit == P_TOY_READS && b[at + 2] > TOY_READ_MAX));
	}
	must(whole >= 1 && whole <= toy.datagrams);
}

/* Empties the inspector of flows and moves the clock by more than an hour, so that the same input
 * gives nearly the same run. */
static void begin(void)
{
	static unsigned lives;

	if (lives++ % LIVES == 0) {
		desk_close();
		desk_now = 1000000000u;
		desk_open((struct inspector_limits){
			.flows = 4, .pool_bytes = 1u << 16, .table_bytes = 1u << 16, .no_library = true });
	}
	desk_now += 4000u * (uint64_t)1000000000u;
	desk_clear();
	desk_id = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t permits[] = { P_TOY,     P_TOY_READS, P_TOY_OBSERVE, P_TOY_PICK_UP,
					    P_TOY_FEW, P_MIXED,	    P_TOY_SAFETY,  P_TCP };
	struct inspector_stats s;
	struct conn flows[FLOWS];

	begin();
	for (unsigned i = 0; i < FLOWS; i++) {
		flows[i] = desk_conn(P_TOY);
		flows[i].client_port = (uint16_t)(40000 + i);
		flows[i].family = i % 2 ? 6 : 4;
	}
	while (size >= 4) {
		struct conn *k = &flows[data[0] % FLOWS];
		enum direction dir = data[1] & 1u ? DIR_S2C : DIR_C2S;
		size_t n = data[2] % 160u;
		unsigned o;

		k->permit = permits[data[1] >> 1 & 7u];
		desk_now += (uint64_t)(data[1] >> 4) * 3000000000u;
		inspector_tick(desk_i);
		data += 3;
		size -= 3;
		n = n < size ? n : size;
		o = desk_datagram(k, dir, data, n);
		must(o == OUTCOME_ACCEPT || o == OUTCOME_DROP);
		if (o == OUTCOME_ACCEPT && k->permit != P_TOY_OBSERVE && k->permit != P_TCP && dir == DIR_C2S)
			receive(data, n, k->permit);
		data += n;
		size -= n;
	}
	inspector_finish(desk_i);
	inspector_stats(desk_i, &s);
	must(s.flows == 0 && s.pool_used == 0);
	must(desk.twice == 0 && desk.n_resets == 0);
	return 0;
}
