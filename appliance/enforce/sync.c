/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the kernel's table equal to an expected image, in one transaction that only touches
 * differences: base chains that are right are never deleted (all packets in queues would be lost),
 * unchanged elements are left out, and rules are written again only if at least one differs. Runs
 * in enforce.
 *
 * The kernel applies a transaction in two steps: rules and hashes at once, but interval maps only
 * at its end (and before Linux 6.17 it removes their old elements in the first step). A new session
 * between the two steps would find neither its old cell nor its new one, and a session that lost
 * its label would be cut although it is allowed. So if cells are replaced, there are three
 * transactions. The first one puts the new cells into separate maps, the bridges, which no rule
 * uses yet. The second one makes the change and sets a switch (a hash), by which the bridges are
 * looked up before the maps that they replace. The third one empties the bridges. Before the second
 * transaction nothing passes by the new cells; after it everything that they allow passes.
 *
 * Order within the transaction: first delete what is in the way (rules, sets of another form), then
 * add what is missing (chains, counters, sets, elements), then the rules that refer to it, last
 * delete what nothing refers to. The kernel switches to the result at once.
 */
#include <errno.h>
#include <linux/netfilter.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/sync.h"
#include "appliance/kernel/batch.h"

/* A table or chain that cannot be changed in place. */
static bool beyond_repair(const struct image *have)
{
	if (!have->table)
		return false;
	if (!have->table_plain)
		return true;
	for (uint32_t c = 0; c < CHAIN_COUNT; c++)
		if (have->chain_wrong[c])
			return true;
	return false;
}

static bool strangers(const struct image *have)
{
	for (size_t n = 0; n < have->n_foreign; n++)
		if (have->foreign[n].name != NULL)
			return true;
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++)
		if (have->set_wrong[s])
			return true;
	return false;
}

static void make_room(struct batch *b, const struct image *have)
{
	batch_flush_rules(b);
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++)
		if (have->set_wrong[s])
			batch_set_delete(b, set_name(s));
}

static void create_missing(struct batch *b, const struct image *have, const struct image *want)
{
	for (uint32_t c = 0; c < CHAIN_COUNT; c++)
		if (want->chains[c] && (!have->chains[c] || (c < BASE_CHAINS && !have->policy_drop[c])))
			batch_chain(b, c);
	for (uint32_t r = 0; r < REASON_COUNT; r++)
		if (want->counters[r].present && !have->counters[r].present)
			batch_counter(b, r);
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++)
		if (!have->sets[s])
			batch_set(b, s);
}

static int refill_chains(struct batch *b, const struct expectation *x, unsigned lacks)
{
	for (size_t n = 0; n < x->n_rules; n++) {
		struct nftnl_rule *rules[RULE_FAN];
		int made = rule_build(&x->rules[n], lacks, rules);

		if (made < 0)
			return made;
		for (int k = 0; k < made; k++) {
			batch_rule(b, rules[k], x->rules[n].line);
			rule_free(rules[k]);
		}
	}
	return 0;
}

static void sweep_surplus(struct batch *b, const struct image *have, const struct image *want)
{
	char name[16];

	for (uint32_t c = BASE_CHAINS; c < CHAIN_COUNT; c++)
		if (have->chains[c] && !want->chains[c])
			batch_chain_delete(b, ir_chain_name((enum ir_chain)c, name));
	for (size_t n = 0; n < have->n_foreign; n++) {
		const struct image_foreign *f = &have->foreign[n];

		if (f->name == NULL)
			continue;
		switch ((enum foreign_kind)f->kind) {
		case FOREIGN_CHAIN:
			batch_chain_delete(b, f->name);
			break;
		case FOREIGN_SET:
			batch_set_delete(b, f->name);
			break;
		case FOREIGN_OBJECT:
		case FOREIGN_TABLE:
			/* Other kinds of objects have no effect, and other tables are not ours.
			 * Both are only reported. */
			break;
		}
	}
}

static bool extra_chain(const struct image *have, const struct image *want)
{
	for (uint32_t c = BASE_CHAINS; c < CHAIN_COUNT; c++)
		if (have->chains[c] && !want->chains[c])
			return true;
	return false;
}

/*
 * The kernel searches the whole interval map for each deleted element: to delete 4,000 of 8,000
 * elements took 128 s, but to fill a new map takes 1 s. So a map, or a bridge, that would lose more
 * elements than this is deleted and made anew.
 */
#define LEAVE_ONE_BY_ONE 32u

/* *ret: the present image without the maps that are made anew. False: there are no such maps. */
static bool made_anew(const struct image *have, const struct element_diff *d, struct image *ret)
{
	size_t gone[TABLE_SET_COUNT] = { 0 };
	bool some = false;

	*ret = *have;
	for (size_t k = 0; k < d->n_gone; k++)
		gone[d->gone[k].set]++;
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++) {
		if (!have->sets[s] || !set_spec(s)->interval || gone[s] <= LEAVE_ONE_BY_ONE)
			continue;
		ret->sets[s] = false;
		ret->set_wrong[s] = true;
		ret->elements[s] = (struct image_elements){ 0 };
		some = true;
	}
	return some;
}

static bool in_use(const struct image *have)
{
	for (unsigned s = 0; s < SET_COUNT; s++)
		if (!have->sets[s])
			return false;
	return have->table;
}

/* Whether labels or cells are deleted, so that some sessions no longer pass. */
static bool leaves_sessions(const struct element_diff *d)
{
	for (size_t k = 0; k < d->n_gone; k++)
		if (ir_set_label(d->gone[k].set) || ir_set_cells(d->gone[k].set))
			return true;
	return false;
}

