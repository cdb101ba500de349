/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/machines.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/settings.h"

#define SECOND 1000000000ull
#define MINUTE_NS (60 * SECOND)
#define MINUTES 60u /* what is usual is the mean of so many */
/* A machine is silent after the time of so many packets; these are its bounds. */
#define PACKETS_MISSED 5u
#define SILENT_LEAST_NS (15 * SECOND)
#define SILENT_MOST_NS (600 * SECOND)

void machines_free(struct machines *m)
{
	free(m->list);
	free(m->ends);
	*m = (struct machines){ 0 };
}

static int by_range(const void *pa, const void *pb)
{
	const struct machine_end *a = pa, *b = pb;

	return addr_cmp(&a->range.lo, &b->range.lo);
}

static void add_machine(struct machines *m, const struct ir *ir, uint32_t asset)
{
	const struct ir_asset *a = &ir->assets[asset];

	for (uint32_t i = 0; i < a->n_ranges; i++)
		m->ends[m->n_ends++] = (struct machine_end){ a->ranges[i], (uint32_t)m->n };
	m->list[m->n++] = (struct heard_machine){ .asset = asset };
}

static void carry_on(const struct machines *old, const struct ir *was, struct heard_machine *x, const char *name)
{
	uint32_t asset = x->asset;

	for (size_t i = 0; i < old->n; i++)
		if (strcmp(was->assets[old->list[i].asset].name, name) == 0) {
			*x = old->list[i];
			x->asset = asset;
			return;
		}
}

bool machines_adopt(struct machines *m, const struct ir *was, const struct ir *next)
{
	struct machines old = *m;
	size_t n_ends = 0;

	for (uint32_t i = 0; i < next->n_assets; i++)
		n_ends += next->assets[i].n_ranges;
	*m = (struct machines){ .list = calloc(next->n_assets + 1u, sizeof(*m->list)),
				.ends = calloc(n_ends + 1, sizeof(*m->ends)),
				.minute_ns = old.minute_ns };
	if (m->list == NULL || m->ends == NULL) {
		machines_free(m);
		machines_free(&old);
		return false;
	}
	for (uint32_t i = 0; i < next->n_assets; i++)
		if (next->zones[next->assets[i].zone].class == CLASS_OT)
			add_machine(m, next, i);
	for (size_t i = 0; i < m->n && was != NULL; i++)
		carry_on(&old, was, &m->list[i], next->assets[m->list[i].asset].name);
	if (m->n_ends > 1)
		qsort(m->ends, m->n_ends, sizeof(*m->ends), by_range);
	machines_free(&old);
	return true;
}

void machines_begin(struct machines *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->list[i].look = 0;
}

void machines_note(struct machines *m, const struct addr *from, uint64_t packets)
{
	size_t lo = 0, hi = packets > 0 ? m->n_ends : 0;

	/* the last end that begins at this address or before it */
	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (addr_cmp(&m->ends[middle].range.lo, from) <= 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	if (lo > 0 && addr_in(from, &m->ends[lo - 1].range))
		m->list[m->ends[lo - 1].machine].look += packets;
}

static void end_minute(struct heard_machine *x, uint64_t watched_ns)
{
	x->last = x->minute * MINUTE_NS / watched_ns;
	x->minute = 0;
	if (x->last == 0)
		return;
	x->minutes += x->minutes < MINUTES;
	/* rounded towards the new number, so that a small mean follows it, too */
	x->usual = x->last > x->usual ? x->usual + (x->last - x->usual + x->minutes - 1) / x->minutes
				      : x->usual - (x->usual - x->last + x->minutes - 1) / x->minutes;
}

void machines_end(struct machines *m, uint64_t gap_ns, uint64_t wall_ns)
{
	m->minute_ns += gap_ns;
	for (size_t i = 0; i < m->n; i++) {
		struct heard_machine *x = &m->list[i];

		x->minute += x->look;
		x->quiet_ns = x->look > 0 ? 0 : x->quiet_ns + gap_ns;
		if (x->look > 0)
			x->heard_wall_ns = wall_ns;
		if (m->minute_ns >= MINUTE_NS)
			end_minute(x, m->minute_ns);
	}
	if (m->minute_ns >= MINUTE_NS)
		m->minute_ns = 0;
}

bool machine_is_silent(const struct heard_machine *x)
{
	uint64_t after = PACKETS_MISSED * MINUTE_NS / (x->usual > 0 ? x->usual : PACKETS_MISSED);

	after = after < SILENT_LEAST_NS ? SILENT_LEAST_NS : after > SILENT_MOST_NS ? SILENT_MOST_NS : after;
	return x->heard_wall_ns != 0 && x->quiet_ns >= after;
}
