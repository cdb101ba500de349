/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole lives of sessions, random by a printed seed (SEKISHO_SEED; SEKISHO_LIVES: how many). The
 * client sends any segment at any position, with any acknowledgements, again and again, over
 * sessions that its server has forgotten. The server reads as TCP does, by the first or by the last
 * copy of what came after a gap. The network loses packets before and behind the box. No queue is
 * ever full. In half of the lives the policy changes: permits that forbid more or less, observe, or
 * look for a name first; other tables; cuts; days of silence; workers that die where no session is
 * picked up half-way. Whatever the conduit says about overload and about sessions met half-way, no
 * server may read what is forbidden at that time.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "dpi/runs.h"
#include "tests/unit/dpi/inspect_desk.h"

#define LIVES 4000u
#define STEPS 60u
#define ROOM 1024u
#define WRITE 20   /* a function that P_TOY allows and P_TOY_READS does not */
#define AFTER 512u /* the offset of the first byte in the room */

static uint64_t drawn;

static uint32_t draw(uint32_t below)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 7;
	drawn ^= drawn << 17;
	return (uint32_t)(drawn >> 20) % below;
}

static bool one_in(uint32_t n)
{
	return draw(n) == 0;
}

static struct {
	struct conn k;
	uint32_t base;	/* the sequence number of the byte at AFTER */
	uint32_t begin; /* where the client's bytes begin */
	/* The server. */
	enum { LISTENS, HALF_OPEN, OPEN } state;
	bool keeps_last, takes_last_syn;
	uint8_t bytes[ROOM];
	bool have[ROOM];
	/* initial sequence number, the next one that it expects, and up to where it has read */
	uint32_t isn, next, read;
	uint32_t sent; /* the server's next sequence number */
	/* The client: its last segment, and the packets that are not decided yet. */
	uint32_t last_at, last_n, last_ack, last_text;
	struct said {
		uint32_t id, seq, ack, flags, n, permit;
		uint8_t p[64];
	} said[64];
	unsigned n_said;
	unsigned read_pdus, changes;
	const uint32_t *permits; /* the permits under which this life may run */
	unsigned n_permits, loss;
	bool worker_may_die;
	bool wrong;
} life;

/* ---- the server ---- */

static void server_says(unsigned flags, const uint8_t *p, size_t n)
{
	uint32_t seq = flags & DESK_SYN ? life.sent - 1 : life.sent;

	/* lost in front of the box; a segment with data would be repeated */
	if (n == 0 && one_in(4))
		return;
	if (!(flags == DESK_ACK && n == 0 && desk.quiet)) /* otherwise the kernel lets it pass */
		desk_segment(&life.k, DIR_S2C, seq, life.next, flags, p, n);
	life.sent += (uint32_t)n;
}

static uint32_t place(uint32_t seq)
{
	return seq - life.base + AFTER;
}

static void server_forgets(void)
{
	life.state = LISTENS;
	life.sent = 77000u + draw(2000) * 1000u;
	memset(life.have, 0, sizeof(life.have));
}

/* Whether the rows in force now forbid this function. */
static bool forbids(uint8_t function)
{
	switch (life.k.permit) {
	case P_TOY_OBSERVE:
	case P_TCP:
		return false;
	case P_TOY_READS:
	case P_TLS_LATE:
		return function > TOY_READ_MAX;
	default:
		return function == TOY_FORBIDDEN;
	}
}

static void server_reads(void)
{
	uint8_t answer[64];
	size_t n;

	while (place(life.next) < ROOM && life.have[place(life.next)])
		life.next++;
	toy_pdu(answer, 12, 3);
	while (life.state == OPEN && life.read != life.next) {
		const uint8_t *p = life.bytes + place(life.read);

		switch (toy_frame(NULL, DIR_C2S, bytes_of(p, life.next - life.read), &n)) {
		case FRAME_NEED_MORE:
			return;
		case FRAME_BAD:
		case FRAME_LONG:
			desk_segment(&life.k, DIR_S2C, life.sent, life.next, DESK_RST | DESK_ACK, NULL, 0);
			server_forgets();
			return;
		case FRAME_WHOLE:
			break;
		}
		life.wrong |= forbids(p[2]);
		life.read += (uint32_t)n;
		life.read_pdus++;
		server_says(DESK_ACK | DESK_PSH, answer, 12);
	}
}

static void server_begins(uint32_t isn)
{
	server_forgets();
	life.state = HALF_OPEN;
	life.isn = isn;
	life.next = life.read = isn + 1u;
	life.sent++;
	server_says(DESK_SYN | DESK_ACK, NULL, 0);
}

