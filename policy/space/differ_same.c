/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two conduits have the same meaning, however they are written. */
#include <string.h>

#include "policy/space/differ_said.h"

static bool same_ranges(const struct addr_range *a, size_t n_a, const struct addr_range *b, size_t n_b)
{
	for (size_t i = 0; i < n_a && n_a == n_b; i++)
		if (addr_cmp(&a[i].lo, &b[i].lo) != 0 || addr_cmp(&a[i].hi, &b[i].hi) != 0)
			return false;
	return n_a == n_b;
}

static bool same_sides(const struct model_zone *a, const struct model_zone *b)
{
	for (size_t i = 0; i < a->n_interfaces && a->n_interfaces == b->n_interfaces; i++)
		if (strcmp(a->interfaces[i]->name, b->interfaces[i]->name) != 0)
			return false;
	return a->n_interfaces == b->n_interfaces;
}

static bool same_set(const struct command_table *ta, const struct number_set *a, const struct command_table *tb,
		     const struct number_set *b)
{
	return a->any == b->any && a->n == b->n &&
	       (a->n == 0 || memcmp(ta->ranges + a->first, tb->ranges + b->first, a->n * sizeof(*ta->ranges)) == 0);
}

static bool same_row(const struct command_table *ta, const struct command_row *a, const struct command_table *tb,
		     const struct command_row *b)
{
	if (!same_set(ta, &a->services, tb, &b->services) || !same_set(ta, &a->values, tb, &b->values) ||
	    a->spaces_any != b->spaces_any || a->n_spaces != b->n_spaces)
		return false;
	for (unsigned i = 0; i < TARGET_MAX; i++)
		if (!same_set(ta, &a->targets[i], tb, &b->targets[i]))
			return false;
	for (uint32_t i = 0; i < a->n_spaces; i++) {
		const struct space_set *sa = &ta->spaces[a->first_space + i], *sb = &tb->spaces[b->first_space + i];

		if (sa->space != sb->space || !same_set(ta, &sa->numbers, tb, &sb->numbers))
			return false;
	}
	return true;
}

static bool same_service(const struct model *ma, const struct model_service *a, const struct model *mb,
			 const struct model_service *b)
{
	if (a->protocol != b->protocol || a->whole != b->whole || a->lenient != b->lenient ||
	    a->undecided_bytes != b->undecided_bytes || a->n_ports != b->n_ports || a->n_allows != b->n_allows)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].l4proto != b->ports[i].l4proto || a->ports[i].lo != b->ports[i].lo ||
		    a->ports[i].hi != b->ports[i].hi)
			return false;
	for (size_t i = 0; i < a->n_allows; i++)
		if (!same_row(&ma->rows.t, &a->allows[i].row, &mb->rows.t, &b->allows[i].row))
			return false;
	return true;
}

static bool same_names(const struct model_conduit *a, const struct model_conduit *b)
{
	for (size_t i = 0; i < a->n_servers && a->n_servers == b->n_servers; i++)
		if (strcmp(a->servers[i].name, b->servers[i].name) != 0)
			return false;
	return a->n_servers == b->n_servers;
}

static bool same_hours(const struct model *ma, const struct window *a, const struct model *mb, const struct window *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(ma->time_zone, mb->time_zone) == 0 && a->days == b->days && a->from == b->from &&
	       a->to == b->to && a->first == b->first && a->last == b->last && a->n_except == b->n_except &&
	       (a->n_except == 0 || memcmp(a->except, b->except, a->n_except * sizeof(a->except[0])) == 0);
}

static bool same_door(const struct model_door *a, const struct model_door *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a->name, b->name) == 0;
}

bool differ_same_conduit(const struct model *ma, const struct model_conduit *a, const struct model *mb,
			 const struct model_conduit *b)
{
	struct times ta = conduit_times(a), tb = conduit_times(b);

	if (a->until != b->until || a->starts != b->starts || !same_hours(ma, ta.within, mb, tb.within) ||
	    !same_door(a->door, b->door) || a->observe != b->observe || a->shadow != b->shadow ||
	    a->criticality != b->criticality || a->when_down != b->when_down ||
	    a->when_overloaded != b->when_overloaded || a->when_midstream != b->when_midstream || a->idle != b->idle ||
	    a->session != b->session || a->tighten_new_flows != b->tighten_new_flows ||
	    a->deny_weak_tls != b->deny_weak_tls || a->n_services != b->n_services || !same_names(a, b) ||
	    !same_sides(a->from, b->from) || !same_sides(a->to, b->to) ||
	    !same_ranges(a->sources, a->n_sources, b->sources, b->n_sources) ||
	    !same_ranges(a->destinations, a->n_destinations, b->destinations, b->n_destinations))
		return false;
	for (size_t i = 0; i < a->n_services; i++)
		if (!same_service(ma, a->services[i], mb, b->services[i]))
			return false;
	return true;
}
