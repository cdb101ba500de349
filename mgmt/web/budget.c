/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/budget.h"

#include <string.h>

struct addr budget_network(const struct addr *who)
{
	struct addr a = *who;

	if (a.family == 6)
		memset(a.b + 8, 0, 8);
	return a;
}

static struct budget_entry *entry_find(struct budget *b, const struct addr *key)
{
	for (size_t i = 0; i < BUDGET_ADDRESSES; i++)
		if (b->entries[i].who.family != 0 && addr_cmp(&b->entries[i].who, key) == 0)
			return &b->entries[i];
	return NULL;
}

/* The entry of this address. A new one replaces the entry that was unused longest and has no record
 * to write. NULL when all entries have one. */
static struct budget_entry *entry_of(struct budget *b, const struct addr *who, uint64_t now_ns)
{
	struct addr key = budget_network(who);
	struct budget_entry *e = entry_find(b, &key);

	if (e == NULL) {
		for (size_t i = 0; i < BUDGET_ADDRESSES; i++)
			if (b->entries[i].unreported == 0 && (e == NULL || b->entries[i].used_ns < e->used_ns))
				e = &b->entries[i]; /* a free entry was never used */
		if (e == NULL)
			return NULL;
		*e = (struct budget_entry){ .who = key, .level_ns = now_ns };
	}
	e->used_ns = now_ns;
	return e;
}

static void entry_forget(struct budget_entry *e, uint64_t now_ns)
{
	uint64_t passed = now_ns > e->level_ns ? (now_ns - e->level_ns) / BUDGET_FORGET_NS : 0;

	if (passed >= e->level) {
		e->level = 0;
		e->level_ns = now_ns;
	} else {
		e->level -= passed;
		e->level_ns += passed * BUDGET_FORGET_NS;
	}
}

static bool report_due(const struct budget_entry *e, uint64_t now_ns)
{
	return e->unreported > 0 && (e->reported_ns == 0 || now_ns - e->reported_ns >= BUDGET_REPORT_NS);
}

static uint64_t take_report(struct budget_entry *e, uint64_t now_ns)
{
	uint64_t n = e->unreported;

	e->unreported = 0;
	e->reported_ns = now_ns;
	return n;
}

uint64_t budget_failure(struct budget *b, const struct addr *who, uint64_t now_ns, uint64_t *ret_report)
{
	struct budget_entry *e = entry_of(b, who, now_ns);

	/* a flood from more addresses than can be followed: recorded at once, answered late */
	if (e == NULL) {
		*ret_report = 1;
		return BUDGET_DELAY_NS;
	}
	entry_forget(e, now_ns);
	e->level++;
	e->unreported++;
	*ret_report = report_due(e, now_ns) ? take_report(e, now_ns) : 0;
	return e->level > BUDGET_FREE ? BUDGET_DELAY_NS : 0;
}

bool budget_accepted(struct budget *b, const struct addr *who, uint64_t now_ns)
{
	struct budget_entry *e = entry_of(b, who, now_ns);

	if (e == NULL)
		return true;
	if (e->accepted_ns != 0 && now_ns - e->accepted_ns < BUDGET_ACCEPTED_NS)
		return false;
	e->accepted_ns = now_ns;
	return true;
}

bool budget_due(struct budget *b, uint64_t now_ns, struct addr *ret_who, uint64_t *ret_count)
{
	for (size_t i = 0; i < BUDGET_ADDRESSES; i++)
		if (report_due(&b->entries[i], now_ns)) {
			*ret_who = b->entries[i].who;
			*ret_count = take_report(&b->entries[i], now_ns);
			return true;
		}
	return false;
}

uint64_t budget_next_ns(const struct budget *b)
{
	uint64_t next = UINT64_MAX;

	for (const struct budget_entry *e = b->entries; e < b->entries + BUDGET_ADDRESSES; e++) {
		if (e->unreported > 0 && e->reported_ns + BUDGET_REPORT_NS < next)
			next = e->reported_ns + BUDGET_REPORT_NS;
	}
	return next;
}
