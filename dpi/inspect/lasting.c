/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/lasting.h"

#include <string.h>
#include <sys/random.h>

#include "dpi/keyed.h"
#include "dpi/lasting.h"

#define BUCKETS 768u
#define WAYS 8u
#define SPREAD 192u /* the buckets of one pair of hosts are within so many */

struct entry {
	uint64_t id;	   /* digest of the subscription */
	uint64_t until_ns; /* 0: the place is free */
	uint64_t parts;	   /* of struct lasting; bits */
};

/* What outlives the worker. A worker that is killed between two stores leaves an entry without an
 * end, or with a wrong digest: it finds nothing. */
struct kept {
	uint64_t seed[2]; /* of the digests; 0: not drawn yet */
	struct entry entries[BUCKETS][WAYS];
};

_Static_assert(sizeof(struct kept) == LASTING_BYTES, "the room that counts keep free");

/* NULL: there is no seed. */
static struct kept *kept_of(const struct inspector *i)
{
	struct kept *k = (void *)counts_lasting(i->counts);

	if ((k->seed[0] | k->seed[1]) == 0 && getrandom(k->seed, sizeof(k->seed), 0) != (ssize_t)sizeof(k->seed))
		return NULL;
	return k;
}

/* ---- the table ------------------------------------------------------------------------------- */

static uint64_t digest(const struct kept *k, uint64_t h, uint64_t v)
{
	return keyed_mix(h ^ v ^ k->seed[0], k->seed[1] ^ (h << 32 | h >> 32) ^ 0x9e3779b97f4a7c15u);
}

/* The bucket of a subscription, and its digest. NULL: nothing is remembered. */
static struct entry *bucket_of(const struct crossing *x, enum protocol p, enum direction dir, const struct lasting *l,
			       uint64_t *ret_id)
{
	struct kept *k = kept_of(x->i);
	const struct addr *client = dir == DIR_C2S ? &x->d.src : &x->d.dst;
	const struct addr *server = dir == DIR_C2S ? &x->d.dst : &x->d.src;
	uint64_t pair, h;

	if (k == NULL)
		return NULL;
	pair = digest(k, digest(k, keyed_addr(k->seed, client), client->family), keyed_addr(k->seed, server));
	h = digest(k, pair, (uint64_t)p << 16 | (dir == DIR_C2S ? x->d.sport : x->d.dport));

	h = digest(k, h, (uint64_t)l->key[0] << 32 | l->key[1]);
	h = digest(k, h, l->key[2]);
	*ret_id = h;
	return k->entries[(pair + (h >> 32) % SPREAD) % BUCKETS];
}

/* Whether the entry is in force; one that lasts too long is none of ours. */
static bool lives(const struct entry *e, uint64_t now_ns)
{
	return e->until_ns > now_ns && e->until_ns - now_ns <= LASTING_MAX_S * SECOND_NS && e->parts != 0;
}

static struct entry *entry_find(struct entry *bucket, uint64_t id, uint64_t now_ns)
{
	for (unsigned i = 0; bucket != NULL && i < WAYS; i++)
		if (bucket[i].id == id && lives(&bucket[i], now_ns))
			return &bucket[i];
	return NULL;
}

/* A place for another one: a free one, or that of the one that ends next. */
static struct entry *entry_place(struct entry *bucket, uint64_t now_ns)
{
	struct entry *least = bucket;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!lives(&bucket[i], now_ns))
			return &bucket[i];
		if (bucket[i].until_ns < least->until_ns)
			least = &bucket[i];
	}
	return least;
}

static void entry_begin(struct entry *bucket, uint64_t id, const struct lasting *l, uint64_t now_ns)
{
	uint32_t s = l->seconds == 0 || l->seconds > LASTING_MAX_S ? LASTING_MAX_S : l->seconds;
	struct entry *e = entry_find(bucket, id, now_ns);
	uint64_t until_ns = now_ns + s * SECOND_NS;

	if (e != NULL) {
		/* another part of it may last longer */
		e->until_ns = (e->parts & ~(uint64_t)l->parts) != 0 && e->until_ns > until_ns ? e->until_ns : until_ns;
		e->parts |= l->parts;
		return;
	}
	e = entry_place(bucket, now_ns);
	e->until_ns = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	e->id = id;
	e->parts = l->parts;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	e->until_ns = until_ns;
}

void lasting_note(const struct crossing *x, const struct enforcer *e, struct bytes pdu)
{
	const struct lasting_reader *r = lasting_reader_of(e->protocol);
	struct lasting l = { .kind = LASTING_NOTHING };
	struct entry *bucket, *known;
	uint64_t id = 0;

	if (r == NULL || x->d.l4proto != IP_UDP)
		return;
	r->read(DIR_C2S, pdu, &l);
	if (l.kind != LASTING_BEGINS && l.kind != LASTING_ENDS)
		return;
	bucket = bucket_of(x, e->protocol, DIR_C2S, &l, &id);
	known = entry_find(bucket, id, x->i->now_ns);
	if (l.kind == LASTING_BEGINS && bucket != NULL)
		entry_begin(bucket, id, &l, x->i->now_ns);
	else if (known != NULL)
		known->parts &= ~(uint64_t)l.parts;
}

/* ---- what the server sends ------------------------------------------------------------------- */

static bool is_known(const struct crossing *x, enum protocol p, const struct lasting *l)
{
	uint64_t id = 0;
	struct entry *bucket = bucket_of(x, p, DIR_S2C, l, &id);

	return entry_find(bucket, id, x->i->now_ns) != NULL;
}

void lasting_recall(const struct crossing *x, const struct enforcer *e, enum direction dir, void *state,
		    struct bytes pdu)
{
	const struct lasting_reader *r = dir == DIR_S2C ? lasting_reader_of(e->protocol) : NULL;
	struct lasting l = { .kind = LASTING_NOTHING };

	if (r == NULL || r->recall == NULL || x->d.l4proto != IP_UDP)
		return;
	r->read(DIR_S2C, pdu, &l);
	if (l.kind == LASTING_TELLS)
		r->recall(state, pdu, is_known(x, e->protocol, &l));
}

static bool is_covered(const struct crossing *x, const struct enforcer *e, const struct lasting_reader *r, bool follows)
{
	uint8_t *state = x->i->rooms.before;
	struct bytes b = x->d.payload, pdu;
	size_t n = 0;

	memset(state, 0, ENFORCER_STATE_MAX);
	if (e->begin != NULL)
		e->begin(state, true, x->d.sport);
	while (b.left > 0) {
		struct lasting l = { .kind = LASTING_NOTHING };

		if (e->frame(state, DIR_S2C, b, &n) != FRAME_WHOLE || n == 0 || !bytes_take(&b, n, &pdu))
			return false;
		r->read(DIR_S2C, pdu, &l);
		if (l.kind == LASTING_TELLS ? !is_known(x, e->protocol, &l) : !follows)
			return false;
	}
	return n > 0;
}

bool lasting_covers(const struct crossing *x, bool follows)
{
	for (uint32_t i = 0; x->permit != NULL && i < x->permit->n_grants; i++) {
		const struct command_grant *g = &x->table->grants[x->permit->first_grant + i];
		const struct enforcer *e = g->shadow ? NULL : enforcer_of((enum protocol)g->protocol);

		const struct lasting_reader *r = e != NULL ? lasting_reader_of(e->protocol) : NULL;

		if (r != NULL && is_covered(x, e, r, follows))
			return true;
	}
	return false;
}