static void server_gets_syn(uint32_t seq)
{
	if (life.state == LISTENS || (life.state == HALF_OPEN && life.takes_last_syn && seq != life.isn))
		server_begins(seq);
	else if (life.state == HALF_OPEN && seq == life.isn)
		server_says(DESK_SYN | DESK_ACK, NULL, 0);
	else
		server_says(DESK_ACK, NULL, 0); /* a challenge */
}

static void server_gets_reset(uint32_t seq)
{
	if (life.state != LISTENS && seq == life.next)
		server_forgets();
	else if (life.state != LISTENS)
		server_says(DESK_ACK, NULL, 0);
}

static void server_gets(const struct said *s)
{
	if (s->flags & DESK_SYN) {
		server_gets_syn(s->seq);
		return;
	}
	if (s->flags & DESK_RST) {
		server_gets_reset(s->seq);
		return;
	}
	if (life.state == LISTENS) {
		desk_segment(&life.k, DIR_S2C, s->ack, 0, DESK_RST, NULL, 0);
		return;
	}
	if (life.state == HALF_OPEN && s->ack != life.sent)
		return;
	life.state = OPEN;
	if (seq_diff(s->ack, life.sent) > 0) { /* acknowledges bytes that the server never sent */
		server_says(DESK_ACK, NULL, 0);
		return;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t at = place(s->seq + i);

		if (seq_diff(s->seq + i, life.next) < 0 || at >= ROOM || (life.have[at] && !life.keeps_last))
			continue;
		life.bytes[at] = s->p[i];
		life.have[at] = true;
	}
	server_reads();
	if (s->n > 0)
		server_says(DESK_ACK, NULL, 0);
}

/* ---- the client ---- */

/* Packets that are decided by now leave the box; some of them are lost behind it. */
static void deliver(void)
{
	for (bool any = true; any;) {
		any = false;
		for (unsigned i = 0; i < life.n_said; i++) {
			struct said s = life.said[i];

			if (desk.outcome[s.id % DESK_IDS] == 0)
				continue;
			life.said[i--] = life.said[--life.n_said];
			any = true;
			if (desk.outcome[s.id % DESK_IDS] >= OUTCOME_ACCEPT && s.permit == life.k.permit &&
			    !one_in(life.loss))
				server_gets(&s);
		}
	}
	for (size_t i = 0; i < desk.n_resets; i++)
		if (desk.resets[i].client_port == life.k.client_port && desk.resets[i].to_server.valid && one_in(2))
			server_gets_reset(desk.resets[i].to_server.seq);
	desk.n_resets = 0;
}

static void client_says(uint32_t seq, uint32_t ack, unsigned flags, const uint8_t *p, uint32_t n)
{
	struct said *s;

	if (life.n_said == 64)
		return;
	s = &life.said[life.n_said++];
	*s = (struct said){
		.id = desk_id + 1, .seq = seq, .ack = ack, .flags = flags, .n = n, .permit = life.k.permit
	};
	if (n > 0)
		memcpy(s->p, p, n);
	if (flags == DESK_ACK && n == 0 && desk.quiet) { /* the kernel lets it pass */
		life.n_said--;
		if (!one_in(life.loss))
			server_gets(s);
		return;
	}
	desk_segment(&life.k, DIR_C2S, seq, ack, flags, p, n);
	deliver();
}

static void waits(uint64_t ms)
{
	desk_now += ms * 1000000u;
	inspector_tick(desk_i);
	deliver();
}

/* The byte at this offset: of requests that are allowed, forbidden, allowed with a forbidden one
 * inside, or the other way round. */
static uint8_t text(uint32_t which, uint32_t at)
{
	static const uint8_t functions[][2] = {
		{ 3 },	      { TOY_FORBIDDEN }, { WRITE }, { 3, TOY_FORBIDDEN }, { TOY_FORBIDDEN, 3 },
		{ 3, WRITE }, { WRITE, 3 }
	};
	uint8_t pdu[64];

	if (which < 3) {
		toy_pdu(pdu, 12, functions[which][0]);
		return pdu[at % 12u];
	}
	toy_pdu(pdu, 20, functions[which][0]);
	toy_pdu(pdu + 8, 12, functions[which][1]);
	return pdu[at % 20u];
}

static void says_bytes(uint32_t at, uint32_t n, uint32_t which, uint32_t ack)
{
	uint8_t p[64];

	life.last_at = at, life.last_n = n, life.last_text = which, life.last_ack = ack;
	for (uint32_t i = 0; i < n; i++)
		p[i] = text(which, at + i - life.begin);
	client_says(at, ack, DESK_ACK, p, n);
}

