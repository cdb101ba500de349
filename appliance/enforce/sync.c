/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order within the transaction: what stands in the way goes first (rules, sets of another shape), then what is missing
 * comes (chains, counters, sets, elements), then the rules that refer to it, last what nothing refers to any more.
 * The kernel switches to the result at once.
 */
#include "appliance/enforce/sync.h"

#include <errno.h>

#include "appliance/base/clock.h"
#include "appliance/kernel/batch.h"

/* A table or chain that cannot be mended in place. */
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
			batch_set_delete(b, set_spec(s)->name);
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

static int refill(struct batch *b, const struct expectation *x, unsigned lacks)
{
	for (size_t n = 0; n < x->n_rules; n++) {
		struct nftnl_rule *rules[RULE_FAN];
		int made = rule_build(&x->rules[n], x->ir->workers, lacks, rules);

		if (made < 0)
			return made;
		for (int k = 0; k < made; k++) {
			batch_rule(b, rules[k], x->rules[n].line);
			rule_free(rules[k]);
		}
	}
	return 0;
}

static void sweep(struct batch *b, const struct image *have, const struct image *want)
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
			/* Objects of other kinds do nothing by themselves, other tables are not ours: named, left. */
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

static bool is_label(unsigned set)
{
	return set == SET_LIVE || set == SET_AGREE;
}

/* Do sessions lose their labels while cells move in maps that change over later? */
static bool cells_go_first(const struct image *have, const struct element_diff *d)
{
	bool labels = false, cells = false;

	for (size_t k = 0; k < d->n_gone; k++) {
		labels = labels || is_label(d->gone[k].set);
		cells = cells || (ir_set_cells(d->gone[k].set) && set_spec(d->gone[k].set)->interval);
	}
	for (size_t k = 0; k < d->n_added; k++)
		cells = cells || (ir_set_cells(d->added[k].set) && set_spec(d->added[k].set)->interval);
	for (unsigned s = 0; s < SET_COUNT; s++)
		if (!have->sets[s])
			return false; /* not a table in use */
	return labels && cells;
}

/* Cells, and the labels that they give and that are not there yet. */
static void move_cells(struct batch *b, const struct image *have, const struct element_diff *d)
{
	for (size_t k = 0; k < d->n_gone; k++)
		if (ir_set_cells(d->gone[k].set))
			batch_element_delete(b, d->gone[k].set, d->gone[k].element);
	for (size_t k = 0; k < d->n_added; k++) {
		const struct image_element *el = d->added[k].element;
		unsigned set = d->added[k].set;

		if (ir_set_cells(set) || (is_label(set) && image_find(have, set, el->key, el->key_end) == NULL))
			batch_element_add(b, set, el, clock_wall_ns() / 1000000);
	}
}

int table_sync(struct netlink *n, const struct image *have, const struct image *want, const struct expectation *x,
	       unsigned lacks, bool try, bool cells_first, struct sync_report *ret, struct err *e)
{
	struct element_diff diff;
	struct batch *b;
	struct image nothing;
	int r;

	*ret = (struct sync_report){ .rebuilt = beyond_repair(have) };
	b = batch_new(have->generation_id);
	if (b == NULL)
		return err_set(e, -ENOMEM, "transaction");
	if (ret->rebuilt) {
		uint32_t id = have->generation_id;

		image_init(&nothing, want->arena);
		nothing.generation_id = id;
		have = &nothing;
		batch_table_delete(b);
	}
	ret->rules = strangers(have) || extra_chain(have, want) || !image_rules_equal(have, want);
	r = image_diff(have, want, x->now, want->arena, &diff);
	if (r < 0) {
		err_set(e, r, "difference");
		goto out;
	}
	ret->added = diff.n_added;
	ret->gone = diff.n_gone;
	ret->partly = cells_first && !try && have->table && cells_go_first(have, &diff);
	if (ret->partly) {
		move_cells(b, have, &diff);
		ret->messages = batch_messages(b);
		r = batch_commit(b, n, e, &ret->line);
		goto out;
	}
	if (!have->table)
		batch_table(b);
	else if (ret->rules)
		make_room(b, have);
	create_missing(b, have, want);
	for (size_t k = 0; k < diff.n_gone; k++)
		if (have->sets[diff.gone[k].set])
			batch_element_delete(b, diff.gone[k].set, diff.gone[k].element);
	for (size_t k = 0; k < diff.n_added; k++)
		batch_element_add(b, diff.added[k].set, diff.added[k].element, clock_wall_ns() / 1000000);
	if (ret->rules) {
		r = refill(b, x, lacks);
		if (r < 0) {
			err_set(e, r, "rules of the generation");
			goto out;
		}
		sweep(b, have, want);
	}
	ret->messages = batch_messages(b);
	/* A table made again would drop what waits in queues, even when it is only tried. */
	if (!try || !ret->rebuilt)
		r = try ? batch_try(b, n, e, &ret->line) : batch_commit(b, n, e, &ret->line);
out:
	batch_free(b);
	return r;
}
