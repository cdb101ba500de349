/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/deeds.h"

#include <string.h>

static bool same_operation(const struct operation *a, const struct operation *b)
{
	return a->service == b->service && memcmp(a->targets, b->targets, sizeof(a->targets)) == 0 &&
	       a->broadcast == b->broadcast && a->space == b->space && a->place_unknown == b->place_unknown &&
	       a->first == b->first && a->count == b->count && a->value_size == b->value_size &&
	       a->values.form == b->values.form && a->setup == b->setup && a->idle == b->idle &&
	       a->n_within == b->n_within && memcmp(a->within, b->within, a->n_within * sizeof(a->within[0])) == 0;
}

static bool same_group(const struct deed *known, const struct operation *o, uint32_t n, enum reason wrong)
{
	if (known->n != n || known->wrong != (uint32_t)wrong)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!same_operation(&known[i].operation, &o[i]))
			return false;
	return true;
}

/* Extends the smallest and largest value by those of `v`. */
static void values_widen(struct values *known, const struct values *v)
{
	if (known->form != VALUES_BETWEEN)
		return;
	known->lo = v->lo < known->lo ? v->lo : known->lo;
	known->hi = v->hi > known->hi ? v->hi : known->hi;
	known->n = known->lo == known->hi ? 1 : 2;
}

static void group_remember(struct deeds *all, const struct operation *o, uint32_t n, enum reason wrong)
{
	for (uint32_t k = 0; k < all->n; k += all->deeds[k].n) {
		if (!same_group(&all->deeds[k], o, n, wrong))
			continue;
		for (uint32_t i = 0; i < n; i++)
			values_widen(&all->deeds[k + i].operation.values, &o[i].values);
		all->deeds[k].count++;
		all->last |= 1u << k;
		return;
	}
	if (n > DEEDS_MAX - all->n) {
		all->more++;
		return;
	}
	all->last |= 1u << all->n;
	for (uint32_t i = 0; i < n; i++)
		all->deeds[all->n++] = (struct deed){
			.operation = o[i], .count = i == 0, .n = i == 0 ? n : 0, .wrong = (uint32_t)wrong
		};
}

void deeds_repeat(struct deeds *all, uint32_t which, uint64_t times)
{
	for (uint32_t k = 0; k < all->n; k++)
		if ((which >> k & 1) != 0)
			all->deeds[k].count += times;
}

void deeds_remember(struct deeds *all, const struct parsed *p)
{
	all->last = 0;
	for (uint32_t i = 0, n; i < p->n; i += n) {
		struct operation kept[GROUP_MAX];

		for (n = 0; i + n < p->n && p->operations[i + n].group == p->operations[i].group; n++)
			if (n < GROUP_MAX)
				kept[n] = operation_kept(&p->operations[i + n]);
		if (n > GROUP_MAX)
			all->more++;
		else
			group_remember(all, kept, p->wrong == R_ALLOWED ? n : 1, p->wrong);
		if (p->wrong != R_ALLOWED)
			/* only one operation of a malformed request is kept, whatever it touches */
			return;
	}
}

void deeds_copy(struct deeds *to, const struct deeds *from)
{
	memcpy(to->deeds, from->deeds, from->n * sizeof(from->deeds[0]));
	to->n = from->n;
	to->more = from->more;
}

void deeds_judge_again(const struct deeds *all, const struct enforcer *e, const struct command_table *t,
		       const struct command_permit *permit,
		       void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx)
{
	for (uint32_t k = 0; k < all->n; k += all->deeds[k].n) {
		const struct deed *d = &all->deeds[k];
		struct operation o[GROUP_MAX];
		struct pdu u;

		for (uint32_t i = 0; i < d->n; i++)
			o[i] = d[i].operation;
		judge_kept(e, o, d->n, (enum reason)d->wrong, t, permit, &u);
		if (!u.allowed)
			each(ctx, d, &u);
	}
}