static uint32_t some_ack(void)
{
	static const uint32_t ahead[] = { 1, 12, 100, 5000, 1u << 21 };

	return one_in(6) ? life.sent + ahead[draw(5)] : one_in(12) ? life.sent - draw(30) : life.sent;
}

static void says_something(void)
{
	uint32_t next = life.state == LISTENS ? life.base + draw(40) : life.next;
	uint32_t which = one_in(3) ? draw(7) : 0;

	if (one_in(2)) /* as an honest client does */
		says_bytes(next, 12, 0, life.sent);
	else if (one_in(3)) /* whole, where it begins */
		says_bytes(life.begin + (next - life.begin + draw(20)) / 12u * 12u, 12, which, some_ack());
	else
		says_bytes(next + draw(40) - draw(16), 1 + draw(24), which, some_ack());
}

static void dials(void)
{
	uint32_t isn = life.state == LISTENS ? life.base + draw(20) : life.next + draw(30) - draw(12);

	client_says(isn, 0, DESK_SYN, NULL, 0);
	if (one_in(3) || life.state != HALF_OPEN)
		return;
	client_says(life.next, life.sent, DESK_ACK, NULL, 0);
	life.begin = one_in(4) ? life.next - draw(20) : life.next;
}

/* Changes the permit, the table, or both. */
static void changes(void)
{
	uint8_t digest[32];
	size_t n;
	uint8_t *image;

	life.changes++;
	if (!one_in(4))
		life.k.permit = life.permits[draw(life.n_permits)];
	desk.quiet = false;
	if (!one_in(3))
		return;
	image = desk_image(1, &n);
	if (!inspector_table(desk_i, bytes_of(image, n), digest))
		abort();
	free(image);
}

static void perhaps_changes(unsigned n)
{
	if (life.n_permits > 1 && one_in(n))
		changes();
}

static void insists(void)
{
	for (unsigned i = 0; i < 4; i++) {
		perhaps_changes(12);
		says_bytes(life.last_at, life.last_n, life.last_text, life.last_ack);
		waits(11);
	}
}

/* Sends a forbidden request in two pieces, in either order, each possibly several times; sometimes
 * another request behind it comes first. */
static void says_in_pieces(void)
{
	uint32_t which = 1 + draw(6), all = which < 3 ? 12 : 20, cut = 1 + draw(all - 1), at = life.next;
	bool backwards = one_in(2);

	life.begin = at;
	for (unsigned i = 0; i < 2; i++) {
		bool second = (i == 1) != backwards;

		if (i == 1 && one_in(3)) {
			says_bytes(at + (one_in(2) ? 60 : all), 12, 0, some_ack());
			insists();
		}
		perhaps_changes(4);
		says_bytes(second ? at + cut : at, second ? all - cut : cut, which, some_ack());
		if (one_in(2))
			insists();
	}
}

static void worker_dies(void)
{
	desk_close();
	desk_open((struct inspector_limits){
		.flows = 64, .pool_bytes = 1u << 20, .table_bytes = 1u << 16, .no_library = true });
	life.n_said = 0;
}

/* Repeats bytes that the server has not acknowledged under another permit, all of them or the
 * rest. */
static void says_across_a_change(void)
{
	uint32_t which = one_in(3) ? 1 + draw(6) : 2, all = which < 3 ? 12 : 20, at = life.next, from;

	life.begin = at;
	says_bytes(at, all, which, life.sent);
	if (one_in(2))
		says_bytes(at + all, 12, 0, life.sent);
	changes();
	from = one_in(2) ? 0 : draw(all);
	says_bytes(at + from, all - from, which, life.sent);
	if (one_in(2))
		insists();
}

static void is_cut(void)
{
	struct cut_session s = { .client_port = life.k.client_port, .server_port = life.k.server_port };

	desk_tcp(&life.k, DIR_C2S, 0, 0, 0, NULL, 0);
	s.client.family = s.server.family = life.k.family;
	if (life.k.family == 4) {
		memcpy(s.client.b, desk_packet + 12, 4);
		memcpy(s.server.b, desk_packet + 16, 4);
	} else {
		memcpy(s.client.b, desk_packet + 8, 16);
		memcpy(s.server.b, desk_packet + 24, 16);
	}
	inspector_cut(desk_i, &s, 1504);
	desk.quiet = false;
	deliver();
}

static void waits_long(void)
{
	static const uint64_t seconds[] = { 1, 10, 31, 61, 301, 4000, 90000, 500000 };
	uint64_t s = seconds[draw(8)];

	for (unsigned n = 0; n < 4; n++)
		waits(s * 250u + 1u);
}

