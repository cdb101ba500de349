/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/lend.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/wire/mark.h"

#define LOOK_NS 1000000000u
/* The largest number of handshakes that one look catches up with; the rest follows after
 * LOOK_SOON_NS. Without this limit, the packets of other sessions would wait for all handshakes of
 * a flood of SYNs. */
#define LOOK_MOST 128u
#define LOOK_SOON_NS 2000000u
/* a session that was silent for so long is taken back */
#define SILENT_NS (60u * (uint64_t)LOOK_NS)
/* ns to wait for processors that still process a packet by a former worker's lease */
#define RECALL_NS 1000000u
/* a session that was silent for so long gives its place to one that has none */
#define BUSY_NS (2u * (uint64_t)LOOK_NS)
#define SEARCHED 64u /* the most places that are searched to free a template */

static void *map(int fd, size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

bool lends_open(struct lends *l, struct kept_counts *memory, int leases, int templates)
{
	_Static_assert(sizeof(struct lent_counts) * ONCE_LEASES <= sizeof(memory->lent), "room for all leases");
	l->again = (void *)memory->lent;
	l->leases = map(leases, ONCE_LEASES * sizeof(*l->leases));
	templates_begin(&l->templates, map(templates, ONCE_TEMPLATES * sizeof(*l->templates.of)));
	if (l->leases != NULL && l->templates.of != NULL)
		return true;
	l->leases = NULL;
	return false;
}

bool lends_follow(struct lends *l, int handshakes)
{
	l->handshakes = map(handshakes, sizeof(*l->handshakes));
	return l->handshakes != NULL;
}

/* ---- places ---------------------------------------------------------------------------------- */

static bool same_session(const struct once_lease *a, const struct once_lease *b)
{
	return a->client_port == b->client_port && a->server_port == b->server_port && a->family == b->family &&
	       memcmp(a->client, b->client, sizeof(a->client)) == 0 &&
	       memcmp(a->server, b->server, sizeof(a->server)) == 0;
}

static uint32_t first_of(const struct once_lease *key)
{
	return once_place(key->client, key->server, (uint32_t)key->client_port << 16 | key->server_port);
}

/* The session's place, an index in `leases`; ONCE_LEASES: it has none. */
static uint32_t lease_find(const struct lends *l, const struct once_lease *key)
{
	uint32_t first = first_of(key);

	for (uint32_t i = first; i < first + ONCE_WAYS; i++)
		if ((l->of[i].n_uses > 0 || l->of[i].noted) && same_session(&l->leases[i], key))
			return i;
	return ONCE_LEASES;
}

/* Marks the lease so that no successor goes on with the session. The store takes effect at once,
 * because this process may be killed before its next step. */
static void disown(struct once_lease *x)
{
	__atomic_store_n(&x->n_kept, 0, __ATOMIC_SEQ_CST);
}

/* Writes the offered lease, and after that its length `n_kept`. From then on a successor can go on
 * with the session. */
static void write_lease(struct lends *l, uint32_t place)
{
	uint16_t n_kept = l->offer.lease.n_kept;

	l->offer.lease.n_kept = 0;
	disown(&l->leases[place]);
	l->leases[place] = l->offer.lease;
	__atomic_store_n(&l->leases[place].n_kept, n_kept, __ATOMIC_SEQ_CST);
}

static void forget_templates(struct lends *l, uint32_t place)
{
	struct lent *x = &l->of[place];

	for (uint32_t k = 0; k < x->n_uses; k++)
		template_drop(&l->templates, x->uses[k]);
	*x = (struct lent){ .given = false };
	disown(&l->leases[place]);
}

/* ---- counting -------------------------------------------------------------------------------- */

/* Counts requests of the lease that passed. The last one is counted only when the session is taken
 * back, because the inspector may judge it once more then. */
static void lease_count(struct lends *l, struct inspector *i, uint32_t place, bool last_too)
{
	struct once_lease *x = &l->leases[place];
	const struct lent *t = &l->of[place];
	uint32_t asked[ONCE_USES] = { 0 }, last;

	for (uint32_t k = 0; k < t->n_uses; k++)
		asked[k] = __atomic_load_n(&x->asked[k], __ATOMIC_ACQUIRE);
	/* the program writes `last` before `asked`, so it is read after `asked` */
	last = __atomic_load_n(&x->last, __ATOMIC_ACQUIRE);
	for (uint32_t k = 0; k < t->n_uses; k++) {
		uint32_t n = asked[k];

		if (n > 0 && k == last && !last_too)
			n--;
		if (n - x->counted[k] > UINT32_MAX / 2) /* the last request changed meanwhile */
			continue;
		inspector_asked(i, x, &l->again[place].of[k], n - x->counted[k]);
		l->requests += n - x->counted[k];
		x->counted[k] = n;
	}
}

/* ---- shared with the kernel ------------------------------------------------------------------ */

static uint32_t state_exchange(uint32_t *state, uint32_t is, uint32_t becomes)
{
	__atomic_compare_exchange_n(state, &is, becomes, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return is;
}

/* From here on the kernel leaves the lease or handshake alone. A processor that is processing one
 * of its packets finishes within a microsecond, and this process cannot interrupt it. */
static void state_recall(uint32_t *state)
{
	uint32_t was = state_exchange(state, ONCE_GIVEN, ONCE_BACK);

	if (was != ONCE_BUSY && was != ONCE_RECALLED)
		return;
	state_exchange(state, ONCE_BUSY, ONCE_RECALLED);
	while (__atomic_load_n(state, __ATOMIC_SEQ_CST) != ONCE_BACK)
		state_exchange(state, ONCE_GIVEN, ONCE_BACK);
}

/* ---- handshakes ------------------------------------------------------------------------------ */

static bool is_of(const struct once_handshake *h, const struct once_lease *key)
{
	return h->client_port == key->client_port && h->server_port == key->server_port && h->family == key->family &&
	       memcmp(h->client, key->client, sizeof(h->client)) == 0 &&
	       memcmp(h->server, key->server, sizeof(h->server)) == 0;
}

static bool has_passed(struct once_handshake *h)
{
	return __atomic_load_n(&h->mark, __ATOMIC_ACQUIRE) != 0;
}

/* Tells the inspector which packets of a handshake have passed. From then on the kernel lets no
 * more of its packets pass. */
static void catch_up(struct inspector *i, struct once_handshake *h)
{
	state_recall(&h->state);
	/* the kernel's program has given up the slot, and may just be taking it for another
	 * handshake */
	if (!has_passed(h))
		return;
	inspector_catch_up(i, h);
	/* from now on the kernel may use the slot */
	__atomic_store_n(&h->mark, 0, __ATOMIC_RELEASE);
}

/* Catches up with the handshakes of this session, in the order in which they began. */
static void catch_up_with(const struct lends *l, struct inspector *i, const struct once_lease *key)
{
	struct once_handshake *all = l->handshakes->of + (first_of(key) & (ONCE_HANDSHAKES - ONCE_WAYS)), *next;

	do {
		next = NULL;
		for (uint32_t k = 0; k < ONCE_WAYS; k++)
			if (has_passed(&all[k]) && is_of(&all[k], key) &&
			    (next == NULL || all[k].since_ns < next->since_ns))
				next = &all[k];
		if (next != NULL)
			catch_up(i, next);
	} while (next != NULL);
}

/* Catches up with handshakes that began before this time, but with at most `most`. False: there are
 * more. */
static bool catch_up_with_all(const struct lends *l, struct inspector *i, uint64_t before_ns, uint32_t most)
{
	for (uint32_t k = 0; l->handshakes != NULL && k < ONCE_HANDSHAKES; k++) {
		struct once_handshake *h = &l->handshakes->of[k];

		if (!has_passed(h) || (int64_t)(before_ns - h->since_ns) <= 0)
			continue;
		if (most-- == 0)
			return false;
		catch_up(i, h);
	}
	return true;
}

/* ---- taking back ----------------------------------------------------------------------------- */

static void take_back(struct lends *l, struct inspector *i, uint32_t place)
{
	struct once_lease *x = &l->leases[place], was;
	const struct once_template *last;
	struct lent *t = &l->of[place];
	bool judged;

	state_recall(&x->state);
	disown(x); /* from here on the inspector knows more than the lease */
	was = *x;
	last = was.last < t->n_uses ? &l->templates.of[t->uses[was.last]] : NULL;
	judged = inspector_take_back(i, &was, last);
	lease_count(l, i, place, !judged);
	memcpy(x->counted, x->asked, sizeof(x->counted)); /* the inspector counted the last one */
	if (judged && last != NULL)
		l->requests++;
	t->given = false;
	l->given[t->at] = l->given[--l->n_given];
	l->of[l->given[t->at]].at = t->at;
}

/* Reads the two ends of an IPv4 TCP packet. False: this is another packet. */
static bool read_ends(const struct packet *p, struct once_lease *key)
{
	bool back = (p->mark & MARK_REPLY) != 0;
	struct bytes b = p->ip, head;
	uint8_t version = 0, protocol = 0;
	uint32_t from = 0, to = 0;
	uint16_t from_port = 0, to_port = 0;

	bytes_u8(&b, &version);
	if (version != 0x45 || !bytes_skip(&b, 8))
		return false;
	bytes_u8(&b, &protocol);
	if (protocol != IP_TCP || !bytes_skip(&b, 2) || !bytes_take(&b, 8, &head))
		return false;
	memcpy(&from, head.p, 4);
	memcpy(&to, head.p + 4, 4);
	bytes_be16(&b, &from_port);
	bytes_be16(&b, &to_port);
	*key = (struct once_lease){ .family = 4,
				    .client = { back ? to : from },
				    .server = { back ? from : to },
				    .client_port = back ? to_port : from_port,
				    .server_port = back ? from_port : to_port };
	return !b.failed;
}

void lends_before(struct lends *l, struct inspector *i, const struct packet *p)
{
	struct once_lease key;
	uint32_t place;

	if ((l->leases == NULL && l->handshakes == NULL) || !read_ends(p, &key))
		return;
	place = l->leases == NULL ? ONCE_LEASES : lease_find(l, &key);
	if (place < ONCE_LEASES && l->of[place].given)
		take_back(l, i, place);
	else if (place < ONCE_LEASES)
		disown(&l->leases[place]); /* the lease is out of date for a successor */
	if (l->handshakes != NULL)
		catch_up_with(l, i, &key);
}

void lends_catch_up(const struct lends *l, struct inspector *i)
{
	catch_up_with_all(l, i, clock_mono().ns + 1, ONCE_HANDSHAKES);
}

void lends_take_one_back(struct lends *l, struct inspector *i, const struct session_ends *ends)
{
	struct once_lease key = { .family = ends->client.family,
				  .client_port = ends->client_port,
				  .server_port = ends->server_port };
	uint32_t place;

	if (l->n_given == 0 || ends->l4proto != IP_TCP)
		return;
	memcpy(key.client, ends->client.b, addr_len(key.family));
	memcpy(key.server, ends->server.b, addr_len(key.family));
	place = lease_find(l, &key);
	if (place < ONCE_LEASES && l->of[place].given)
		take_back(l, i, place);
}

void lends_take_all_back(struct lends *l, struct inspector *i)
{
	while (l->n_given > 0)
		take_back(l, i, l->given[l->n_given - 1]);
	lends_catch_up(l, i);
}

/* ---- lending --------------------------------------------------------------------------------- */

/* A place where the session's lease can be written: its own, a free one, that of a session that is
 * not lent, or that of the session that was silent longest. ONCE_LEASES: there is none. */
static uint32_t place_for(struct lends *l, struct inspector *i, const struct once_lease *key)
{
	uint32_t first = first_of(key), at = lease_find(l, key);
	uint64_t least_ns = clock_mono().ns - BUSY_NS;

	for (uint32_t k = first; at == ONCE_LEASES && k < first + ONCE_WAYS; k++)
		if (l->of[k].n_uses == 0 && !l->of[k].noted)
			at = k;
	if (at < ONCE_LEASES)
		return at;
	for (uint32_t k = first; k < first + ONCE_WAYS; k++) {
		uint64_t seen_ns = l->of[k].given ? __atomic_load_n(&l->leases[k].seen_ns, __ATOMIC_RELAXED) : 0;

		if (seen_ns < least_ns) {
			least_ns = seen_ns;
			at = k;
		}
	}
	if (at == ONCE_LEASES)
		return at;
	if (l->of[at].given) {
		struct offer kept = l->offer; /* the inspector offers anew what it takes back */

		take_back(l, i, at);
		l->offer = kept;
		if (!inspector_offers(i))
			return ONCE_LEASES;
	}
	forget_templates(l, at);
	return at;
}

/* Drops the templates of sessions that are not lent, most of which have ended. */
static void make_room(struct lends *l, uint32_t place)
{
	for (uint32_t n = 0; n < SEARCHED && l->templates.unused == 0; n++) {
		uint32_t i = l->hand++ % ONCE_LEASES;

		if (i != place && !l->of[i].given)
			forget_templates(l, i);
	}
}

/* Adds the offered template to the templates of this place. False: there is no room for it. */
static bool keep_template(struct lends *l, uint32_t place, const struct offer *o)
{
	struct once_template of = o->of;
	struct lent *t = &l->of[place];
	uint32_t k = 0, at;

	/* bytes that may differ in each request do not distinguish templates */
	for (uint32_t i = 0; i < ONCE_REQUEST / 8; i++)
		of.request[i] &= of.mask[i];
	if (l->templates.unused == 0)
		make_room(l, place);
	at = template_take(&l->templates, &of);
	if (at == ONCE_TEMPLATES)
		return false;
	while (k < t->n_uses && t->uses[k] != at)
		k++;
	if (k == t->n_uses && k < ONCE_USES) {
		t->n_uses++;
	} else {
		if (k == t->n_uses)
			k = t->oldest++ % ONCE_USES;
		template_drop(&l->templates, t->uses[k]);
	}
	t->uses[k] = (uint16_t)at;
	l->again[place].of[k] = o->again;
	return true;
}

/* Drops templates that no longer apply: those of an earlier session between these ends, of another
 * permit, or whose requests are counted in an earlier hour. */
static void drop_stale(struct lends *l, const struct inspector *i, uint32_t place)
{
	const struct offer *o = &l->offer;
	struct lent *t = &l->of[place];
	bool stale = t->life != o->life;

	for (uint32_t k = 0; k < t->n_uses; k++)
		stale |= l->templates.of[t->uses[k]].permit != o->lease.permit ||
			 !inspector_counts(i, &l->again[place].of[k]);
	if (stale)
		forget_templates(l, place);
	t->life = o->life;
}

static void lease_give(struct lends *l, uint32_t place)
{
	struct once_lease *x = &l->leases[place];
	struct lent *t = &l->of[place];

	write_lease(l, place);
	x->seen_ns = clock_mono().ns;
	for (uint32_t k = 0; k < ONCE_USES; k++)
		x->uses[k] = t->uses[k < t->n_uses ? k : 0];
	t->given = true;
	t->at = (uint16_t)l->n_given;
	l->given[l->n_given++] = (uint16_t)place;
	__atomic_store_n(&x->state, ONCE_GIVEN, __ATOMIC_SEQ_CST);
}

/* Leaves a note by which a successor can go on with a session that cannot be lent. The note is
 * valid until the session's next packet. */
static void lease_note(struct lends *l, uint32_t place)
{
	write_lease(l, place);
	l->of[place].noted = true;
}

void lends_after(struct lends *l, struct inspector *i)
{
	const struct offer *o = &l->offer;
	uint32_t place;

	if (l->leases == NULL || o->is == OFFER_NONE)
		return;
	if (o->is == OFFER_NEVER) {
		place = lease_find(l, &o->lease);
		if (place < ONCE_LEASES && !l->of[place].given)
			forget_templates(l, place);
	}
	if (o->lease.family != 4 || !inspector_offers(i))
		return;
	place = place_for(l, i, &o->lease);
	if (place < ONCE_LEASES && l->of[place].given)
		return;
	if (place == ONCE_LEASES) {
		l->without_room++;
		return;
	}
	if (o->is == OFFER_NEVER && o->lease.n_kept > 0)
		lease_note(l, place);
	if (o->is == OFFER_NEVER)
		return;
	drop_stale(l, i, place);
	if (keep_template(l, place, o))
		lease_give(l, place);
	else
		l->without_room++;
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* A silent session is taken back, because otherwise the inspector would keep its flow for ever. */
static bool is_silent(const struct once_lease *x, uint64_t now_ns)
{
	return (int64_t)(now_ns - __atomic_load_n(&x->seen_ns, __ATOMIC_RELAXED)) > (int64_t)SILENT_NS;
}

static bool has_ended(const struct once_lease *x)
{
	return (x->ended[0] != 0 && x->ended[1] != 0) || x->ended[0] == ONCE_RESET || x->ended[1] == ONCE_RESET;
}

uint64_t lends_look(struct lends *l, struct inspector *i, uint64_t now_ns)
{
	uint64_t due_ns;

	if (l->handshakes == NULL)
		return UINT64_MAX;
	if (now_ns < l->look_ns)
		return l->look_ns - now_ns;
	__atomic_store_n(&l->handshakes->alive_ns, now_ns, __ATOMIC_RELAXED);
	due_ns = catch_up_with_all(l, i, now_ns - LOOK_NS, LOOK_MOST) ? LOOK_NS : LOOK_SOON_NS;
	l->look_ns = now_ns + due_ns;
	for (uint32_t k = l->n_given; k > 0; k--) {
		uint32_t place = l->given[k - 1];
		struct once_lease *x = &l->leases[place];

		lease_count(l, i, place, false);
		if (has_ended(x) || __atomic_load_n(&x->state, __ATOMIC_SEQ_CST) == ONCE_BACK || is_silent(x, now_ns) ||
		    !inspector_counts(i, &l->again[place].of[0]) || !inspector_lent(i, x))
			take_back(l, i, place);
	}
	return due_ns;
}

void lends_count(struct lends *l, struct inspector *i)
{
	for (uint32_t k = 0; k < l->n_given; k++)
		lease_count(l, i, l->given[k], false);
}

void lends_leave(struct lends *l, struct inspector *i)
{
	if (l->handshakes != NULL)
		__atomic_store_n(&l->handshakes->alive_ns, 0, __ATOMIC_RELAXED);
	for (uint32_t k = 0; k < l->n_given; k++)
		lease_count(l, i, l->given[k], l->leases[l->given[k]].n_kept == 0);
}

/* ---- what a former worker lent --------------------------------------------------------------- */

/*
 * As recall, but the lease may have any contents, because a former worker wrote it. So this waits
 * only until `until_ns` for the kernel to finish. False: it did not finish, so it is unknown what
 * passed. *lent: the kernel had the session until now.
 */
static bool recall_unknown(struct once_lease *x, uint64_t until_ns, bool *lent)
{
	uint32_t was = state_exchange(&x->state, ONCE_GIVEN, ONCE_BACK);

	*lent = was == ONCE_GIVEN;
	if (was == ONCE_GIVEN || was == ONCE_BACK)
		return true;
	state_exchange(&x->state, ONCE_BUSY, ONCE_RECALLED);
	while (__atomic_load_n(&x->state, __ATOMIC_SEQ_CST) != ONCE_BACK)
		if (clock_mono().ns > until_ns) {
			__atomic_store_n(&x->state, ONCE_BACK, __ATOMIC_SEQ_CST);
			return false;
		}
	return true;
}

/* Goes on with the session. False: nobody follows it. */
static bool resume(struct lends *l, struct inspector *i, const struct once_lease *x, bool lent)
{
	struct once_template uses[ONCE_USES];

	for (uint32_t k = 0; k < ONCE_USES; k++)
		uses[k] = l->templates.of[x->uses[k] % ONCE_TEMPLATES];
	if (!inspector_resume(i, x, x->last < ONCE_USES ? &uses[x->last] : NULL, lent))
		return false;
	for (uint32_t k = 0; k < ONCE_USES; k++) {
		uint32_t n = x->asked[k] - x->counted[k];

		l->requests += n;
		if (k == x->last && n > 0) /* inspector_resume judged the last request once more */
			n--;
		inspector_recount(i, x, &uses[k], n);
	}
	return true;
}

/* Counts what has passed of a lease with which nobody goes on: where the former worker
 * counted it. */
static void count_left(struct lends *l, struct inspector *i, const struct once_lease *x, uint32_t place)
{
	for (uint32_t k = 0; k < ONCE_USES; k++) {
		uint32_t n = x->asked[k] - x->counted[k];

		if (n <= UINT32_MAX / 2)
			inspector_left(i, &l->again[place].of[k], n);
	}
}

void lends_begin(struct lends *l, struct inspector *i)
{
	uint64_t until_ns = clock_mono().ns + RECALL_NS;

	/* The former worker may have left any state, so all handshakes are taken back from the
	 * kernel. The inspector is told later which of their packets passed. */
	for (uint32_t k = 0; l->handshakes != NULL && k < ONCE_HANDSHAKES; k++)
		__atomic_store_n(&l->handshakes->of[k].state, ONCE_BACK, __ATOMIC_SEQ_CST);

	for (uint32_t place = 0; l->leases != NULL && place < ONCE_LEASES; place++) {
		struct once_lease *x = &l->leases[place], was;
		bool lent, known = recall_unknown(x, until_ns, &lent);

		was = *x;
		x->n_kept = 0;
		/* whoever comes next does not count it again */
		memcpy(x->counted, x->asked, sizeof(x->counted));
		if (!known || was.n_kept == 0 || was.permit == 0 || place - first_of(&was) >= ONCE_WAYS ||
		    !resume(l, i, &was, lent))
			count_left(l, i, &was, place);
	}
}
