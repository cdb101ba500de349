/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole lives of flows. Four connections, each under a permit that stays until the input changes
 * it, open, send, lose, repeat, arrive out of order, close and open again, while time passes and
 * tables change. Each packet must be decided exactly once, the pool must be empty at the end, and
 * the cut lane must accept nothing. A server that reads what arrives, in order and each byte once,
 * must never read a command that its permit forbids at that moment.
 *
 * There are two inspectors, one as in a box and one as in replay, and they live longer than one
 * run. A fuzzer runs each input in one of them, which the input chooses; a replay of inputs runs it
 * in both.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/dpi/inspect_desk.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIVES 4096u /* runs of one inspector; a new one would take longer than a run */
#define LATEST_NS 1000000000000000000u
#define STEPS_MAX 500u
#define CONNS 4u
#define ROOM 4096u
#define WRITE 20 /* forbidden by P_TOY_READS alone */

/* A packet with data that the inspector has got. */
struct handed {
	uint32_t id, generation, permit, at, n;
	uint8_t conn;
	bool cut, done;
	uint8_t bytes[128];
};

/* A connection and both its ends. */
struct life {
	struct conn k;
	uint32_t isn, generation;
	uint8_t said[ROOM]; /* by the client */
	uint32_t n_said;
	bool strict; /* all its bytes were judged, and nothing may pass unjudged */
	bool open;   /* the server reads */
	bool deaf;   /* what is sent is lost behind the box */
	uint8_t got[ROOM];
	bool have[ROOM];
	uint32_t next, parsed;
};

static struct inspector *inspectors[2]; /* one as on a box, one that reads captures */
static uint8_t in_force[2];		/* number of the table that each inspector has */
static bool drawn;			/* a run uses one of them */
static struct life lives[CONNS];
static struct handed handed[STEPS_MAX * 2];
/* of the packets before n_arrived none waits any more */
static size_t n_handed, n_arrived, resets_seen;

static void must(bool x)
{
	if (!x)
		abort();
}

static bool judges_all(uint32_t permit)
{
	return permit == P_TOY || permit == P_TOY_2 || permit == P_TOY_SAFETY || permit == P_TOY_DROP ||
	       permit == P_TOY_READS || permit == P_TOY_FEW || permit == P_TOY_PICK_UP;
}

/* ---- the server ------------------------------------------------------------------------------ */

static void read_commands(struct life *l)
{
	while (l->open && l->parsed < l->next) {
		uint8_t len = l->parsed + 1 < l->next ? l->got[l->parsed + 1] : TOY_MIN;
		uint8_t function;

		if (l->got[l->parsed] != TOY_MARK || len < TOY_MIN || len > TOY_MAX) {
			l->open = false;
			return;
		}
		if (l->next - l->parsed < 2 || l->next - l->parsed < len)
			return;
		function = l->got[l->parsed + 2];
		must(!l->strict ||
		     (function != TOY_FORBIDDEN && !(l->k.permit == P_TOY_READS && function > TOY_READ_MAX)));
		l->parsed += len;
	}
}

static void receive(struct life *l, const struct handed *h)
{
	if (!l->open || l->deaf || h->generation != l->generation)
		return;
	for (uint32_t i = 0; i < h->n && h->at < ROOM - i; i++) {
		if (l->have[h->at + i])
			continue;
		l->have[h->at + i] = true;
		l->got[h->at + i] = h->bytes[i];
	}
	while (l->next < ROOM && l->have[l->next])
		l->next++;
	read_commands(l);
}

/* Delivers the packets that were decided since the last call. If the permit has changed, the kernel
 * drops the packet instead. */