static void happens(void)
{
	if (one_in(4))
		is_cut();
	else if (one_in(2))
		waits_long();
	else
		perhaps_changes(1);
}

static void step(void)
{
	uint32_t what = draw(100);

	if (life.state != OPEN && one_in(2))
		dials();
	else if (what < 50)
		says_something();
	else if (what < 62)
		says_in_pieces();
	else if (what < 66 && life.n_permits > 1)
		says_across_a_change();
	else if (what < 72)
		insists();
	else if (what < 80)
		waits(11 + draw(400));
	else if (what < 85)
		dials();
	else if (what < 92)
		client_says(life.state == LISTENS ? life.base : life.next - draw(3), some_ack(), DESK_ACK, NULL, 0);
	else if (what < 94)
		client_says(life.next + draw(3), 0, DESK_RST, NULL, 0);
	else if (what < 96)
		server_forgets();
	else if (what < 97)
		happens();
	else if (life.worker_may_die)
		worker_dies();
}

static void lives(void **state)
{
	/* A life has one permit all the time, or changes between several. */
	static const struct {
		uint32_t permits[6];
		unsigned n;
		bool worker_may_die; /* its sessions are not picked up half-way */
	} kinds[] = {
		{ { P_TOY }, 1, true },
		{ { P_TOY_DROP }, 1, true },
		{ { P_TOY_PICK_UP }, 1, false },
		{ { P_TOY_HOLD }, 1, false },
		{ { P_TOY_HOLD_PICK_UP }, 1, false },
		{ { P_MIXED_HOLD }, 1, false },
		{ { P_TOY, P_TOY_READS, P_TOY_2, P_TOY_SAFETY, P_TOY_DROP }, 5, true },
		{ { P_TOY_PICK_UP, P_TOY_READS, P_TOY, P_TOY_READS }, 4, false },
		{ { P_TOY_HOLD, P_TOY_HOLD_PICK_UP, P_MIXED_HOLD, P_TOY, P_TOY_READS }, 5, false },
		{ { P_TOY_OBSERVE, P_TOY, P_TOY_READS }, 3, true },
		{ { P_TCP, P_TOY, P_TOY_READS }, 3, true },
		{ { P_TLS_LATE, P_TOY, P_TOY_READS, P_MIXED, P_MIXED_LATE }, 5, true },
	};
	enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
	const char *given = getenv("SEKISHO_SEED"), *many = getenv("SEKISHO_LIVES");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761u % 1000000007u;
	unsigned n_lives = many != NULL ? (unsigned)strtoul(many, NULL, 10) : LIVES, read[KINDS] = { 0 }, wrong = 0;

	(void)state;
	printf("SEKISHO_SEED=%llu\n", (unsigned long long)seed);
	desk_open((struct inspector_limits){
		.flows = 64, .pool_bytes = 1u << 20, .table_bytes = 1u << 16, .no_library = true });
	desk_directed = true; /* as on a box */
	for (unsigned i = 0; i < n_lives; i++) {
		unsigned kind = i % KINDS;

		drawn = (seed + i) * 0x9e3779b97f4a7c15u | 1u;
		for (unsigned n = 0; n < 8; n++)
			draw(2);
		memset(&life, 0, sizeof(life));
		life.k = desk_conn(kinds[kind].permits[0]);
		life.k.family = one_in(2) ? 4 : 6;
		life.permits = kinds[kind].permits;
		life.n_permits = kinds[kind].n;
		life.worker_may_die = kinds[kind].worker_may_die;
		life.loss = life.n_permits > 1 && one_in(2) ? 3 : 10;
		life.k.permit = life.permits[draw(life.n_permits)];
		life.base = life.last_at = life.begin = life.k.c;
		life.keeps_last = one_in(2);
		life.takes_last_syn = one_in(2);
		if (i % 50 == 0)
			inspector_finish(desk_i);
		waits(11);
		desk_clear();
		server_forgets();
		for (unsigned n = 0; n < STEPS && !life.wrong; n++)
			step();
		read[kind] += life.read_pdus;
		if (life.wrong) {
			printf("life %u, kind %u, permit %u, %u changes: read what is forbidden\n", i, kind,
			       life.k.permit, life.changes);
			wrong++;
		}
	}
	for (unsigned i = 0; i < KINDS; i++) {
		printf("kind %u: %u requests read\n", i, read[i]);
		assert_true(read[i] > n_lives / KINDS);
	}
	desk_close();
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lives) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
