/* SPDX-License-Identifier: Apache-2.0 */
/* A service's ports and rows, as they are written and as they are in packets. Depends on the model
 * alone; used by the checks, the packet space and the compiler. */
#include "policy/check/model.h"
#include "policy/check/model_rows.h"
#include "policy/check/port.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* ---- ports ----------------------------------------------------------------------------------- */

const struct transport port_transports[PORT_TRANSPORTS] = {
	{ "tcp", TRANSPORT_TCP, IPPROTO_TCP },
	{ "udp", TRANSPORT_UDP, IPPROTO_UDP },
	{ "icmp", TRANSPORT_ICMP, IPPROTO_ICMP },
};

/* Reads a decimal number without leading zeros and moves *p behind it. */
static bool decimal(const char **p, uint32_t max, uint32_t *ret)
{
	const char *s = *p;
	uint32_t v = 0;

	if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9'))
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (uint32_t)(*s - '0');
		if (v > max)
			return false;
	}
	*p = s;
	*ret = v;
	return true;
}

const struct transport *port_parse(const char *text, struct ir_port *ret)
{
	const char *slash = strchr(text, '/');
	size_t n, i = 0;
	uint32_t lo, hi;
	bool icmp;

	if (slash == NULL)
		return NULL;
	n = (size_t)(slash - text);
	while (i < PORT_TRANSPORTS &&
	       (strlen(port_transports[i].name) != n || memcmp(port_transports[i].name, text, n) != 0))
		i++;
	if (i == PORT_TRANSPORTS)
		return NULL;
	icmp = port_transports[i].bit == TRANSPORT_ICMP;
	text = slash + 1;
	if (!decimal(&text, icmp ? 255 : 65535, &lo))
		return NULL;
	hi = lo;
	if (!icmp && *text == '-' && (text++, !decimal(&text, 65535, &hi)))
		return NULL;
	if (*text != '\0' || lo > hi || (!icmp && lo == 0))
		return NULL;
	*ret = (struct ir_port){ port_transports[i].l4proto, (uint16_t)(icmp ? lo << 8 : lo),
				 (uint16_t)(icmp ? lo << 8 : hi) };
	return &port_transports[i];
}

size_t port_in_family(const struct ir_port *p, uint8_t family, uint8_t *l4proto, struct number_range ret[2])
{
	static const uint16_t echo[2][2] = { { 8 << 8, 128 << 8 }, { 0, 129 << 8 } };
	size_t n = 0;

	*l4proto = p->l4proto;
	if (p->l4proto != IPPROTO_ICMP || family == 4) {
		ret[0] = (struct number_range){ p->lo, p->hi };
		return 1;
	}
	*l4proto = IPPROTO_ICMPV6;
	for (size_t i = 0; i < 2; i++)
		if (p->lo <= echo[i][0] && echo[i][0] <= p->hi)
			ret[n++] = (struct number_range){ echo[i][1], echo[i][1] };
	return n;
}

/* ---- rows ------------------------------------------------------------------------------------ */

struct command_row row_new(void)
{
	struct command_row row = { .values.any = true, .spaces_any = true };

	for (unsigned i = 0; i < TARGET_MAX; i++)
		row.targets[i].any = true;
	return row;
}

static int by_number(const void *pa, const void *pb)
{
	const struct number_range *a = pa, *b = pb;

	return (a->lo > b->lo) - (a->lo < b->lo);
}

size_t numbers_tidy(struct number_range *r, size_t n, bool apart)
{
	uint64_t touching = apart ? 0 : 1;
	size_t kept = 0;

	if (n > 1)
		qsort(r, n, sizeof(*r), by_number);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && (r[kept - 1].hi == UINT64_MAX || r[i].lo <= r[kept - 1].hi + touching)) {
			if (r[i].hi > r[kept - 1].hi)
				r[kept - 1].hi = r[i].hi;
		} else {
			r[kept++] = r[i];
		}
	}
	return kept;
}

static bool keep(struct model_rows *m, struct arena *a, const struct number_range *r, size_t n, struct number_set *ret)
{
	*ret = (struct number_set){ .n = (uint32_t)n };
	ret->first = ret->n > 0 ? (uint32_t)m->n_ranges : 0;
	for (uint32_t i = 0; i < ret->n; i++) {
		struct number_range *slot =
			arena_grow(a, (void **)&m->t.ranges, &m->n_ranges, &m->ranges_room, sizeof(*slot));

		if (slot == NULL)
			return false;
		*slot = r[i];
	}
	m->t.n_ranges = (uint32_t)m->n_ranges;
	return true;
}

bool rows_numbers(struct model_rows *m, struct arena *a, struct number_range *r, size_t n, struct number_set *ret)
{
	return keep(m, a, r, numbers_tidy(r, n, false), ret);
}

bool rows_space(struct model_rows *m, struct arena *a, struct command_row *row, uint8_t space,
		const struct number_range *r, size_t n)
{
	struct space_set *slot;

	row->spaces_any = false;
	if (n == 0)
		return true;
	slot = arena_grow(a, (void **)&m->t.spaces, &m->n_spaces, &m->spaces_room, sizeof(*slot));
	if (slot == NULL)
		return false;
	*slot = (struct space_set){ .space = space };
	if (row->n_spaces++ == 0)
		row->first_space = (uint32_t)(m->n_spaces - 1);
	m->t.n_spaces = (uint32_t)m->n_spaces;
	return keep(m, a, r, n, &slot->numbers);
}