static void arrive(bool captured)
{
	for (; resets_seen < desk.n_resets; resets_seen++) {
		const struct reset_record *r = &desk.resets[resets_seen];

		for (unsigned c = 0; c < CONNS; c++)
			if (r->client_port == lives[c].k.client_port && r->to_server.valid &&
			    r->to_server.seq == lives[c].isn + 1 + lives[c].next)
				lives[c].open = false;
	}
	for (size_t i = n_arrived; i < n_handed; i++) {
		struct handed *h = &handed[i];
		uint8_t o = desk.outcome[h->id % DESK_IDS];

		if (h->done || o == 0)
			continue;
		h->done = true;
		must(!h->cut || o == OUTCOME_DROP);
		if (o >= OUTCOME_ACCEPT && !captured && h->permit == lives[h->conn].k.permit)
			receive(&lives[h->conn], h);
	}
	while (n_arrived < n_handed && handed[n_arrived].done)
		n_arrived++;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static uint32_t hand(struct life *l, enum direction dir, uint32_t seq, uint32_t ack, unsigned flags, const uint8_t *p,
		     uint32_t n, uint32_t mark)
{
	struct handed *h = &handed[n_handed];
	size_t size = desk_tcp(&l->k, dir, seq, ack, flags, p, n);

	if (n_handed == sizeof(handed) / sizeof(handed[0]))
		return 0;
	*h = (struct handed){ .generation = l->generation,
			      .permit = l->k.permit,
			      .at = dir == DIR_C2S ? seq - l->isn - 1 : ROOM,
			      .n = n < sizeof(h->bytes) ? n : sizeof(h->bytes),
			      .conn = (uint8_t)(l - lives),
			      .cut = mark_lane(mark) == LANE_CUT };
	if (h->n > 0)
		memcpy(h->bytes, p, h->n);
	n_handed++;
	h->id = desk_hand_as(size, mark, false);
	return h->id;
}

static uint32_t mark_of(const struct life *l)
{
	return mark_make(l->k.permit, lane_number(desk_lane(l->k.permit)), MARK_UNJUDGED);
}

static void client_sends(struct life *l, uint32_t at, uint32_t n, unsigned flags)
{
	if (at > l->n_said)
		at = l->n_said;
	if (n > l->n_said - at)
		n = l->n_said - at;
	hand(l, DIR_C2S, l->isn + 1 + at, l->k.s, DESK_ACK | flags, l->said + at, n > 120 ? 120 : n, mark_of(l));
}

static uint32_t say(struct life *l, uint8_t len, uint8_t function)
{
	uint32_t at = l->n_said;

	len = (uint8_t)(TOY_MIN + len % 20u);
	if (ROOM - at < TOY_MAX)
		return at;
	l->n_said += (uint32_t)toy_pdu(l->said + at, len, function);
	return at;
}

static void server_sends(struct life *l, const uint8_t *p, uint32_t n, unsigned flags, uint32_t ack)
{
	uint32_t id = hand(l, DIR_S2C, l->k.s, ack, DESK_ACK | flags, p, n, mark_of(l));

	if (desk.outcome[id % DESK_IDS] >= OUTCOME_ACCEPT)
		l->k.s += n + (flags & DESK_FIN ? 1 : 0);
}

static void open_life(struct life *l, uint8_t arg)
{
	l->generation++;
	l->isn = 0xffffff00u + arg * 3u;
	l->k.s = 7000u * arg;
	l->n_said = l->next = l->parsed = 0;
	memset(l->have, 0, sizeof(l->have));
	l->strict = judges_all(l->k.permit);
	l->deaf = false;
	l->open = desk.outcome[hand(l, DIR_C2S, l->isn, 0, DESK_SYN, NULL, 0, mark_of(l)) % DESK_IDS] >= OUTCOME_ACCEPT;
	if (!l->open)
		return;
	hand(l, DIR_S2C, l->k.s++, l->isn + 1, DESK_SYN | DESK_ACK, NULL, 0, mark_of(l));
	if (arg % 5 != 0)
		client_sends(l, 0, 0, 0);
}

static void change_permit(struct life *l, uint8_t arg)
{
	l->k.permit = arg % P_COUNT == 0 ? P_TOY : arg % P_COUNT;
	l->strict = l->strict && judges_all(l->k.permit);
}

static void change_table(uint8_t arg)
{
	static struct {
		uint8_t *p;
		size_t n;
	} images[2][3];
	uint8_t which = arg % 3u, digest[32];

	if (images[desk_observes][which].p == NULL)
		images[desk_observes][which].p = desk_image(1u + which, &images[desk_observes][which].n);
	must(inspector_table(desk_i, bytes_of(images[desk_observes][which].p, images[desk_observes][which].n), digest));
	in_force[desk_observes] = which;
}

static void one_step(uint8_t what, uint8_t arg)
{
	struct life *l = &lives[what & 3u];
	uint8_t other[64], pdu[64];
	uint32_t at;

	switch (what >> 2 & 31u) {
	case 0:
		if (!l->open || arg % 7 == 0)
			open_life(l, arg);
		break;
	case 1:
	case 2:
	case 3:
		at = say(l, arg, (uint8_t)(arg % 10));
		client_sends(l, at, TOY_MAX, DESK_PSH);
		break;
	case 4:
		at = say(l, arg, WRITE);
		client_sends(l, at, TOY_MAX, 0);
		break;
	case 5:
		at = say(l, arg, TOY_FORBIDDEN);
		client_sends(l, at, arg % 3 == 0 ? TOY_MAX : arg % 20u, 0);
		break;
	case 6: /* only prepared, and sent later */
		say(l, arg, arg % 4 == 0 ? TOY_FORBIDDEN : arg % 4 == 1 ? WRITE : 3);
		break;
	case 7:
	case 8: /* some piece of the client's bytes, old or new */
		at = l->n_said > 80 ? l->n_said - 80 : 0;
		client_sends(l, at + arg % 80u, 1 + arg / 3u, 0);
		break;
	case 9: /* from the first byte that the server lacks */
		client_sends(l, l->next, 1 + arg, 0);
		break;
	case 10: /* other bytes in the same place */
		at = l->n_said > 40 ? l->n_said - arg % 40u : 0;
		toy_pdu(other, 20, arg % 2 ? TOY_FORBIDDEN : 5);
		hand(l, DIR_C2S, l->isn + 1 + at, l->k.s, DESK_ACK, other + arg % 6u, 10, mark_of(l));
		break;
	case 11:
	case 12: /* the server acknowledges, or answers */
		server_sends(l, pdu, arg % 3 ? (uint32_t)toy_pdu(pdu, 12, 3) : 0, 0, l->isn + 1 + l->next);
		break;
	/* an answer in pieces, ahead of a gap, or an acknowledgement of bytes that the server
	 * lacks */
	case 13:
		toy_pdu(pdu, 12, 3);
		l->strict = l->strict && arg % 11 != 0; /* this server may have read anything */
		hand(l, DIR_S2C, l->k.s + arg % 9u, l->isn + 1 + l->next + (arg % 11 == 0 ? 12 : 0), DESK_ACK,
		     pdu + arg % 9u, 3, mark_of(l));
		break;
	case 14:
		client_sends(l, l->n_said, 0, DESK_FIN);
		break;
	case 15:
		server_sends(l, NULL, 0, DESK_FIN, l->isn + 1 + l->next);
		break;
	case 16:
		hand(l, DIR_C2S, l->isn + 1 + l->next + arg % 3u, 0, DESK_RST, (const uint8_t *)"text",
		     arg % 5 == 0 ? 4 : 0, mark_of(l));
		l->open = l->open && arg % 3u != 0;
		break;
	case 17:
		desk_now += (uint64_t)arg * 1000000u;
		inspector_tick(desk_i);
		break;
	case 18:
		desk_now += (uint64_t)arg * 1000000000u * (arg > 250 ? 4000u : 1u);
		inspector_tick(desk_i);
		break;
	case 19:
		change_permit(l, arg);
		break;
	case 20:
		change_permit(l, arg % 2 ? P_TOY_READS : P_TOY);
		break;
	case 21:
		change_table(arg);
		break;
	case 22:
		l->deaf = !l->deaf;
		break;
	case 23:
		toy_pdu(pdu, 12, 3);
		hand(l, arg & 1 ? DIR_S2C : DIR_C2S, arg & 1 ? l->k.s : l->isn + 1 + l->n_said, l->k.s, DESK_ACK, pdu,
		     12, arg & 2 ? MARK_STRAY : mark_make(l->k.permit, LANE_CUT, MARK_UNJUDGED));
		break;
	case 24: /* any flags */
		hand(l, arg & 64 ? DIR_S2C : DIR_C2S, l->isn + 1 + l->next, l->k.s, arg & 63u, pdu, 0, mark_of(l));
		break;
	case 25: /* passes unseen, as with a full queue */
		at = say(l, arg, 3);
		l->strict = false;
		for (uint32_t i = at; i < l->n_said; i++) {
			l->got[i] = l->said[i];
			l->have[i] = true;
		}
		while (l->next < ROOM && l->have[l->next])
			l->next++;
		break;
	case 26:
		l->k.s += 12;
		l->strict = false;
		break;
	case 27: /* the client sends a SYN over the session */
		hand(l, DIR_C2S, l->isn + 50000u + arg, 0, DESK_SYN, NULL, 0, mark_of(l));
		break;
	default:
		at = say(l, arg, 3);
		client_sends(l, at + 2, TOY_MAX, 0); /* without its beginning */
		break;
	}
}

static void run(struct bytes b, bool captured)
{
	struct inspector_stats s;
	uint8_t what, arg;

	desk_clear();
	desk_id = 0;
	n_handed = n_arrived = resets_seen = 0;
	if (in_force[desk_observes] != 0)
		change_table(0);
	memset(lives, 0, sizeof(lives));
	for (unsigned c = 0; c < CONNS; c++) {
		uint8_t permit = 0;

		bytes_u8(&b, &permit);
		lives[c].k = desk_conn(P_TOY);
		lives[c].k.permit = permit % P_COUNT == 0 ? P_TOY : permit % P_COUNT;
		lives[c].k.server_port = desk_rows[lives[c].k.permit].port;
		lives[c].k.family = c % 2 ? 6 : 4;
	}
	for (unsigned n = 0; n < STEPS_MAX && bytes_u8(&b, &what) && bytes_u8(&b, &arg); n++) {
		one_step(what, arg);
		arrive(captured);
	}
	inspector_finish(desk_i);
	arrive(captured);
	for (size_t i = 0; i < n_handed; i++)
		must(handed[i].done);
	must(desk.twice == 0);
	inspector_stats(desk_i, &s);
	must(s.pool_used == 0 && s.flows == 0);
	must(s.packets == s.accepted + s.confirmed + s.dropped);
}

/* Empties the inspector of flows and moves the clock by more than an hour. Before the clock has no
 * room left, a new inspector is made. */
static void begin(void)
{
	static unsigned runs[2];

	desk_now += 4000u * (uint64_t)1000000000u;
	if (desk_now > LATEST_NS) {
		desk_now = 1000000000u;
		runs[0] = runs[1] = 0;
	}
	if (runs[desk_observes]++ % LIVES == 0) {
		inspector_free(inspectors[desk_observes]);
		desk_open((struct inspector_limits){ .flows = 8,
						     .pool_bytes = 1u << 15,
						     .table_bytes = 1u << 16,
						     .undivided = desk_observes,
						     .gaps_stay = desk_observes });
		inspectors[desk_observes] = desk_i;
		in_force[desk_observes] = 0;
	}
	desk_i = inspectors[desk_observes];
}

static unsigned draw(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = sum * 31u + data[i];
	return sum >> 7 & 1u;
}

/* Called by the fuzzer, but not by a replay. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	drawn = true;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned i = 0; i < 2; i++) {
		if (drawn && i != draw(data, size))
			continue;
		desk_observes = i == 1;
		begin();
		run(bytes_of(data, size), desk_observes);
	}
	return 0;
}
