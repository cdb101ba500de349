/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inspector for tests of its surroundings: the words in a packet say how it is decided.
 * Implements dpi/inspect/inspect.h.
 *   "DROP" is dropped, "SURE" is accepted and confirmed, "CUT!" resets both ends, "LATE" is held
 *   for 5 ms, "LOST" gets no answer at all, "FREEZE" sleeps without end, "BUSY" computes without
 *   end; everything else is accepted.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/wire/mark.h"
#include "dpi/inspect/inspect.h"

struct late {
	uint64_t due;
	uint32_t id, permit;
	uint16_t queue;
};

struct inspector {
	struct outside outside;
	struct inspector_stats stats;
	struct late late[64];
	unsigned n_late;
};

struct inspector *inspector_new(const struct inspector_limits *l)
{
	struct inspector *i = calloc(1, sizeof(*i));

	if (i != NULL)
		i->outside = l->outside;
	return i;
}

void inspector_free(struct inspector *i)
{
	free(i);
}

bool inspector_table(struct inspector *i, struct bytes image, uint8_t digest[32])
{
	(void)i;
	memset(digest, 0x5a, 32);
	return image.left > 0;
}

void inspector_generations(struct inspector *i, struct event_generation now, struct bytes of_permits)
{
	(void)i;
	(void)now;
	(void)of_permits;
}

bool inspector_try_table(struct inspector *i, struct bytes image, struct command_table *ret)
{
	(void)i;
	(void)image;
	(void)ret;
	return false;
}

void inspector_note_unseen(struct inspector *i, const struct session_ends *ends)
{
	(void)i;
	(void)ends;
}

void inspector_foretell(struct inspector *i, const struct command_table *t, const struct session_ends *ends,
			uint32_t permit, void (*each)(void *ctx, const struct deed *d, const struct pdu *refused),
			void *ctx, struct impact *ret)
{
	(void)i;
	(void)t;
	(void)ends;
	(void)permit;
	(void)each;
	(void)ctx;
	(void)ret;
}

void inspector_cut(struct inspector *i, const struct cut_session *s, uint16_t queue)
{
	(void)i;
	(void)s;
	(void)queue;
}

static bool has(const struct packet *p, const char *word)
{
	return memmem(p->ip.p, p->ip.left, word, strlen(word)) != NULL;
}

static uint32_t be32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static void cut(const struct inspector *i, const struct packet *p)
{
	const uint8_t *ip = p->ip.p, *tcp;
	bool six = ip[0] >> 4 == 6;
	size_t off = six ? 40 : (size_t)(ip[0] & 15) * 4, alen = six ? 16 : 4;
	struct reset_record r = { .queue = p->queue };
	uint32_t data;

	tcp = ip + off;
	data = (uint32_t)(p->ip.left - off - (size_t)(tcp[12] >> 4) * 4);
	r.client.family = r.server.family = six ? 6 : 4;
	memcpy(r.client.b, ip + (six ? 8 : 12), alen);
	memcpy(r.server.b, ip + (six ? 24 : 16), alen);
	r.client_port = (uint16_t)(tcp[0] << 8 | tcp[1]);
	r.server_port = (uint16_t)(tcp[2] << 8 | tcp[3]);
	/* This packet never arrives: the server expects its first byte next, and the client the
	 * byte that it last acknowledged. */
	r.to_server = (struct reset_side){ .seq = be32(tcp + 4), .valid = 1 };
	r.to_client =
		(struct reset_side){ .seq = be32(tcp + 8), .ack = be32(tcp + 4) + data, .with_ack = 1, .valid = 1 };
	outside_reset(&i->outside, &r);
}

void inspector_packet(struct inspector *i, const struct packet *p)
{
	uint32_t permit = mark_permit(p->mark);

	i->stats.packets++;
	if (has(p, "FREEZE"))
		for (;;)
			nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	while (has(p, "BUSY"))
		;
	if (has(p, "LOST"))
		return;
	if (has(p, "LATE") && i->n_late < 64) {
		i->late[i->n_late++] = (struct late){ clock_mono().ns + 5000000u, p->id, permit, p->queue };
		return;
	}
	if (has(p, "DROP") || has(p, "CUT!")) {
		i->stats.dropped++;
		outside_decide(&i->outside, p->queue, p->id, OUTCOME_DROP, permit, R_NONE);
		if (has(p, "CUT!"))
			cut(i, p);
		return;
	}
	i->stats.accepted++;
	outside_decide(&i->outside, p->queue, p->id, has(p, "SURE") ? OUTCOME_CONFIRMED : OUTCOME_ACCEPT, permit,
		       R_NONE);
}

uint64_t inspector_tick(struct inspector *i)
{
	uint64_t now = clock_mono().ns, next = UINT64_MAX;
	unsigned kept = 0;

	for (unsigned k = 0; k < i->n_late; k++) {
		struct late l = i->late[k];

		if (l.due <= now) {
			i->stats.accepted++;
			outside_decide(&i->outside, l.queue, l.id, OUTCOME_ACCEPT, l.permit, R_NONE);
		} else {
			next = l.due - now < next ? l.due - now : next;
			i->late[kept++] = l;
		}
	}
	i->n_late = kept;
	return next;
}

void inspector_finish(struct inspector *i)
{
	(void)i;
}

void inspector_stats(const struct inspector *i, struct inspector_stats *ret)
{
	*ret = i->stats;
}

/* ---- this inspector never offers a session ------------------------------------------- */

bool inspector_offers(const struct inspector *i)
{
	(void)i;
	return false;
}

void inspector_catch_up(struct inspector *i, const struct once_handshake *h)
{
	(void)i, (void)h;
}

bool inspector_lent(struct inspector *i, const struct once_lease *l)
{
	(void)i, (void)l;
	return false;
}

uint32_t inspector_keep_counts(struct inspector *i, struct kept_counts *memory)
{
	(void)i, (void)memory;
	return 0;
}

void inspector_decided(struct inspector *i)
{
	(void)i;
}

void inspector_sends(struct inspector *i)
{
	(void)i;
}

void inspector_sent(struct inspector *i)
{
	(void)i;
}

void inspector_left(struct inspector *i, const struct count_again *a, uint64_t times)
{
	(void)i, (void)a, (void)times;
}

bool inspector_counts(const struct inspector *i, const struct count_again *a)
{
	(void)i, (void)a;
	return false;
}

void inspector_asked(struct inspector *i, const struct once_lease *l, const struct count_again *a, uint64_t times)
{
	(void)i, (void)l, (void)a, (void)times;
}

bool inspector_resume(struct inspector *i, const struct once_lease *l, const struct once_template *last, bool lent)
{
	(void)i, (void)l, (void)last, (void)lent;
	return false;
}

void inspector_recount(struct inspector *i, const struct once_lease *l, const struct once_template *t, uint64_t times)
{
	(void)i, (void)l, (void)t, (void)times;
}

bool inspector_take_back(struct inspector *i, const struct once_lease *l, const struct once_template *last)
{
	(void)i, (void)l, (void)last;
	return false;
}