/* The number of new elements in maps that change over later. */
static size_t comes(const struct element_diff *d)
{
	size_t n = 0;

	for (size_t k = 0; k < d->n_added; k++)
		n += ir_set_bridge_of(d->added[k].set) != SET_COUNT;
	return n;
}

/* Empties the bridges, also of elements that a former process left when it died during a change. */
static void bridges_empty(struct batch *b)
{
	batch_set_flush(b, SET_SWITCH);
	for (unsigned s = SET_BRIDGE4; s < SET_COUNT; s++)
		batch_set_flush(b, s);
}

static int bridges_fill(struct netlink *n, const struct image *have, const struct element_diff *d,
			struct sync_report *ret, struct err *e)
{
	struct batch *b = batch_new(have->generation_id);
	uint64_t now_ms = clock_wall_ns() / 1000000;
	int r;

	if (b == NULL)
		return err_set(e, -ENOMEM, "transaction");
	bridges_empty(b);
	for (size_t k = 0; k < d->n_added; k++) {
		unsigned bridge = ir_set_bridge_of(d->added[k].set);

		if (bridge != SET_COUNT)
			batch_element_add(b, bridge, d->added[k].element, now_ms);
	}
	ret->messages = batch_messages(b);
	r = batch_commit(b, n, e, &ret->line);
	batch_free(b);
	return r;
}

static void bridges_switch(struct batch *b)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

	for (size_t i = 0; i < sizeof(families); i++) {
		struct image_element el = { .key = { families[i] }, .key_end = { families[i] } };

		batch_element_add(b, SET_SWITCH, &el, 0);
	}
}

/* Makes the bridges anew. Rules refer to the bridges, so the rules are written again too. */
static int bridges_anew(struct batch *b, const struct expectation *x, unsigned lacks)
{
	batch_flush_rules(b);
	batch_set_flush(b, SET_SWITCH);
	for (unsigned s = SET_BRIDGE4; s < SET_COUNT; s++) {
		batch_set_delete(b, set_name(s));
		batch_set(b, s);
	}
	return refill_chains(b, x, lacks);
}

/* Empties the bridges after the change. `filled`: the number of their elements. If this fails, the
 * next comparison finds and mends it. */
static void bridges_close(struct netlink *n, const struct expectation *x, unsigned lacks, size_t filled)
{
	struct batch *b = batch_new(0);
	uint32_t line;
	struct err e;
	int r = 0;

	if (b == NULL)
		return;
	if (filled > LEAVE_ONE_BY_ONE)
		r = bridges_anew(b, x, lacks);
	else
		bridges_empty(b);
	if (r == 0)
		(void)batch_commit(b, n, &e, &line);
	batch_free(b);
}

int table_sync(struct netlink *n, const struct image *have, const struct image *want, const struct expectation *x,
	       unsigned lacks, bool try, struct sync_report *ret, struct err *e)
{
	struct element_diff diff;
	struct batch *b = NULL;
	struct image nothing, less;
	bool bridged, used, leaving, anew;
	int r;

	*ret = (struct sync_report){ .rebuilt = beyond_repair(have) };
	if (ret->rebuilt) {
		image_init(&nothing, want->arena);
		nothing.generation_id = have->generation_id;
		have = &nothing;
	}
	r = image_diff(have, want, x->now, want->arena, &diff);
	if (r < 0)
		return err_set(e, r, "difference");
	ret->added = diff.n_added;
	ret->gone = diff.n_gone;
	used = in_use(have);
	leaving = leaves_sessions(&diff);
	anew = made_anew(have, &diff, &less);
	if (anew)
		r = image_diff(&less, want, x->now, want->arena, &diff);
	if (r < 0)
		return err_set(e, r, "difference");
	if (anew)
		have = &less;
	ret->rules = strangers(have) || extra_chain(have, want) || !image_rules_equal(have, want);
	bridged = !try && used && leaving && comes(&diff) > 0;
	if (bridged) {
		r = bridges_fill(n, have, &diff, ret, e);
		if (r < 0)
			return r;
	}
	/* If the bridges were filled, that transaction has raised the kernel's generation number by
	 * one; the kernel never uses 0. */
	b = batch_new(!bridged ? have->generation_id : have->generation_id + 1 != 0 ? have->generation_id + 1 : 1);
	if (b == NULL) {
		r = err_set(e, -ENOMEM, "transaction");
		goto out;
	}
	if (ret->rebuilt)
		batch_table_delete(b);
	if (!have->table)
		batch_table(b, n->owns == OWNS_TABLE);
	else if (ret->rules)
		make_room(b, have);
	create_missing(b, have, want);
	for (size_t k = 0; k < diff.n_gone; k++)
		if (have->sets[diff.gone[k].set])
			batch_element_delete(b, diff.gone[k].set, diff.gone[k].element);
	for (size_t k = 0; k < diff.n_added; k++)
		batch_element_add(b, diff.added[k].set, diff.added[k].element, clock_wall_ns() / 1000000);
	if (bridged)
		bridges_switch(b);
	if (ret->rules) {
		r = refill_chains(b, x, lacks);
		if (r < 0) {
			err_set(e, r, "rules of the generation");
			goto out;
		}
		sweep_surplus(b, have, want);
	}
	ret->messages += batch_messages(b);
	/* A new table would drop the packets in queues, even in a dry run. */
	if (!try || !ret->rebuilt)
		r = try ? batch_try(b, n, e, &ret->line) : batch_commit(b, n, e, &ret->line);
out:
	if (bridged)
		bridges_close(n, x, lacks, comes(&diff));
	batch_free(b);
	return r;
}
