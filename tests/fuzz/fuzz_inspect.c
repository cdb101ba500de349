/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any sequence of packets of a few connections, under every kind of permit, with time passing: each packet is decided
 * exactly once, nothing is left in the pool at the end, and the cut lane accepts nothing.
 *
 * LINK: dpi/inspect/inspect.c dpi/inspect/flow.c dpi/inspect/tcp.c dpi/inspect/midstream.c dpi/inspect/wait.c dpi/inspect/datagram.c
 * LINK: dpi/inspect/name.c dpi/inspect/again.c dpi/inspect/search.c dpi/inspect/repeat.c dpi/inspect/command.c dpi/inspect/event.c dpi/decode.c dpi/flow.c
 * LINK: dpi/share.c dpi/stream.c dpi/pool.c dpi/name.c dpi/recognise.c dpi/plausible.c dpi/datagram.c
 * LINK: appliance/base/bytes.c dpi/inspect/rejudge.c dpi/inspect/impact.c
 * LINK: appliance/base/addr.c appliance/wire/commands.c appliance/wire/reason.c appliance/wire/protocols.c
 * LINK: appliance/base/sha256.c appliance/wire/vocabulary.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/dpi/inspect_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PACKETS_MAX 400u

static struct inspector *inspectors[2]; /* as a box, as a reader of captures */

static void must(bool x)
{
	if (!x)
		abort();
}

/* A number up to 128 below or 127 above. */
static uint32_t near(uint32_t from, uint8_t by)
{
	return from + by - (by & 128u ? 256u : 0u);
}

/* One packet of eight bytes of instruction and its payload. */
static bool step(struct bytes *b, struct conn *conns, uint32_t *ret_id, bool *ret_cut)
{
	uint8_t who, what, flags, seq, ack, len, permit, turn;
	struct bytes payload;
	struct conn *k;
	enum direction dir;
	size_t n;
	uint32_t own, peer;

	bytes_u8(b, &who);
	bytes_u8(b, &what);
	bytes_u8(b, &flags);
	bytes_u8(b, &seq);
	bytes_u8(b, &ack);
	bytes_u8(b, &len);
	bytes_u8(b, &permit);
	bytes_u8(b, &turn);
	if (b->failed)
		return false;
	if (len > b->left)
		len = (uint8_t)b->left;
	bytes_take(b, len, &payload);
	k = &conns[who & 3u];
	dir = who & 4u ? DIR_S2C : DIR_C2S;
	k->family = who & 8u ? 6 : 4;
	desk_now += (uint64_t)turn * turn * 1000000u;
	if (turn & 1)
		inspector_tick(desk_i);
	own = near(dir == DIR_C2S ? k->c : k->s, seq);
	peer = near(dir == DIR_C2S ? k->s : k->c, ack);
	k->permit = permit % (P_COUNT + 1u); /* one of them unknown */
	if (what & 1u) {
		uint8_t *u = desk_packet + (k->family == 4 ? 20 : 40);

		put16(u, dir == DIR_C2S ? k->client_port : k->server_port);
		put16(u + 2, dir == DIR_C2S ? k->server_port : k->client_port);
		put16(u + 4, 8u + len);
		memcpy(u + 8, payload.p, len);
		n = desk_ip(desk_packet, k, dir, 17, 8u + len, 6);
	} else {
		n = desk_tcp(k, dir, own, peer, flags & 63u, payload.p, len);
		if (dir == DIR_C2S)
			k->c = own + len + ((flags & 3u) != 0);
		else
			k->s = own + len + ((flags & 3u) != 0);
	}
	if (what & 128u)
		desk_packet[what % n] ^= flags; /* a damaged one */
	*ret_cut = (what & 0x70u) == 0x70u;
	*ret_id = desk_hand(n, k->permit, *ret_cut ? LANE_CUT : 40, (what & 2u) != 0);
	return true;
}

static void run(struct bytes b)
{
	struct conn conns[4];
	uint32_t ids[PACKETS_MAX];
	bool cuts[PACKETS_MAX];
	struct inspector_stats s;
	size_t n = 0;

	desk_clear();
	for (unsigned i = 0; i < 4; i++) {
		conns[i] = desk_conn(P_TOY);
		conns[i].server_port = (uint16_t)(i % 2 ? 502 : 443);
		conns[i].c = 0xffffffe0u;
	}
	while (n < PACKETS_MAX && step(&b, conns, &ids[n], &cuts[n]))
		n++;
	inspector_finish(desk_i);
	for (size_t i = 0; i < n; i++) {
		must(desk.outcome[ids[i] % DESK_IDS] != 0);
		must(!cuts[i] || desk.outcome[ids[i] % DESK_IDS] == OUTCOME_DROP);
	}
	must(desk.twice == 0);
	inspector_stats(desk_i, &s);
	must(s.pool_used == 0 && s.flows == 0);
	must(s.packets == s.accepted + s.confirmed + s.dropped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned i = 0; i < 2; i++) {
		if (inspectors[i] == NULL) {
			desk_open((struct inspector_limits){
				.flows = 3, .pool_bytes = 1u << 14, .table_bytes = 1u << 16, .as_captured = i == 1 });
			inspectors[i] = desk_i;
		}
		desk_i = inspectors[i];
		run(bytes_of(data, size));
	}
	return 0;
}
